import { digest } from './digest.ts';
import type { RecordEntry, SessionRecord, SessionSetup } from './record.ts';

/** Binds an answer to request number `seq` of a session: nobody can guess it who has not the key. */
export function nonceOf(
  { session, nonceKey }: Pick<SessionSetup, 'session' | 'nonceKey'>,
  seq: number,
): string {
  return digest(nonceKey, session, seq).slice(0, 32);
}

/**
 * A record to be shown to others, also while its session runs: the key of its nonces is empty, and they are made
 * again with that. It leads to the same outcome.
 */
export function withoutSecret(record: SessionRecord): SessionRecord {
  const setup = { ...record.setup, nonceKey: '' };
  const made = new Map<string, string>();
  for (const entry of record.entries) {
    if (!('request' in entry)) continue;
    made.set(entry.request.nonce, nonceOf(setup, entry.request.seq));
  }
  const again = (nonce: string): string => made.get(nonce) ?? nonce;
  const entries = record.entries.map((entry) => renewed(entry, again));
  return { ...record, setup, entries };
}

function renewed(entry: RecordEntry, again: (nonce: string) => string): RecordEntry {
  switch (entry.kind) {
    case 'request':
    case 'notice':
      return { ...entry, request: { ...entry.request, nonce: again(entry.request.nonce) } };
    case 'lost':
      return { ...entry, nonce: again(entry.nonce) };
    case 'answer': {
      const { nonce, reply } = entry;
      return {
        ...entry,
        ...(nonce === undefined ? {} : { nonce: again(nonce) }),
        ...(reply === undefined ? {} : { reply: { ...reply, nonce: again(reply.nonce) } }),
      };
    }
    case 'cancel':
    case 'deadline':
    case 'emit':
    case 'fail':
    case 'resume':
    case 'solved':
      return entry;
  }
}
