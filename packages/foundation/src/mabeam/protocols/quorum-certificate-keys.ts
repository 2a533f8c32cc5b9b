import { createPublicKey, type KeyObject, verify as isGenuine } from 'node:crypto';

import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';

/** Most voters of a quorum certificate: each vote costs about 0.1 ms to check. */
export const signersMax = 1_000;

/** Whether the owner of a public key has signed a statement. */
export function isSigned(
  key: string | undefined,
  { statement, signature }: { readonly statement: string; readonly signature: string },
): boolean {
  if (key === undefined) return false;
  return isGenuine(null, Buffer.from(statement), keyIn(key), Buffer.from(signature, 'base64'));
}

function keyIn(text: string): KeyObject {
  return createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
}

function isPublicKey(text: unknown): boolean {
  if (typeof text !== 'string' || text.length > 128) return false;
  try {
    return keyIn(text).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

/** Reads public Ed25519 keys: SPKI, DER, in base64, no two alike. */
export function parseKeys(keys: unknown): Parsed<Readonly<Record<AgentId, string>>> {
  if (!isRecord(keys)) return unparsed(`keys: expected a key for each voter, got ${shown(keys)}`);
  const entries = Object.entries(keys);
  if (entries.length === 0 || entries.length > signersMax) {
    return unparsed(`keys: expected 1 to ${signersMax}, got ${entries.length}`);
  }
  const seen = new Map<string, AgentId>();
  for (const [agent, key] of entries) {
    if (typeof key !== 'string' || !isPublicKey(key)) {
      return unparsed(`keys.${agent}: expected an Ed25519 key (SPKI, base64), got ${shown(key)}`);
    }
    // Compared as bytes: base64 has several spellings of them.
    const bytes = Buffer.from(key, 'base64').toString('hex');
    const other = seen.get(bytes);
    if (other !== undefined) return unparsed(`keys: ${other} and ${agent} have the same`);
    seen.set(bytes, agent);
  }
  return parsed(Object.fromEntries(entries.map(([agent, key]) => [agent, String(key)])));
}
