import { FoundationError } from '@foundation/core';
import {
  builtInProtocols,
  canonical,
  checkRecord,
  inspectAudit,
  recordOf,
  replay,
  verify,
  type AnyProtocol,
  type AuditLog,
  type Outcome,
  type SessionRecord,
} from '@foundation/core/mabeam';

/** What somebody says about a session: how it came about, perhaps chained by hashes, and how it ended. */
export interface Evidence {
  readonly record: SessionRecord;
  /** How it ended, unless only its record is there. */
  readonly outcome?: Outcome<unknown>;
}

/** What was recomputed, and what does not hold. */
export interface Checked {
  readonly outcome: Outcome<unknown>;
  readonly problems: readonly string[];
}

/**
 * Reads an audit log, an outcome, what `show` prints, or a record.
 *
 * @param signer - Public key of who must have signed an audit log.
 * @throws FoundationError `MALFORMED` that names the first line of an audit log that is wrong.
 */
export function readEvidence(value: unknown, signer?: string): Evidence {
  if (isAuditLog(value)) {
    const finding = inspectAudit(value, signer);
    if (!finding.ok) throw malformed(`line ${finding.seq} of the log: ${finding.detail}`);
    return { record: recordOf(value) };
  }
  if (signer !== undefined) throw malformed('only an audit log is signed');
  const { record, outcome, setup, status } = Object(value);
  if (setup !== undefined) return { record: checkRecord(value) };
  if (record === undefined) throw malformed('expected an audit log, an outcome or a record');
  const checked = checkRecord(record);
  const claim = status === undefined ? outcome : value;
  return claim === undefined
    ? { record: checked }
    : { record: checked, outcome: { ...claim, record: checked } };
}

/** Goes through the record again. */
export function recompute({ record, outcome }: Evidence): Checked {
  const protocol = protocolOf(record);
  const again = replay(protocol, record);
  const problems = [...changedEntry(again.record, record)];
  const claim = outcome ?? again;
  return { outcome: again, problems: [...problems, ...verify(protocol, claim)] };
}

/** The first entry that does not follow from those before it. Numbered as the lines of an audit log: from 1. */
function changedEntry(again: SessionRecord, record: SessionRecord): readonly string[] {
  // Answers that came after the end are no part of it.
  const [wanted, given] = [again.entries, record.entries];
  const at = wanted.findIndex(
    (entry, index) => canonical(entry) !== canonical(given[index] ?? null),
  );
  if (at === -1) return [];
  return [`line ${at + 1} of the record does not follow from those before it`];
}

function protocolOf({ setup }: SessionRecord): AnyProtocol {
  const found = builtInProtocols.find(({ name }) => name === setup.protocol);
  if (found !== undefined) return found;
  throw new FoundationError('UNKNOWN_PROTOCOL', `no protocol is called "${setup.protocol}"`, {
    hint: 'Only the protocols that come with Foundation can be checked here; use `verify` for others.',
  });
}

function isAuditLog(value: unknown): value is AuditLog {
  const { head, entries } = Object(value);
  if (typeof head !== 'string' || !Array.isArray(entries)) return false;
  const bad = entries.findIndex((entry) => typeof Object(entry).hash !== 'string');
  if (bad !== -1) throw malformed(`line ${bad} of the log has no hash`);
  return true;
}

function malformed(message: string): FoundationError {
  return new FoundationError('MALFORMED', message);
}
