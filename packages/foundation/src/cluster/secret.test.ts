import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { newSecret, parseSecrets, readOrCreateSecrets, readSecrets, shownPath } from './secret.ts';

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foundation-secret-'));
  try {
    await test(join(folder, 'cluster', 'secret'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('readOrCreateSecrets', () => {
  it('makes a secret that only its owner can read, and gives it back ever after', () =>
    inFolder(async (path) => {
      const secrets = await readOrCreateSecrets(path);
      const [secret = new Uint8Array()] = secrets;
      expect(secrets).toHaveLength(1);
      expect(secret).toHaveLength(32);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readFile(path, 'utf8')).toBe(`${Buffer.from(secret).toString('base64url')}\n`);
      expect(await readOrCreateSecrets(path)).toStrictEqual(secrets);
    }));

  it('gives the same secret to all who ask at the same moment, and leaves nothing else behind', () =>
    inFolder(async (path) => {
      const secrets = await Promise.all(
        Array.from({ length: 20 }, () => readOrCreateSecrets(path)),
      );
      for (const secret of secrets) expect(secret).toStrictEqual(secrets[0]);
      expect(await readdir(dirname(path))).toStrictEqual(['secret']);
    }));

  it('refuses a file that others may read', () =>
    inFolder(async (path) => {
      await readOrCreateSecrets(path);
      await chmod(path, 0o640);
      await expect(readOrCreateSecrets(path)).rejects.toMatchObject({
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
      await readOrCreateSecrets(path);
      await writeFile(path, content);
      await expect(readOrCreateSecrets(path)).rejects.toMatchObject({
        code: 'SECRET_INVALID',
        message: expect.stringContaining(message),
      });
    }),
  );

  it('says so when the place cannot be used', () =>
    inFolder(async (path) => {
      await writeFile(dirname(path), 'a file where a folder should be');
      await expect(readOrCreateSecrets(path)).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    }));
});

describe('a secret that is given', () => {
  it('may be several: the first is used, all are accepted', () =>
    inFolder(async (path) => {
      const [a, b] = [newSecret(), newSecret()];
      await readOrCreateSecrets(path);
      await writeFile(path, `${a}\n${b}\n`);
      const secrets = [a, b].map((each) => new Uint8Array(Buffer.from(each, 'base64url')));
      expect(await readSecrets(path, 'owner')).toStrictEqual(secrets);
      expect(parseSecrets(`${a}, ${b}`, 'FOUNDATION_SECRET')).toStrictEqual(secrets);
    }));

  it('may be read by its group, as where it is mounted, but by nobody else', () =>
    inFolder(async (path) => {
      await readOrCreateSecrets(path);
      await chmod(path, 0o440);
      expect(await readSecrets(path, 'group')).toHaveLength(1);
      await expect(readSecrets(path, 'owner')).rejects.toMatchObject({ code: 'SECRET_INVALID' });
      for (const mode of [0o444, 0o660, 0o604]) {
        await chmod(path, mode);
        await expect(readSecrets(path, 'group')).rejects.toMatchObject({ code: 'SECRET_INVALID' });
      }
    }));

  it('is not made when it is not there', () =>
    inFolder(async (path) => {
      expect(await readSecrets(path, 'group')).toBeUndefined();
      await expect(readdir(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' });
    }));

  it('is in no error', () => {
    const text = `${newSecret()} ${newSecret()}`;
    for (const bad of [text, text.slice(0, 10), Array(9).fill(newSecret()).join('\n')]) {
      const error = thrownBy(() => parseSecrets(bad, 'FOUNDATION_SECRET'));
      expect(error).toMatchObject({ code: 'SECRET_INVALID' });
      expect(inspect(error, { depth: 9 })).not.toContain(bad.slice(0, 8));
    }
  });

  it('is not shown when it is given in place of a path', () => {
    const text = newSecret();
    expect(shownPath(text)).not.toContain(text.slice(0, 8));
    expect(shownPath('/run/secrets/foundation')).toBe('/run/secrets/foundation');
    expect(shownPath('secret')).toBe('secret');
  });
});
