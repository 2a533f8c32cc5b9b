import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { issueCertificate, newAuthority } from '../src/certificate.ts';
import { fndIn } from './fnd.ts';

const secret = Buffer.from('canary that must never be seen!!');
const other = Buffer.from('another one, of another cluster.');
const authority = newAuthority('canary', { days: 1 });
const pair = issueCertificate(authority, 'spiffe://canary/certified', { days: 1 });

/** All forms in which keys could show. */
const traces: readonly string[] = [
  ...[secret, other].flatMap((bytes) => {
    const part = bytes.subarray(4, 14);
    return [
      part.toString('latin1'),
      part.toString('hex'),
      part.toString('hex').match(/../g)?.join(' ') ?? '',
      Array.from(part).join(', '),
      bytes.toString('base64url').slice(8, 24),
      bytes.toString('base64').slice(8, 24),
    ];
  }),
  pair.key.split('\n')[1]?.slice(20, 50) ?? '',
];

function tracesIn(text: string): readonly string[] {
  // Long lists are broken over several lines.
  const flat = text.replaceAll(/\s+/g, ' ');
  return traces.filter((trace) => trace === '' || flat.includes(trace));
}

let folder: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foundation-canary-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Starts a node, whose keys come from the environment. */
function start(name: string, members: number, env: Readonly<Record<string, string>>) {
  const program = fileURLToPath(new URL('canary-node.ts', import.meta.url));
  const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, program, name, String(members)], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      FOUNDATION_HOME: folder,
      FOUNDATION_CLUSTER_NAME: 'canary',
      ...env,
    },
  });
  children.push(child);
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said.text += text));
  }
  return { child, said };
}

describe('a key', () => {
  it('is found by this test when it does show', () => {
    expect(tracesIn(`secret=${secret.toString('base64url')}`)).not.toEqual([]);
    expect(tracesIn(`key: ${JSON.stringify(Array.from(secret), undefined, 1)}`)).not.toEqual([]);
    expect(tracesIn(pair.key)).not.toEqual([]);
  });

  it('of a cluster is in no argument, event, error, answer or file of a node, nor in what fnd says', async () => {
    const file = join(folder, 'given');
    writeFileSync(file, secret.toString('base64url'), { mode: 0o600 });
    const one = start('one', 2, { FOUNDATION_SECRET_FILE: file });
    const two = start('two', 2, { FOUNDATION_SECRET: secret.toString('base64url') });
    await eventually(
      'both are ready',
      () => [one, two].every(({ said }) => said.text.includes('READY')),
      { timeoutMs: 40_000, view: () => [one.said.text, two.said.text] },
    );
    const stranger = start('three', 1, { FOUNDATION_SECRET: other.toString('base64url') });
    await eventually('it is refused', () => one.said.text.includes('AUTHENTICATION_FAILED'), {
      timeoutMs: 40_000,
    });
    process.env['FOUNDATION_SECRET'] = secret.toString('base64url');
    const looks = ['nodes', 'processes', 'config', 'doctor'].map((command) =>
      fndIn({}, command, '--json', '--cluster', 'canary', '--directory', folder),
    );
    const told = await Promise.all(looks);
    delete process.env['FOUNDATION_SECRET'];
    expect(told[0]?.stdout).toContain('"two"');
    const texts = [one, two, stranger].map(({ said }) => said.text);
    const files = readdirSync(join(folder, 'canary')).map((name) =>
      readFileSync(join(folder, 'canary', name), 'latin1'),
    );
    const commands = children.map(({ spawnargs }) => spawnargs.join(' '));
    const everything = [
      ...texts,
      ...files,
      ...commands,
      ...told.map((each) => JSON.stringify(each)),
    ];
    expect(everything.flatMap(tracesIn)).toEqual([]);
  });

  it('of a certificate neither, also when it is given where something else belongs', async () => {
    for (const [name, text] of Object.entries({ ca: authority.cert, cert: pair.cert })) {
      writeFileSync(join(folder, name), text);
    }
    const env = {
      FOUNDATION_CERTIFICATES_CA: join(folder, 'ca'),
      FOUNDATION_CERTIFICATES_CERT: join(folder, 'cert'),
    };
    const good = start('certified', 1, { ...env, FOUNDATION_CERTIFICATES_KEY: pair.key });
    await eventually('it is ready', () => good.said.text.includes('READY'), {
      timeoutMs: 40_000,
      view: () => good.said.text,
    });
    const ended = once(good.child, 'exit');
    good.child.kill();
    await ended;
    const oneLine = pair.key.replaceAll('\n', ' ');
    const body = pair.key.split('\n').slice(1, -2).join('');
    const wrong = [
      start('wrong-1', 1, { ...env, FOUNDATION_CERTIFICATES_KEY: oneLine }),
      start('wrong-2', 1, { ...env, FOUNDATION_CERTIFICATES_KEY: body }),
      start('wrong-3', 1, { FOUNDATION_SECRET_FILE: other.toString('base64url') }),
      start('wrong-4', 1, { FOUNDATION_SECRET: pair.key }),
      start('wrong-5', 1, { FOUNDATION_PROFILE: pair.key }),
    ];
    await Promise.all(wrong.map(({ child }) => once(child, 'exit')));
    for (const { said } of wrong) expect(said.text).toMatch(/_INVALID|_MISSING|INVALID_/);
    expect([good, ...wrong].flatMap(({ said }) => tracesIn(said.text))).toEqual([]);
  });
});
