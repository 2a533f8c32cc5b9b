import { randomUUID, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FoundationError } from '@foundation/core';
import { isClusterName, isNodeName, nodeUri, readPrivate } from '@foundation/core/internal';

import { authorityOf, issueCertificate, newAuthority, type KeyPair } from './certificate.ts';
import { writeNew } from './secret.ts';

export interface CertificateOptions {
  readonly cluster: string;
  /** Folder of the authority, and of one folder a node. */
  readonly out: string;
  /** How long the nodes' certificates hold. @defaultValue 365, or as long as the one that is replaced */
  readonly days?: number;
  /** Whether a node may have one already, which is replaced. */
  readonly renew: boolean;
}

/** Days that an authority holds. */
const authorityDays = 3_650;
const usualDays = 365;
const dayMs = 86_400_000;

/**
 * Makes a folder for each node with all it needs: `ca.pem`, `cert.pem` and `key.pem`. The authority that
 * signs them is made with the first ones and used for all later ones.
 */
export async function makeCertificates(
  nodes: readonly string[],
  options: CertificateOptions,
): Promise<void> {
  const { cluster, out, renew } = options;
  checkNames(nodes, cluster);
  if (!renew) checkNew(nodes, out);
  await mkdir(out, { recursive: true, mode: 0o700 });
  const authority = (await readAuthority(options)) ?? (await writeAuthority(options));
  for (const node of nodes) {
    const folder = join(out, node);
    const days = options.days ?? (await daysOf(join(folder, 'cert.pem'))) ?? usualDays;
    const pair = issueCertificate(authority, nodeUri({ cluster, node }), { days });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replace(join(folder, 'key.pem'), pair.key);
    await replace(join(folder, 'cert.pem'), pair.cert);
    await replace(join(folder, 'ca.pem'), authority.cert);
    console.log(`${folder} is for the node ${node} of ${cluster}, for ${days} days`);
  }
  console.error(
    `Copy each folder to its node, and only there. Keep ${join(out, 'ca.key')} away from all nodes: ` +
      'whoever has it can be any node.',
  );
}

/** How long a certificate holds from its beginning to its end; undefined when there is none that can be read. */
async function daysOf(path: string): Promise<number | undefined> {
  try {
    const { validFromDate, validToDate } = new X509Certificate(await readFile(path));
    return Math.max(1, Math.round((validToDate.getTime() - validFromDate.getTime()) / dayMs));
  } catch {
    return undefined;
  }
}

function checkNames(nodes: readonly string[], cluster: string): void {
  const bad = nodes.find((node) => !isNodeName(node));
  if (bad !== undefined) {
    throw new FoundationError('INVALID_NODE_NAME', `${JSON.stringify(bad)} is not a node name`, {
      hint: 'Use 1 to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or digit.',
    });
  }
  if (isClusterName(cluster)) return;
  throw new FoundationError('INVALID_OPTION', `"${cluster}" cannot be the name of a cluster`, {
    hint: 'Use 1 to 64 lower-case letters, digits, ".", "_" or "-", a letter or digit first.',
  });
}

function checkNew(nodes: readonly string[], out: string): void {
  const known = nodes.filter((node) => existsSync(join(out, node)));
  if (known.length === 0) return;
  const paths = known.map((node) => join(out, node)).join(', ');
  throw new FoundationError('INVALID_OPTION', `there is ${paths} already`, {
    hint: 'Nothing has changed. `--renew` replaces certificates.',
    details: { nodes: known },
  });
}

async function readAuthority({ out, cluster }: CertificateOptions): Promise<KeyPair | undefined> {
  const path = join(out, 'ca.key');
  const key = await readPrivate(path, 'owner', (what, options) => unusable(path, what, options));
  if (key === undefined) return undefined;
  const cert = await readFile(join(out, 'ca.pem'), 'utf8');
  const owner = authorityOf(cert);
  if (owner === cluster) return { cert, key };
  throw unusable(path, `is the authority of ${owner ?? 'something else'}, not of ${cluster}`);
}

async function writeAuthority({ out, cluster }: CertificateOptions): Promise<KeyPair> {
  const authority = newAuthority(cluster, { days: authorityDays });
  await writeNew(join(out, 'ca.pem'), authority.cert);
  await writeNew(join(out, 'ca.key'), authority.key);
  return authority;
}

/** Puts a whole file in the place of another, so that nobody reads half of it. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}

function unusable(path: string, what: string, options: { readonly hint?: string } = {}) {
  return new FoundationError('CERTIFICATE_INVALID', `${path} ${what}`, {
    hint: 'Choose another folder with `--out`, or another cluster with `--cluster`.',
    ...options,
  });
}
