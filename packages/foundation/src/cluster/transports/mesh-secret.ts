import { createHash, hkdfSync } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { FoundationError } from '../../errors.ts';
import { meshTls, type MeshKeys } from './mesh-tls.ts';

const secretBytesMin = 16;

/** Keys that are derived from the cluster's secret. The secret itself is not kept. */
export interface SecretKeys extends MeshKeys {
  /** Names cluster and secret to the other side of a handshake, without telling them to strangers. */
  readonly pskIdentity: string;
  readonly psk: Buffer;
  /** The pre-shared key for a peer that presents `pskIdentity`, or null. */
  pskFor(pskIdentity: string): Buffer | null;
}

/**
 * Keys by HKDF-SHA256 (RFC 5869) of the secret and the cluster's name. Of several secrets the first is
 * used and all are accepted. A dialler of another cluster that has the same secret gets through TLS, to be
 * told in words that this is another cluster.
 *
 * @throws FoundationError `SECRET_INVALID` when one is too short to be a secret.
 */
export function secretKeys(secrets: readonly Uint8Array[], cluster: string): SecretKeys {
  const [first, ...others] = secrets.map(derived);
  if (first === undefined) throw new FoundationError('SECRET_INVALID', 'no cluster secret');
  const all = [first, ...others];
  const clusterId = createHash('sha256').update(cluster).digest('base64url');
  const pskIdentity = `${clusterId}.${first.id}`;
  const psk = first.pskFor(clusterId);
  const pskFor = (identity: string): Buffer | null => {
    const [, named = '', id] = /^([\w-]{43})\.([\w-]{8})$/.exec(identity) ?? [];
    return all.find((each) => each.id === id)?.pskFor(named) ?? null;
  };
  // Made once, it saves reading the machine's certificates at each dial.
  const secureContext = createSecureContext({ ...meshTls, ca: [] });
  return {
    pskIdentity,
    psk,
    pskFor,
    proofKeys: all.map(({ proofKey }) => proofKey),
    listening: { ...meshTls, pskCallback: (_, identity) => pskFor(identity) },
    dialling: () => ({
      secureContext,
      // No certificate is accepted from a listener, so there is no name to check.
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: pskIdentity }),
    }),
    provenNode: () => undefined,
    keepFresh: () => ({ [Symbol.dispose]: () => {} }),
  };
}

/** Keys of proofs by which members know each other. @throws FoundationError `SECRET_INVALID` */
export function proofKeysOf(secrets: readonly Uint8Array[]): readonly Buffer[] {
  return secrets.map((secret) => derived(secret).proofKey);
}

interface Derived {
  /** Tells the secrets of a cluster apart, and nothing about them. */
  readonly id: string;
  readonly proofKey: Buffer;
  pskFor(clusterId: string): Buffer;
}

function derived(secret: Uint8Array): Derived {
  checkSecret(secret);
  const key = Buffer.from(secret);
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, 'foundation-mesh', info, bytes));
  return {
    id: derive('id', 6).toString('base64url'),
    proofKey: derive('proof', 32),
    pskFor: (clusterId) => derive(`psk ${clusterId}`, 32),
  };
}

/** @throws FoundationError `SECRET_INVALID` */
export function checkSecret(secret: Uint8Array): void {
  const length = secret instanceof Uint8Array ? secret.length : 0;
  if (length >= secretBytesMin) return;
  throw new FoundationError('SECRET_INVALID', `a cluster secret of ${length} bytes`, {
    hint: `Use ${secretBytesMin} random bytes or more: \`fnd secret new\`.`,
  });
}
