import { closest, FoundationError } from '@foundation/core';
import {
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
  if (record === undefined) throw withoutRecord(value);
  const checked = checkRecord(record);
  const claim = status === undefined ? outcome : value;
  return claim === undefined
    ? { record: checked }
    : { record: checked, outcome: { ...claim, record: checked } };
}

/**
 * Goes through the record again.
 *
 * @param protocols - Those that are known.
 */
export function recompute(
  { record, outcome }: Evidence,
  protocols: readonly AnyProtocol[],
): Checked {
  const protocol = protocolOf(record, protocols);
  const again = replay(protocol, record);
  const problems = [...changedEntry(again.record, record)];
  const claim = outcome ?? again;
  return { outcome: again, problems: [...problems, ...verify(protocol, claim)] };
}

/** The first entry that does not follow from those before it. Numbered as the lines of an audit log: from 1. */
function changedEntry(again: SessionRecord, record: SessionRecord): readonly string[] {
  const [wanted, given] = [again.entries, record.entries];
  const { length } = wanted;
  const at = Array.from({ length: Math.max(length, given.length) }).findIndex((_, index) => {
    const entry = given[index];
    // Answers that came after the end are no part of it; nobody was asked then.
    if (index >= length) return entry?.kind === 'request';
    return canonical(wanted[index] ?? null) !== canonical(entry ?? null);
  });
  if (at === -1) return [];
  return [`line ${at + 1} of the record does not follow from those before it`];
}

function protocolOf(
  { setup: { protocol, session } }: SessionRecord,
  protocols: readonly AnyProtocol[],
): AnyProtocol {
  const found = protocols.find(({ name }) => name === protocol);
  if (found !== undefined) return found;
  const names = protocols.map(({ name }) => name);
  const near = closest(protocol, names);
  throw new FoundationError(
    'UNKNOWN_PROTOCOL',
    `session ${session} ran "${protocol}", which is no protocol that comes with Foundation`,
    {
      hint: `${near === undefined ? '' : `Did you mean "${near}"? `}Name the module that exports it: \`--protocols my-protocol.ts\`.`,
      details: { protocol },
    },
  );
}

/** Says why there is no record, where that can be told. */
function withoutRecord(value: unknown): FoundationError {
  const { status, participation } = Object(value);
  const isOutcome = typeof status === 'string' && participation !== undefined;
  return malformed(
    isOutcome
      ? 'this outcome was printed with `--no-record`, and without its record nothing can be computed again: hold the session once more without `--no-record`'
      : 'expected an audit log, an outcome or a record',
  );
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
