import {
  createPublicKey,
  hash,
  type KeyObject,
  sign,
  verify as verifySignature,
} from 'node:crypto';

import { FoundationError } from '../errors.ts';
import { canonical } from './canonical.ts';
import { checkRecord } from './record-codec.ts';
import type { SessionRecord } from './record.ts';

/** One line of an audit log. Its hash covers it and, by `prev`, all lines before it. */
export interface AuditEntry {
  /** Counts from 0, which is the setup of the session. */
  readonly seq: number;
  /** Milliseconds since the session started. */
  readonly at: number;
  /** `setup`, `end`, or the kind of an entry of the record. */
  readonly kind: string;
  readonly data: unknown;
  /** Hash of the line before; of the first, 64 zeros. */
  readonly prev: string;
  /** SHA-256 of the canonical JSON of everything else of this line, in hexadecimal. */
  readonly hash: string;
}

/** A record that cannot be changed without being noticed by who knows its head, or trusts its signature. */
export interface AuditLog {
  readonly entries: readonly AuditEntry[];
  /** Hash of the last entry. */
  readonly head: string;
  /** Of the head, with Ed25519: who signed, and the signature, both in base64. */
  readonly signed?: { readonly publicKey: string; readonly signature: string };
}

/** What an inspection of an audit log has found. `seq`: where the first thing wrong is. */
export type AuditFinding =
  | { readonly ok: true }
  | { readonly ok: false; readonly seq: number; readonly detail: string };

const none = '0'.repeat(64);

/**
 * Chains the entries of a record by their hashes.
 *
 * @param key - Ed25519 private key to sign the head with. @defaultValue not signed
 */
export function auditLog(record: SessionRecord, key?: KeyObject): AuditLog {
  const { setup, entries, dropped } = record;
  const chained: AuditEntry[] = [];
  let prev = none;
  const chain = (at: number, kind: string, data: unknown): void => {
    // Field by field, in the order of canonical JSON: there may be hundreds of thousands.
    const seq = chained.length;
    const own = hashOf({ at, data, kind, prev, seq });
    chained.push({ at, data, hash: own, kind, prev, seq });
    prev = own;
  };
  chain(0, 'setup', setup);
  for (const { at, kind, ...data } of entries) chain(at, kind, data);
  chain(entries.at(-1)?.at ?? 0, 'end', { dropped });
  return {
    entries: chained,
    head: prev,
    ...(key === undefined ? {} : { signed: signedBy(key, prev) }),
  };
}

/**
 * Looks whether an audit log is whole: whoever changed, removed or moved a line is found out, and so is who made a
 * log anew without the key. Without `publicKey` only the chain is checked, which anybody can make.
 *
 * @param publicKey - The signer that is trusted, in base64 (SPKI, DER), as in `signed.publicKey`.
 */
export function inspectAudit(log: AuditLog, publicKey?: string): AuditFinding {
  let prev = none;
  for (const [seq, entry] of log.entries.entries()) {
    const { hash: stated, ...line } = entry;
    if (entry.seq !== seq) return wrong(seq, `its number is ${entry.seq}`);
    if (entry.prev !== prev) return wrong(seq, 'it does not follow the line before it');
    if (hashOf(line) !== stated) return wrong(seq, 'its content is not what was hashed');
    prev = stated;
  }
  const last = Math.max(log.entries.length - 1, 0);
  if (log.entries.at(-1)?.kind !== 'end') return wrong(last, 'lines are missing at the end');
  if (log.head !== prev) return wrong(last, 'the head is not the hash of the last line');
  return publicKey === undefined ? { ok: true } : inspectSignature(log, publicKey);
}

/**
 * The record that an audit log was made of.
 *
 * @throws FoundationError `MALFORMED` when the log is not whole.
 */
export function recordOf(log: AuditLog): SessionRecord {
  const finding = inspectAudit(log);
  if (!finding.ok) {
    throw new FoundationError('MALFORMED', `line ${finding.seq} of the log: ${finding.detail}`);
  }
  const [setup, ...rest] = log.entries;
  const end = Object(rest.at(-1)?.data);
  return checkRecord({
    setup: setup?.data,
    entries: rest.slice(0, -1).map(({ at, kind, data }) => ({ ...Object(data), at, kind })),
    dropped: end.dropped,
  });
}

function inspectSignature({ entries, head, signed }: AuditLog, publicKey: string): AuditFinding {
  const last = entries.length - 1;
  if (signed === undefined) return wrong(last, 'it is not signed');
  if (signed.publicKey !== publicKey) return wrong(last, 'somebody else has signed it');
  const key = createPublicKey({
    key: Buffer.from(publicKey, 'base64'),
    format: 'der',
    type: 'spki',
  });
  const isGenuine = verifySignature(
    null,
    Buffer.from(head),
    key,
    Buffer.from(signed.signature, 'base64'),
  );
  return isGenuine ? { ok: true } : wrong(last, 'the signature is not of this head');
}

function signedBy(key: KeyObject, head: string): NonNullable<AuditLog['signed']> {
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
  return { publicKey, signature: sign(null, Buffer.from(head), key).toString('base64') };
}

function hashOf(line: Omit<AuditEntry, 'hash'>): string {
  return hash('sha256', canonical(line));
}

function wrong(seq: number, detail: string): AuditFinding {
  return { ok: false, seq, detail };
}
