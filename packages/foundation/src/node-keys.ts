import type { ClusterHome } from './cluster/home.ts';
import { parseSecrets, readOrCreateSecrets, readSecrets, shownPath } from './cluster/secret.ts';
import type { CertificateConfig } from './config/node-config.ts';
import { FoundationError } from './errors.ts';
import type { NodeSettings } from './node-options.ts';

/** What a node proves with that it belongs to the cluster. */
export type NodeKeys =
  /** Of several secrets the first is used and all are accepted. */
  | { readonly kind: 'secret'; readonly secret: readonly Uint8Array[] }
  | ({ readonly kind: 'certificates' } & CertificateConfig);

/**
 * The keys of a node: certificates if there are any, else the secret that is set, else the one in the cluster's
 * directory. One is made only where nobody from elsewhere can connect, and not in production, which does not take one
 * that was made so either.
 *
 * @throws FoundationError `SECRET_MISSING` or `SECRET_INVALID`
 */
export async function nodeKeys(
  { configuration, values, profile }: NodeSettings,
  home: ClusterHome,
  isLoopback: boolean,
): Promise<NodeKeys> {
  const certificates = certificatesIn(values.certificates);
  if (certificates !== undefined) return certificates;
  if (profile.keys === 'certificates') {
    throw missing(`the profile ${profile.name} needs certificates`, {
      hint: 'Make them with `fnd cert new`, and set `certificates`.',
    });
  }
  const secret = configuration.get('secret');
  if (secret !== undefined)
    return ofSecret(parseSecrets(String(secret.value), `the secret of ${secret.origin}`));
  const file = configuration.get('secretFile');
  if (file !== undefined) {
    const path = String(file.value);
    // Where a secret is mounted for a service, the service's group reads it.
    return ofSecret((await readSecrets(path, 'group')) ?? noFile(path, file.origin));
  }
  const kept = await readSecrets(home.secretPath, 'owner');
  if (kept !== undefined) return ofSecret(kept);
  if (isLoopback && profile.keys === 'made') {
    return ofSecret(await readOrCreateSecrets(home.madeSecretPath));
  }
  throw missing(
    isLoopback
      ? `the profile ${profile.name} needs a secret that was made on purpose`
      : 'a node that other machines can reach needs a secret or certificates',
    {
      hint: `\`fnd secret new --out ${home.secretPath}\` makes one; or set \`secretFile\`, FOUNDATION_SECRET or \`certificates\`. All nodes need the same.`,
    },
  );
}

function ofSecret(secret: readonly Uint8Array[]): NodeKeys {
  return { kind: 'secret', secret };
}

function certificatesIn({ ca, cert, key }: Partial<CertificateConfig>): NodeKeys | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    return { kind: 'certificates', ca, cert, key };
  }
  const absent = Object.entries({ ca, cert, key }).flatMap(([name, path]) =>
    path === undefined ? [name] : [],
  );
  throw missing(`\`certificates\` lacks ${absent.join(' and ')}`, {
    hint: 'Give the paths of all three: the authority, this node’s certificate and its key.',
  });
}

function noFile(path: string, origin: string): never {
  throw missing(`there is no secret in ${shownPath(path)}, which is set by ${origin}`, {
    hint: 'Make one with `fnd secret new --out FILE`, or copy that of another node.',
  });
}

function missing(what: string, options: { readonly hint: string }): FoundationError {
  return new FoundationError('SECRET_MISSING', what, options);
}
