import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { FoundationError, messageOf } from '../errors.ts';

const secretBytes = 32;
const secretBytesMin = 16;
/** Permissions of group and others. */
const othersMask = 0o077;

/**
 * The cluster secret in the file at `path`, as base64url; makes one of 32 random bytes, readable by its
 * owner only, when there is none. Programs that start at the same moment agree on one.
 *
 * @throws FoundationError `SECRET_INVALID` when others may read the file, it holds no base64url, or fewer
 * than 16 bytes.
 */
export async function readOrCreateSecret(path: string): Promise<Uint8Array> {
  try {
    return (await readSecret(path)) ?? (await createSecret(path)) ?? (await readAgain(path));
  } catch (cause) {
    if (cause instanceof FoundationError) throw cause;
    throw invalid(path, `cannot be read or written: ${messageOf(cause)}`, { cause });
  }
}

/**
 * The secret in a file; undefined when there is no such file.
 *
 * @throws FoundationError `SECRET_INVALID`
 */
export async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r').catch(unless('ENOENT'));
  if (file === undefined) return undefined;
  await using _ = file;
  const { mode } = await file.stat();
  if (process.platform !== 'win32' && (mode & othersMask) !== 0) {
    const hint = `Run: chmod 600 ${path}`;
    throw invalid(path, `is open to others (mode ${(mode & 0o777).toString(8)})`, { hint });
  }
  return parseSecret(path, await file.readFile('utf8'));
}

/**
 * The secret that a text says.
 *
 * @param path - where the text comes from, for the error
 * @throws FoundationError `SECRET_INVALID`
 */
export function parseSecret(path: string, content: string): Uint8Array {
  const text = content.trim();
  const hint = `Put at least ${secretBytesMin} random bytes there, as base64url, or remove the file on all nodes.`;
  if (!/^[\w-]*$/.test(text)) throw invalid(path, 'is not base64url', { hint });
  const secret = new Uint8Array(Buffer.from(text, 'base64url'));
  if (secret.length >= secretBytesMin) return secret;
  throw invalid(path, `holds ${secret.length} bytes, where ${secretBytesMin} are needed`, { hint });
}

/** Undefined when another program was first. A link, unlike a rename, never replaces what is there. */
async function createSecret(path: string): Promise<Uint8Array | undefined> {
  const secret = randomBytes(secretBytes);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(`${secret.toString('base64url')}\n`);
    await file.sync();
    const taken = await link(draft, path).then(
      () => false,
      (error: unknown) => unless('EEXIST')(error) ?? true,
    );
    return taken ? undefined : new Uint8Array(secret);
  } finally {
    await unlink(draft);
  }
}

async function readAgain(path: string): Promise<Uint8Array> {
  const secret = await readSecret(path);
  if (secret !== undefined) return secret;
  throw invalid(path, 'vanished while it was read', {});
}

/** Turns an error with `code` into undefined, and rethrows any other. */
function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  };
}

function invalid(
  path: string,
  what: string,
  options: { readonly hint?: string; readonly cause?: unknown },
): FoundationError {
  return new FoundationError('SECRET_INVALID', `the secret in ${path} ${what}`, {
    ...options,
    details: { path },
  });
}
