import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { debianProgram } from './debian.ts';

/** A certificate with its key, as texts and as files. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/** Signs certificates of a test, for servers on loopback and for clients. Its files go with it. */
export interface TestAuthority extends Disposable {
  /** Its own certificate. */
  readonly ca: string;
  readonly caPath: string;
  /** @param commonName - @defaultValue none */
  issue(commonName?: string): TestCertificate;
}

/** Made by OpenSSL's own program. */
export async function testAuthority(): Promise<TestAuthority> {
  const openssl = await debianProgram({
    package: 'openssl',
    path: 'usr/bin/openssl',
    how: 'install',
  });
  const directory = mkdtempSync(join(tmpdir(), 'foundation-certificates-'));
  let count = 0;
  const make = (subject: string, args: readonly string[]): TestCertificate => {
    const name = join(directory, `${count++}`);
    const [certPath, keyPath] = [`${name}.pem`, `${name}.key`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-out', certPath, '-keyout', keyPath];
    const all = ['req', '-x509', '-days', '2', '-subj', subject, ...curve, ...files, ...args];
    const { status, stderr } = spawnSync(openssl, all, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${all.join(' ')} failed: ${stderr}`);
    const [cert, key] = [readFileSync(certPath, 'utf8'), readFileSync(keyPath, 'utf8')];
    return { cert, key, certPath, keyPath };
  };
  const own = make('/CN=test authority', ['-addext', 'keyUsage=critical,keyCertSign']);
  const signing = ['-CA', own.certPath, '-CAkey', own.keyPath];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  return {
    ca: own.cert,
    caPath: own.certPath,
    issue: (commonName) => {
      const subject = commonName === undefined ? '/O=test' : `/CN=${commonName}`;
      return make(subject, [...signing, ...names, '-addext', 'basicConstraints=critical,CA:FALSE']);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
