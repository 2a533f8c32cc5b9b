import { constants, createHmac, timingSafeEqual } from 'node:crypto';
import type { ConnectionOptions, Server, TlsOptions, TLSSocket } from 'node:tls';

import type { Clock } from '../../clock.ts';
import { FoundationError, type FoundationErrorCode } from '../../errors.ts';

/** What proves to the other end of a connection that this node belongs to the cluster. */
export interface MeshKeys {
  /** TLS options of the end that listens. */
  readonly listening: TlsOptions;
  /** TLS options of the end that dials, as they are now. */
  dialling(): ConnectionOptions;
  /** Keys of the proofs in greetings: the first is used, all are accepted. */
  readonly proofKeys: readonly Buffer[];
  /**
   * The node that TLS has proven to be at the other end; undefined where keys do not tell nodes apart.
   *
   * @throws FoundationError `AUTHENTICATION_FAILED` or `WRONG_CLUSTER`
   */
  provenNode(socket: TLSSocket): string | undefined;
  /** Looks for renewed keys from now on, until disposed. */
  keepFresh(server: Server, host: FreshKeysHost): Disposable;
}

/** What keys need to stay fresh. */
export interface FreshKeysHost {
  readonly clock: Clock;
  /** Renewed keys that cannot be used: the last good ones stay. */
  readonly onProblem: (error: FoundationError) => void;
}

const exporterLabel = 'EXPORTER-foundation-mesh';

/**
 * TLS 1.3, with the one suite whose hash OpenSSL binds external pre-shared keys to. No tickets: each
 * connection proves its keys anew, so that a session does not outlive a certificate.
 */
export const meshTls = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** Bytes that both ends of a connection can derive and nobody else: unique to it (RFC 8446, 7.5). */
export function channelBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
}

/** Proof that `body` was said in `role` on this very connection by one who has the key. */
export function prove(
  proofKey: Buffer,
  binding: Buffer,
  said: { readonly role: string; readonly body: Uint8Array },
): Buffer {
  const mac = createHmac('sha256', proofKey);
  return mac.update(`${said.role}\n`).update(binding).update(said.body).digest();
}

export function isProof(claimed: Uint8Array, expected: Uint8Array): boolean {
  return claimed.length === expected.length && timingSafeEqual(claimed, expected);
}

/** What an error of the TLS layer, or below, says about the other side. */
export function tlsFailure(error: Error, whom: string): FoundationError {
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  const { code, says, hint } = verdict(reason);
  const what = says === undefined ? reason : `${says} (${reason})`;
  return new FoundationError(code, `${whom}: ${what}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { reason, ...(reason === 'ECONNREFUSED' ? { isRefused: true } : {}) },
    cause: error,
  });
}

interface Verdict {
  readonly code: FoundationErrorCode;
  /** The reason in words. */
  readonly says?: string;
  readonly hint?: string;
}

const sameSecret = 'Both nodes must have the same cluster secret: compare their secret files.';

/** The first rule that matches a reason tells what it means. */
const verdicts: readonly (readonly [pattern: RegExp, verdict: Verdict])[] = [
  [
    /CERT_HAS_EXPIRED/,
    {
      code: 'AUTHENTICATION_FAILED',
      hint: 'Renew the certificate: `fnd cert new NODE --renew`, and compare the clocks.',
    },
  ],
  [
    /CERT_NOT_YET_VALID/,
    { code: 'AUTHENTICATION_FAILED', hint: 'Compare the clocks of both machines.' },
  ],
  [
    /ISSUER_CERT|LEAF_SIGNATURE|SELF_SIGNED|CERT_|_CA$|PURPOSE|CERTIFICATE/,
    {
      code: 'AUTHENTICATION_FAILED',
      hint: 'All nodes need certificates of one authority: compare their `ca`.',
    },
  ],
  [
    // What OpenSSL says when the two ends have no pre-shared key in common.
    /BINDER|DECRYPT_ERROR|HANDSHAKE_FAILURE|SIGNATURE_ALGORITHM/,
    { code: 'AUTHENTICATION_FAILED', says: 'it has another secret, or none', hint: sameSecret },
  ],
  [/SHARED_CIPHER|TIMEOUT$/, { code: 'AUTHENTICATION_FAILED', hint: sameSecret }],
  [
    /^ECONNREFUSED$/,
    {
      code: 'NODE_UNREACHABLE',
      says: 'the connection was refused, nobody listens there',
      hint: 'Start the node, or correct its address.',
    },
  ],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, { code: 'PROTOCOL_VERSION' }],
  [
    /^ERR_SSL/,
    {
      code: 'MALFORMED',
      hint: 'Something that is no node of Foundation is at the other end.',
    },
  ],
];

function verdict(reason: string): Verdict {
  const [, found] = verdicts.find(([pattern]) => pattern.test(reason)) ?? [];
  return (
    found ?? {
      code: 'NODE_UNREACHABLE',
      hint: 'Check that the node runs and that its port is open.',
    }
  );
}
