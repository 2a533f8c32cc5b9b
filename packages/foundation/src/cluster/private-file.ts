import { open } from 'node:fs/promises';

import type { ErrorOptions, FoundationError } from '../errors.ts';

/** Who beside its owner may read a file: a group may where a secret is mounted for a service. */
export type Privacy = 'owner' | 'group';

/** Permissions that nobody may have: writing by others is as bad as reading. */
const forbidden: Readonly<Record<Privacy, number>> = { owner: 0o077, group: 0o037 };

/** Makes the error that says what is wrong with the file. */
export type Complaint = (what: string, options?: ErrorOptions) => FoundationError;

/** The text of a file that nobody else may read, or undefined when there is none. */
export async function readPrivate(
  path: string,
  privacy: Privacy,
  complain: Complaint,
): Promise<string | undefined> {
  const file = await open(path, 'r').catch(unless('ENOENT'));
  if (file === undefined) return undefined;
  await using _ = file;
  const { mode } = await file.stat();
  if (process.platform !== 'win32' && (mode & forbidden[privacy]) !== 0) {
    const hint = `Run: chmod 600 ${path}`;
    throw complain(`is open to others (mode ${(mode & 0o777).toString(8)})`, { hint });
  }
  return await file.readFile('utf8');
}

/** Turns an error with `code` into undefined, and rethrows any other. */
export function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  };
}
