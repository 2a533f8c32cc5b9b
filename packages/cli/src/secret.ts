import { FoundationError } from '@foundation/core';
import { createPrivate, newSecret } from '@foundation/core/internal';

/** A new secret: into a file that only its owner can read, or else on stdout. */
export async function makeSecret(path: string | undefined): Promise<void> {
  const text = newSecret();
  if (path === undefined) return console.log(text);
  await writeNew(path, `${text}\n`);
  console.error(`${path} holds a new secret. Give the same one to all nodes of a cluster.`);
}

/** @throws FoundationError `INVALID_OPTION` when there is such a file already. */
export async function writeNew(path: string, text: string): Promise<void> {
  if (await createPrivate(path, text)) return;
  throw new FoundationError('INVALID_OPTION', `${path} is there already`, {
    hint: 'Nothing has changed. Choose another place, or move that file away.',
    details: { path },
  });
}
