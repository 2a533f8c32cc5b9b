import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { FoundationError, isFoundationError, messageOf, type ErrorOptions } from '../../errors.ts';
import { nodeUri, type NodeName } from '../names.ts';
import { readPrivate } from '../private-file.ts';

/** What a node proves itself with: each is PEM, or the path of a file that holds it. */
export interface MeshCertificates {
  /** The authorities that sign the nodes of this cluster, and nothing else. */
  readonly ca: string;
  /**
   * This node's certificate, and those between it and the authority. Its URI name is
   * `spiffe://CLUSTER/NODE`, and it must allow both ends of TLS (`serverAuth`, `clientAuth`).
   */
  readonly cert: string;
  /** Its private key. The file may be read by its owner and its group only. */
  readonly key: string;
}

/**
 * The PEM of a node's certificates, from their files if they are in files.
 *
 * @throws FoundationError `CERTIFICATE_INVALID`
 */
export async function loadCertificates(
  certificates: MeshCertificates,
  self: NodeName,
  wallNowMs: number,
): Promise<MeshCertificates> {
  const [ca, cert, key] = await Promise.all([
    read('ca', certificates.ca),
    read('cert', certificates.cert),
    readKey(certificates.key),
  ]);
  const authorities = parse('ca', ca);
  const chain = parse('cert', cert);
  const [own, last] = [chain[0], chain.at(-1)];
  if (own === undefined || last === undefined) throw invalid('cert', 'holds no certificate');
  if (!own.checkPrivateKey(parseKey(key))) throw invalid('key', 'belongs to another certificate');
  const uris = urisOf(own.subjectAltName);
  if (uris.length !== 1 || uris[0] !== nodeUri(self)) {
    const names = uris.length === 0 ? 'nobody' : uris.join(', ');
    throw invalid('cert', `names ${names}, not ${nodeUri(self)}`);
  }
  if (own.validToDate.getTime() <= wallNowMs) {
    const hint = 'Renew it: `fnd cert new NODE --renew`.';
    throw invalid('cert', `has expired: ${own.validTo}`, { hint });
  }
  const isSigned = authorities.some(
    (each) => last.checkIssued(each) && last.verify(each.publicKey),
  );
  if (!isSigned) throw invalid('cert', 'is not signed by an authority in `ca`');
  return { ca, cert, key };
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

async function read(part: keyof MeshCertificates, given: string): Promise<string> {
  checkText(part, given);
  if (isPem(given)) return given;
  try {
    return await readFile(given, 'utf8');
  } catch (cause) {
    throw invalid(part, `${given} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function readKey(given: string): Promise<string> {
  checkText('key', given);
  if (isPem(given)) return given;
  try {
    const complain = (what: string, options?: ErrorOptions) =>
      invalid('key', `${given} ${what}`, options);
    const text = await readPrivate(given, 'group', complain);
    if (text !== undefined) return text;
    // What is no path may be the key itself: it is not repeated.
    throw invalid('key', 'is no PEM, and no file of that name is there');
  } catch (cause) {
    if (isFoundationError(cause)) throw cause;
    throw invalid('key', 'cannot be read: is it a file that this user may read?');
  }
}

function checkText(part: keyof MeshCertificates, given: unknown): void {
  if (typeof given !== 'string' || given === '') throw invalid(part, 'is neither PEM nor a path');
}

function parse(part: keyof MeshCertificates, pem: string): readonly X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.map((each) => new X509Certificate(each));
  } catch (cause) {
    throw invalid(part, `is no certificate: ${messageOf(cause)}`, { cause });
  }
}

function parseKey(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without the cause: it may quote what it could not read.
    throw invalid('key', 'is no private key');
  }
}

function invalid(
  part: keyof MeshCertificates,
  what: string,
  options: ErrorOptions = {},
): FoundationError {
  return new FoundationError('CERTIFICATE_INVALID', `certificates: \`${part}\` ${what}`, {
    hint: 'Make certificates of one authority for all nodes: `fnd cert new NODE…`.',
    details: { part },
    ...options,
  });
}

/**
 * The URI names in a subject's alternative names as Node writes them. Names with a comma or a quotation
 * mark come quoted, and can look like several: then none is believed.
 */
export function urisOf(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(', ')
    .filter((each) => each.startsWith('URI:'))
    .map((each) => each.slice('URI:'.length));
}
