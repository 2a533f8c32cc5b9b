import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { issueCertificate, newAuthority } from '../../packages/cli/src/certificate.ts';
import { loadCertificates } from '../../packages/foundation/src/cluster/transports/own-certificates.ts';
import {
  newSecret,
  readOrCreateSecrets,
  readSecrets,
} from '../../packages/foundation/src/internal.ts';
import type { Area, Attempt, Threat } from './attempt.ts';

const threat: Threat = 'T2 guessed or stolen secret';

/** Files that others can read or change, or that hold something else. */
export async function files(): Promise<Area> {
  const folder = mkdtempSync(join(tmpdir(), 'foundation-files-'));
  return {
    attempts: [...secrets(folder), ...keys(folder)],
    damage: async () => undefined,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
}

function secrets(folder: string): readonly Attempt[] {
  const expected = 'SECRET_INVALID';
  let count = 0;
  const file = (text: string, mode: number): string => {
    const path = join(folder, `secret-${count++}`);
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, mode);
    return path;
  };
  const own = [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o660, 0o777];
  const given = [0o604, 0o620, 0o602, 0o644, 0o666, 0o660, 0o444];
  const contents: Readonly<Record<string, string>> = {
    nothing: '',
    'a password': 'correct horse battery staple',
    '15 bytes': Buffer.alloc(15, 1).toString('base64url'),
    'a line of binary': '\u0000\u0001\u0002',
    'a private key': newAuthority('test', { days: 1 }).key,
    'a good secret and a bad one': `${newSecret()}\nhunter2`,
  };
  return [
    ...own.map((mode) => ({
      name: `the own secret with mode ${mode.toString(8)}`,
      threat,
      expected,
      run: () => readOrCreateSecrets(file(newSecret(), mode)),
    })),
    ...given.map((mode) => ({
      name: `a given secret with mode ${mode.toString(8)}`,
      threat,
      expected,
      run: () => readSecrets(file(newSecret(), mode), 'group'),
    })),
    ...Object.entries(contents).map(([name, text]) => ({
      name: `a file of the secret with ${name}`,
      threat,
      expected,
      run: () => readOrCreateSecrets(file(text, 0o600)),
    })),
    {
      name: 'a link to a secret that others may read',
      threat,
      expected,
      run: () => {
        const path = join(folder, 'link');
        symlinkSync(file(newSecret(), 0o644), path);
        return readOrCreateSecrets(path);
      },
    },
    {
      name: 'a folder in place of the secret',
      threat,
      expected,
      run: () => readOrCreateSecrets(folder),
    },
  ];
}

function keys(folder: string): readonly Attempt[] {
  const expected = 'CERTIFICATE_INVALID';
  const authority = newAuthority('test', { days: 1 });
  const pair = issueCertificate(authority, 'spiffe://test/n1', { days: 1 });
  return [0o604, 0o620, 0o644, 0o666, 0o660].map((mode) => ({
    name: `a private key with mode ${mode.toString(8)}`,
    threat,
    expected,
    run: () => {
      const path = join(folder, `key-${mode}`);
      writeFileSync(path, pair.key, { mode: 0o600 });
      chmodSync(path, mode);
      const self = { cluster: 'test', node: 'n1' };
      return loadCertificates({ ca: authority.cert, cert: pair.cert, key: path }, self, Date.now());
    },
  }));
}
