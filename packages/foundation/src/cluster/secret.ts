import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { FoundationError, messageOf, type ErrorOptions } from '../errors.ts';
import { readPrivate, unless, type Privacy } from './private-file.ts';

const secretBytes = 32;
const secretBytesMin = 16;
/** More are not needed to change one while a cluster runs. */
const secretsMax = 8;

/** A new secret, as text for a file or a variable. */
export function newSecret(): string {
  return randomBytes(secretBytes).toString('base64url');
}

/**
 * The cluster secret in the file at `path`, as base64url; makes one of 32 random bytes, readable by its
 * owner only, when there is none. Programs that start at the same moment agree on one.
 *
 * @throws FoundationError `SECRET_INVALID` when others may read the file, it holds no base64url, or fewer
 * than 16 bytes.
 */
export async function readOrCreateSecrets(path: string): Promise<readonly Uint8Array[]> {
  return orSayWhere(path, async () => {
    const read = () => readFile(path, 'owner');
    const secrets = (await read()) ?? (await createSecret(path)) ?? (await read());
    if (secrets === undefined) throw invalid(where(path), 'vanished while it was read');
    return secrets;
  });
}

/**
 * The secrets in a file, one a line: the first is used, all are accepted; undefined when there is no such
 * file.
 *
 * @throws FoundationError `SECRET_INVALID`
 */
export async function readSecrets(
  path: string,
  privacy: Privacy,
): Promise<readonly Uint8Array[] | undefined> {
  return orSayWhere(path, () => readFile(path, privacy));
}

/** A path for errors: what could be a secret, given in its place by mistake, is not repeated. */
export function shownPath(path: string): string {
  return /^[\w-]{22,}$/.test(path) ? 'a file that is none' : path;
}

/**
 * The secrets in a text, one a line or with commas between them.
 *
 * @param source - What the text is from, for errors; the text itself is in none.
 * @throws FoundationError `SECRET_INVALID`
 */
export function parseSecrets(text: string, source: string): readonly Uint8Array[] {
  const lines = text.split(/[\n,]/).flatMap((line) => line.trim() || []);
  if (lines.length > secretsMax) {
    throw invalid(source, `holds ${lines.length} secrets, where ${secretsMax} are allowed`);
  }
  return (lines.length === 0 ? [''] : lines).map((line) => parseSecret(line, source));
}

function parseSecret(text: string, source: string): Uint8Array {
  if (!/^[\w-]*$/.test(text)) throw invalid(source, 'is not base64url', { hint: howToMake });
  const secret = new Uint8Array(Buffer.from(text, 'base64url'));
  if (secret.length >= secretBytesMin) return secret;
  const what = `holds ${secret.length} bytes, where ${secretBytesMin} are needed`;
  throw invalid(source, what, { hint: howToMake });
}

const howToMake = 'Make one, the same for all nodes: `fnd secret new`.';

async function readFile(
  path: string,
  privacy: Privacy,
): Promise<readonly Uint8Array[] | undefined> {
  const complain = (what: string, options?: ErrorOptions) => invalid(where(path), what, options);
  const text = await readPrivate(path, privacy, complain);
  return text === undefined ? undefined : parseSecrets(text, where(path));
}

/** Undefined when another program was first. */
async function createSecret(path: string): Promise<readonly Uint8Array[] | undefined> {
  const text = newSecret();
  const isMade = await createPrivate(path, `${text}\n`);
  return isMade ? parseSecrets(text, where(path)) : undefined;
}

/**
 * Makes a file that only its owner can read, whole or not at all, and never in place of another.
 *
 * @returns false when there is one already.
 */
export async function createPrivate(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    // A link, unlike a rename, never replaces what is there.
    return await link(draft, path).then(
      () => true,
      (error: unknown) => unless('EEXIST')(error) ?? false,
    );
  } finally {
    await unlink(draft);
  }
}

const where = (path: string): string => `the secret in ${shownPath(path)}`;

async function orSayWhere<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof FoundationError) throw cause;
    throw invalid(where(path), `cannot be read or written: ${messageOf(cause)}`, { cause });
  }
}

function invalid(source: string, what: string, options: ErrorOptions = {}): FoundationError {
  return new FoundationError('SECRET_INVALID', `${source} ${what}`, {
    details: { source },
    ...options,
  });
}
