import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

import { FoundationError, type FoundationErrorCode } from '../../errors.ts';

const exporterLabel = 'EXPORTER-foundation-mesh';

/** What the members of a cluster share, derived from its secret. The secret itself is not kept. */
export interface MeshKeys {
  /** Names the cluster to the other side of a handshake, without telling its name to strangers. */
  readonly pskIdentity: string;
  readonly psk: Buffer;
  readonly proofKey: Buffer;
  /** The pre-shared key for a peer that presents `pskIdentity`, or null. */
  pskFor(pskIdentity: string): Buffer | null;
}

/**
 * Keys by HKDF-SHA256 (RFC 5869) of the secret and the cluster's name. A dialler of another cluster that
 * has the same secret gets through TLS, to be told in words that this is another cluster.
 */
export function meshKeys(secret: Uint8Array, cluster: string): MeshKeys {
  const key = Buffer.from(secret);
  const derive = (info: string): Buffer =>
    Buffer.from(hkdfSync('sha256', key, 'foundation-mesh', info, 32));
  const pskIdentity = createHash('sha256').update(cluster).digest('base64url');
  return {
    pskIdentity,
    psk: derive(`psk ${pskIdentity}`),
    proofKey: derive('proof'),
    pskFor: (identity) => (/^[\w-]{43}$/.test(identity) ? derive(`psk ${identity}`) : null),
  };
}

/** TLS 1.3 with an external pre-shared key, which OpenSSL binds to SHA-256; certificates of no authority. */
export const meshTls = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
} as const;

/** A context to dial with: made once, it saves reading the machine's certificates at each dial. */
export function meshSecureContext(): SecureContext {
  return createSecureContext({ ...meshTls, ca: [] });
}

/** Bytes that both ends of a connection can derive and nobody else: unique to it (RFC 8446, 7.5). */
export function channelBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
}

/** Proof that `body` was said in `role` on this very connection by one who has the secret. */
export function prove(
  keys: MeshKeys,
  binding: Buffer,
  said: { readonly role: string; readonly body: Uint8Array },
): Buffer {
  const mac = createHmac('sha256', keys.proofKey);
  return mac.update(`${said.role}\n`).update(binding).update(said.body).digest();
}

export function isProof(claimed: Uint8Array, expected: Uint8Array): boolean {
  return claimed.length === expected.length && timingSafeEqual(claimed, expected);
}

/** What an error of the TLS layer, or below, says about the other side. */
export function tlsFailure(error: Error, whom: string): FoundationError {
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  const { code, hint } = verdict(reason);
  return new FoundationError(code, `${whom}: ${reason}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { reason },
    cause: error,
  });
}

function verdict(reason: string): { code: FoundationErrorCode; hint?: string } {
  if (
    /BINDER|DECRYPT_ERROR|HANDSHAKE_FAILURE|SIGNATURE_ALGORITHM|SHARED_CIPHER|TIMEOUT$/.test(reason)
  ) {
    return {
      code: 'AUTHENTICATION_FAILED',
      hint: 'Both nodes must have the same cluster secret: compare their secret files.',
    };
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(reason)) return { code: 'PROTOCOL_VERSION' };
  if (reason.startsWith('ERR_SSL')) {
    return {
      code: 'MALFORMED',
      hint: 'Something that is no node of Foundation is at the other end.',
    };
  }
  return { code: 'NODE_UNREACHABLE', hint: 'Check that the node runs and that its port is open.' };
}
