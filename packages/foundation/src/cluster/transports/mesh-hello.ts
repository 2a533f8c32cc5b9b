import {
  FoundationError,
  foundationErrors,
  isFoundationError,
  type FoundationErrorCode,
} from '../../errors.ts';
import { printable } from '../../printable.ts';
import { isClusterName, isNodeName } from '../names.ts';
import type { Identity } from '../transport.ts';

/** Version of frames, packets and handshake. Nodes of different versions refuse each other. */
export const protocolVersion = 3;

/** Kinds of frames beside the lanes'. Part of the wire format: never reused. */
export const meshKinds = { hello: 16, welcome: 17, ready: 18, refused: 19, bye: 20 } as const;

const versionBytes = 2;
const proofBytes = 32;
const textCharsMax = 1_024;

/** How a node introduces itself. */
export interface Hello {
  readonly identity: Identity;
  /** Address at which the node listens. */
  readonly address: string;
  /** Connections with the other node that this one holds or has welcomed. */
  readonly sessions: readonly string[];
}

/** Makes the proof that goes with a body. */
export type Prove = (body: Uint8Array) => Uint8Array;

/** Two bytes of version, the proof, and JSON. */
export function encodeHello(hello: Hello, proveBody: Prove): Buffer {
  const version = Buffer.alloc(versionBytes);
  version.writeUInt16BE(protocolVersion);
  const body = Buffer.from(JSON.stringify(hello));
  return Buffer.concat([version, proveBody(body), body]);
}

/**
 * @throws FoundationError `PROTOCOL_VERSION`, `AUTHENTICATION_FAILED` (the proof is wrong) or `MALFORMED`.
 */
export function decodeHello(
  payload: Buffer,
  isProven: (proof: Buffer, body: Buffer) => boolean,
): Hello {
  if (payload.length < versionBytes) throw malformed('a greeting cut short');
  const version = payload.readUInt16BE(0);
  if (version !== protocolVersion) {
    throw new FoundationError(
      'PROTOCOL_VERSION',
      `protocol version ${version}, not ${protocolVersion}`,
      {
        hint: 'Run the same major version of Foundation on all nodes.',
        details: { version, expected: protocolVersion },
      },
    );
  }
  const body = payload.subarray(versionBytes + proofBytes);
  if (!isProven(payload.subarray(versionBytes, versionBytes + proofBytes), body)) {
    throw new FoundationError('AUTHENTICATION_FAILED', 'a greeting without proof of the secret');
  }
  return parseHello(parseJson(body));
}

function parseHello(value: unknown): Hello {
  if (!isRecord(value) || !isRecord(value['identity'])) throw malformed('a greeting of nobody');
  const { cluster, node, incarnation, meta } = value['identity'];
  const { address, sessions } = value;
  if (!isText(cluster) || !isText(node)) throw malformed('a greeting without names');
  if (!isClusterName(cluster) || !isNodeName(node)) throw malformed('a greeting with odd names');
  if (!isText(address)) throw malformed('a greeting without an address');
  if (typeof incarnation !== 'number' || !Number.isSafeInteger(incarnation) || incarnation < 0) {
    throw malformed('a greeting without an incarnation');
  }
  if (!isRecord(meta)) throw malformed('a greeting without facts');
  if (!Array.isArray(sessions) || !sessions.every(isText))
    throw malformed('a greeting without sessions');
  return { identity: { cluster, node, incarnation, meta }, address, sessions };
}

/** What a refusing side says before it hangs up. This format is the same in all protocol versions. */
export function encodeRefusal(error: FoundationError): Buffer {
  const { code, message, hint, details } = error;
  const { node } = details;
  return Buffer.from(JSON.stringify({ code, message: message.slice(0, textCharsMax), hint, node }));
}

/** The refusal that the other side stated, or `MALFORMED` when it stated none. */
export function decodeRefusal(payload: Buffer, peer: string): FoundationError {
  try {
    const stated = parseJson(payload);
    if (isRecord(stated) && isText(stated['code']) && isText(stated['message'])) {
      const { code, message, hint, node } = stated;
      if (!isKnownCode(code)) throw malformed(`a refusal with code ${printable(code)}`);
      return new FoundationError(code, `${peer} refuses: ${printable(message)}`, {
        ...(isText(hint) ? { hint: printable(hint) } : {}),
        ...(isNodeName(node) ? { details: { node } } : {}),
      });
    }
    throw malformed('a refusal that says nothing');
  } catch (error) {
    if (isFoundationError(error)) return error;
    throw error;
  }
}

function isKnownCode(code: string): code is FoundationErrorCode {
  return Object.hasOwn(foundationErrors, code);
}

export function malformed(what: string): FoundationError {
  return new FoundationError('MALFORMED', `broken protocol: ${what}`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString(), (key, value: unknown) =>
      key === '__proto__' ? undefined : value,
    );
  } catch (cause) {
    throw new FoundationError('MALFORMED', 'broken protocol: a greeting that is no JSON', {
      cause,
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= textCharsMax;
}
