import { isProof, prove } from '../cluster/transports/mesh-tls.ts';
import { nodeAddress } from './node-address.ts';
import type { Word } from './roster-state.ts';

/** What is said on the subjects of a discovery. `ask`: who is there? It makes nothing known. */
export type Said = Omit<Word, 'kind'> & { readonly kind: Word['kind'] | 'ask' };

/** Largest that a word may be, in bytes. */
const wordBytesMax = 1_024;
const proofBytes = 32;
const addressCharsMax = 512;
const role = 'discovery';

/** Proof of membership for this very subject, and JSON. */
export function encodeWord(said: Said, proofKey: Buffer, subject: string): Buffer {
  const body = Buffer.from(JSON.stringify(said));
  return Buffer.concat([prove(proofKey, Buffer.from(subject), { role, body }), body]);
}

/** What a member has said on a subject; undefined for anything else. */
export function decodeWord(
  payload: Buffer,
  proofKeys: readonly Buffer[],
  { subject, cluster }: { readonly subject: string; readonly cluster: string },
): Said | undefined {
  if (payload.length > wordBytesMax) return undefined;
  const proof = payload.subarray(0, proofBytes);
  const body = payload.subarray(proofBytes);
  const of = Buffer.from(subject);
  if (!proofKeys.some((key) => isProof(proof, prove(key, of, { role, body })))) return undefined;
  return parseSaid(body, cluster);
}

function parseSaid(body: Buffer, cluster: string): Said | undefined {
  const said: Partial<Record<keyof Said, unknown>> = Object(parseJson(body));
  const { kind, node, incarnation, address, number } = said;
  const who = nodeAddress({ cluster, node, incarnation });
  if (who === undefined || typeof address !== 'string' || typeof number !== 'number')
    return undefined;
  if (address.length > addressCharsMax || !Number.isSafeInteger(number)) return undefined;
  if (kind !== 'here' && kind !== 'bye' && kind !== 'ask') return undefined;
  return { kind, node: who.node, incarnation: who.incarnation, address, number };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
