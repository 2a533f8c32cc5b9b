import { malformed, protocolVersion } from '../cluster/transports/mesh-hello.ts';
import { isProof, prove } from '../cluster/transports/mesh-tls.ts';
import { FoundationError } from '../errors.ts';
import { nodeAddress, type NodeAddress } from './node-address.ts';

/** How one node asks another to open a session. */
export interface Knock {
  /** Who asks, and where the answer goes. */
  readonly from: NodeAddress;
  /** Name of the session at both ends: 12 random bytes as base64url. */
  readonly session: string;
  /** The asking end's half of the key. */
  readonly key: string;
}

/** Largest that a knock may be, in bytes. */
const knockBytesMax = 1_024;
const versionBytes = 2;
const proofBytes = 32;
const keyPattern = /^[\w-]{43}$/;
const sessionPattern = /^[\w-]{16}$/;

/** Two bytes of version, proof of membership for this very door, and JSON. */
export function encodeKnock(knock: Knock, proofKey: Buffer, door: string): Buffer {
  const version = Buffer.alloc(versionBytes);
  version.writeUInt16BE(protocolVersion);
  const body = Buffer.from(JSON.stringify(knock));
  const proof = prove(proofKey, Buffer.from(door), { role: 'knock', body });
  return Buffer.concat([version, proof, body]);
}

/**
 * @returns the knock, and which of the keys it was proven with
 * @throws FoundationError `PROTOCOL_VERSION`, `AUTHENTICATION_FAILED` or `MALFORMED`
 */
export function decodeKnock(
  payload: Buffer,
  proofKeys: readonly Buffer[],
  door: string,
): { readonly knock: Knock; readonly proofKey: Buffer } {
  const isSized = payload.length > versionBytes + proofBytes && payload.length <= knockBytesMax;
  if (!isSized) throw malformed(`a knock of ${payload.length} bytes`);
  checkVersion(payload.readUInt16BE(0));
  const proof = payload.subarray(versionBytes, versionBytes + proofBytes);
  const body = payload.subarray(versionBytes + proofBytes);
  const said = { role: 'knock', body };
  const proofKey = proofKeys.find((key) => isProof(proof, prove(key, Buffer.from(door), said)));
  if (proofKey === undefined) throw unproven();
  return { knock: parseKnock(parseJson(body)), proofKey };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw malformed('a knock that is no JSON');
  }
}

function checkVersion(version: number): void {
  if (version === protocolVersion) return;
  const what = `protocol version ${version}, not ${protocolVersion}`;
  throw new FoundationError('PROTOCOL_VERSION', what, {
    hint: 'Run the same major version of Foundation on all nodes.',
    details: { version, expected: protocolVersion },
  });
}

/** What a member has said. */
function parseKnock(value: unknown): Knock {
  const { from, session, key }: Partial<Record<keyof Knock, unknown>> = Object(value);
  const address = nodeAddress(Object(from));
  if (address === undefined) throw malformed('a knock of nobody');
  if (typeof session !== 'string' || !sessionPattern.test(session))
    throw malformed('a knock without a session');
  if (typeof key !== 'string' || !keyPattern.test(key)) throw malformed('a knock without a key');
  return { from: address, session, key };
}

/** The answering end's half of the key, and proof that it answers this very knock. */
export function encodeAnswer(knock: Uint8Array, key: string, proofKey: Buffer): Buffer {
  const body = Buffer.from(key, 'base64url');
  return Buffer.concat([prove(proofKey, Buffer.from(knock), { role: 'answer', body }), body]);
}

/** The answering end's half of the key; undefined when this is no answer of a member to this knock. */
export function decodeAnswer(
  payload: Buffer,
  knock: Uint8Array,
  proofKey: Buffer,
): string | undefined {
  const body = payload.subarray(proofBytes);
  const proof = prove(proofKey, Buffer.from(knock), { role: 'answer', body });
  const isProven = isProof(payload.subarray(0, proofBytes), proof);
  return isProven ? body.toString('base64url') : undefined;
}

function unproven(): FoundationError {
  return new FoundationError('AUTHENTICATION_FAILED', 'a message without proof of the secret', {
    hint: 'Both nodes must have the same cluster secret: compare their secret files.',
  });
}
