import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { runCommandLine } from '../src/command-line.ts';
import * as program from './fnd.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'foundation-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Carries out a command line within this program: it is much faster than a program of its own. */
async function fnd(...words: readonly string[]): Promise<program.Outcome> {
  const said = { stdout: '', stderr: '' };
  const hear = (name: keyof typeof said, end: string) => (text: unknown) => {
    said[name] += `${String(text)}${end}`;
    return true;
  };
  vi.spyOn(console, 'log').mockImplementation(hear('stdout', '\n'));
  vi.spyOn(console, 'error').mockImplementation(hear('stderr', '\n'));
  vi.spyOn(process.stderr, 'write').mockImplementation(hear('stderr', ''));
  try {
    return { code: await runCommandLine(words), ...said };
  } finally {
    vi.restoreAllMocks();
  }
}

const modeOf = (...path: readonly string[]): string =>
  (statSync(join(folder, ...path)).mode & 0o777).toString(8);
const read = (...path: readonly string[]): string => readFileSync(join(folder, ...path), 'utf8');

describe('fnd secret new', () => {
  it('prints 32 random bytes, others each time', async () => {
    const [one, two] = [await program.fnd('secret', 'new'), await fnd('secret', 'new')];
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).toMatch(/^[\w-]{43}\n$/);
    expect(two.stdout).not.toBe(one.stdout);
  });

  it('writes a file that only its owner can read, and never over another', async () => {
    const out = join(folder, 'secret');
    expect(await fnd('secret', 'new', '--out', out)).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('Give the same one to all nodes'),
    });
    const secret = read('secret');
    expect(secret).toMatch(/^[\w-]{43}\n$/);
    expect(modeOf('secret')).toBe('600');
    const again = await fnd('secret', 'new', '--out', out);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('is there already');
    expect(read('secret')).toBe(secret);
    expect(readdirSync(folder)).toEqual(['secret']);
  });
});

describe('fnd cert new', () => {
  const certNew = (...words: readonly string[]) =>
    fnd('cert', 'new', ...words, '--cluster', 'shop', '--out', folder);

  const daysLeft = (node: string): number => {
    const { validToDate } = new X509Certificate(read(node, 'cert.pem'));
    return Math.round((validToDate.getTime() - Date.now()) / 86_400_000);
  };

  it('makes a folder with all that a node needs, and one authority for all', async () => {
    const { code, stdout, stderr } = await certNew('n1', 'n2');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).toContain(`Keep ${join(folder, 'ca.key')} away`);
    const authority = new X509Certificate(read('ca.pem'));
    expect(authority.ca).toBe(true);
    expect(modeOf('ca.key')).toBe('600');
    for (const node of ['n1', 'n2']) {
      expect(readdirSync(join(folder, node)).toSorted()).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
      expect(modeOf(node)).toBe('700');
      expect(modeOf(node, 'key.pem')).toBe('600');
      const cert = new X509Certificate(read(node, 'cert.pem'));
      expect(cert.subjectAltName).toBe(`URI:spiffe://shop/${node}`);
      expect(cert.ca).toBe(false);
      expect(cert.verify(authority.publicKey)).toBe(true);
      expect(cert.checkPrivateKey(createPrivateKey(read(node, 'key.pem')))).toBe(true);
      expect(read(node, 'ca.pem')).toBe(read('ca.pem'));
    }
  });

  it('signs later nodes by the same authority, and replaces certificates only when asked to', async () => {
    await certNew('n1');
    const before = read('n1', 'cert.pem');
    const again = await certNew('n2', 'n1');
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('--renew');
    expect(readdirSync(folder).toSorted()).toEqual(['ca.key', 'ca.pem', 'n1']);
    expect(await certNew('n2', 'n1', '--renew', '--days', '30')).toMatchObject({ code: 0 });
    const after = new X509Certificate(read('n1', 'cert.pem'));
    expect(after.toString()).not.toBe(before);
    expect(after.verify(new X509Certificate(read('ca.pem')).publicKey)).toBe(true);
    expect(daysLeft('n1')).toBe(30);
  });

  it('renews for as long as the certificate before was for, unless told otherwise', async () => {
    await certNew('n1', '--days', '30');
    const renewed = await certNew('n1', 'n2', '--renew');
    expect(renewed.stdout).toContain('for 30 days');
    expect([daysLeft('n1'), daysLeft('n2')]).toEqual([30, 365]);
    await certNew('n1', '--renew', '--days', '90');
    expect(daysLeft('n1')).toBe(90);
  });

  it('does not sign for another cluster, nor with what others may read', async () => {
    await certNew('n1');
    const other = await fnd('cert', 'new', 'n2', '--cluster', 'shap', '--out', folder);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('is the authority of shop, not of shap');
    writeFileSync(join(folder, 'ca.key'), read('ca.key'), { mode: 0o644 });
    rmSync(join(folder, 'ca.key'));
    writeFileSync(join(folder, 'ca.key'), 'anything', { mode: 0o644 });
    const open = await certNew('n2');
    expect(open).toMatchObject({ code: 1, stderr: expect.stringContaining('chmod 600') });
  });

  it.each([
    [['../n1'], '"../n1" is not a node name'],
    [['n1', '--cluster', 'A/B'], '"A/B" cannot be the name of a cluster'],
    [['n1', '--days', '0'], 'whole number of days'],
    [[], "missing required argument 'node'"],
  ])('refuses %j', async (words, why) => {
    const { code, stderr } = await fnd('cert', 'new', '--out', join(folder, 'c'), ...words);
    expect([1, 2]).toContain(code);
    expect(stderr).toContain(why);
    expect(readdirSync(folder)).toEqual([]);
  });
});
