import { createHash } from 'node:crypto';
import {
  createSecureContext,
  type ConnectionOptions,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';

import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parseNodeUri, type NodeName } from '../names.ts';
import { meshTls, tlsFailure, type FreshKeysHost, type MeshKeys } from './mesh-tls.ts';
import { loadCertificates, urisOf, type MeshCertificates } from './own-certificates.ts';

/** What certificates need beside themselves. */
export interface CertificateOptions {
  readonly self: NodeName;
  /** The time of day, in milliseconds since 1970. */
  readonly wallNow: () => number;
  /** How often files are read again, in milliseconds. */
  readonly renewEveryMs: number;
}

/**
 * Keys by mutual certificates: both ends are verified, and the name in a certificate is the name of the
 * node. Files are read again, so that a certificate can be renewed while its node runs.
 *
 * @throws FoundationError `CERTIFICATE_INVALID` when they cannot work: a file that is missing, a key of
 * another certificate, one that names another node, has expired, or that the authority has not signed.
 */
export async function certificateKeys(
  certificates: MeshCertificates,
  options: CertificateOptions,
): Promise<MeshKeys> {
  const loaded = await loadCertificates(certificates, options.self, options.wallNow());
  return new CertificateKeys(certificates, options, loaded);
}

/** Who speaks is proven by TLS: the proof in a greeting only binds it to its connection. */
export const certificateProofKey = createHash('sha256')
  .update('foundation-mesh certificates')
  .digest();

class CertificateKeys implements MeshKeys {
  readonly proofKeys: readonly Buffer[] = [certificateProofKey];
  readonly listening: TlsOptions;
  readonly #certificates: MeshCertificates;
  readonly #options: CertificateOptions;
  #loaded: MeshCertificates;
  #dialling: ConnectionOptions;

  constructor(
    certificates: MeshCertificates,
    options: CertificateOptions,
    loaded: MeshCertificates,
  ) {
    this.#certificates = certificates;
    this.#options = options;
    this.#loaded = loaded;
    this.#dialling = diallingWith(loaded);
    // Whoever is not authorized is refused in `provenNode`: Node would hang up without saying why.
    this.listening = { ...tlsWith(loaded), requestCert: true, rejectUnauthorized: false };
  }

  dialling(): ConnectionOptions {
    return this.#dialling;
  }

  provenNode(socket: TLSSocket): string {
    if (!socket.authorized) throw unauthorized(socket);
    const names = urisOf(socket.getPeerX509Certificate()?.subjectAltName);
    const name = names.length === 1 ? parseNodeUri(names[0] ?? '') : undefined;
    if (name === undefined) throw unnamed(socket, names);
    if (name.cluster !== this.#options.self.cluster) throw ofAnother(name, this.#options.self);
    return name.node;
  }

  keepFresh(server: Server, { clock, onProblem }: FreshKeysHost): Disposable {
    let failures = 0;
    const look = async (): Promise<void> => {
      try {
        await this.#look(server);
        failures = 0;
      } catch (error) {
        // Files are replaced one after the other: only what is still so at the next look is told.
        if (++failures === 2) onProblem(asProblem(error));
      }
    };
    const timer = clock.every(this.#options.renewEveryMs, () => void look());
    return { [Symbol.dispose]: () => timer.cancel() };
  }

  async #look(server: Server): Promise<void> {
    const { self, wallNow } = this.#options;
    const loaded = await loadCertificates(this.#certificates, self, wallNow());
    const parts = ['ca', 'cert', 'key'] as const;
    if (parts.every((each) => loaded[each] === this.#loaded[each])) return;
    const dialling = diallingWith(loaded);
    server.setSecureContext(tlsWith(loaded));
    this.#loaded = loaded;
    this.#dialling = dialling;
  }
}

function tlsWith({ ca, cert, key }: MeshCertificates): SecureContextOptions {
  return { ...meshTls, ca, cert, key };
}

function diallingWith(loaded: MeshCertificates): ConnectionOptions {
  return {
    secureContext: createSecureContext(tlsWith(loaded)),
    // The name that counts is the node's, not the host's: `provenNode` checks it.
    checkServerIdentity: () => undefined,
  };
}

function unauthorized(socket: TLSSocket): FoundationError {
  const reason = String(socket.authorizationError);
  const isMissing = socket.getPeerX509Certificate() === undefined;
  const whom = socket.remoteAddress ?? 'a stranger';
  if (!isMissing) return tlsFailure(Object.assign(new Error(reason), { code: reason }), whom);
  return new FoundationError('AUTHENTICATION_FAILED', `${whom} shows no certificate`, {
    details: { reason: 'NO_CERTIFICATE' },
  });
}

function unnamed(socket: TLSSocket, names: readonly string[]): FoundationError {
  const what = names.length === 0 ? 'names no node' : `names ${names.map(printable).join(', ')}`;
  const whom = socket.remoteAddress ?? 'a stranger';
  return new FoundationError('AUTHENTICATION_FAILED', `the certificate of ${whom} ${what}`, {
    hint: 'A certificate needs one URI name, of the form spiffe://CLUSTER/NODE.',
    details: { reason: 'WRONG_NAME', names },
  });
}

function ofAnother({ node, cluster }: NodeName, self: NodeName): FoundationError {
  const what = `the certificate of ${node} is for cluster ${cluster}, not ${self.cluster}`;
  return new FoundationError('WRONG_CLUSTER', what, {
    hint: 'Give both nodes the same cluster name, or each cluster its own authority.',
    details: { node, cluster, expected: self.cluster },
  });
}

function asProblem(error: unknown): FoundationError {
  if (isFoundationError(error)) return error;
  return new FoundationError('CERTIFICATE_INVALID', `certificates: ${messageOf(error)}`, {
    cause: error,
  });
}
