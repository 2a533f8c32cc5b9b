import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { readOrCreateSecret } from './secret.ts';

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foundation-secret-'));
  try {
    await test(join(folder, 'cluster', 'secret'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('readOrCreateSecret', () => {
  it('makes a secret that only its owner can read, and gives it back ever after', () =>
    inFolder(async (path) => {
      const secret = await readOrCreateSecret(path);
      expect(secret).toHaveLength(32);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readFile(path, 'utf8')).toBe(`${Buffer.from(secret).toString('base64url')}\n`);
      expect(await readOrCreateSecret(path)).toStrictEqual(secret);
    }));

  it('gives the same secret to all who ask at the same moment, and leaves nothing else behind', () =>
    inFolder(async (path) => {
      const secrets = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecret(path)));
      for (const secret of secrets) expect(secret).toStrictEqual(secrets[0]);
      expect(await readdir(dirname(path))).toStrictEqual(['secret']);
    }));

  it('refuses a file that others may read', () =>
    inFolder(async (path) => {
      await readOrCreateSecret(path);
      await chmod(path, 0o640);
      await expect(readOrCreateSecret(path)).rejects.toMatchObject({
        code: 'SECRET_INVALID',
        message: expect.stringContaining('640'),
        hint: `Run: chmod 600 ${path}`,
      });
    }));

  it.each([
    ['too short a secret', Buffer.alloc(15, 1).toString('base64url'), '15 bytes'],
    ['an empty file', '', '0 bytes'],
    ['what is not base64url', 'hunter2 is my password!', 'not base64url'],
  ])('refuses %s', (_, content, message) =>
    inFolder(async (path) => {
      await readOrCreateSecret(path);
      await writeFile(path, content);
      await expect(readOrCreateSecret(path)).rejects.toMatchObject({
        code: 'SECRET_INVALID',
        message: expect.stringContaining(message),
      });
    }),
  );

  it('says so when the place cannot be used', () =>
    inFolder(async (path) => {
      await writeFile(dirname(path), 'a file where a folder should be');
      await expect(readOrCreateSecret(path)).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    }));
});
