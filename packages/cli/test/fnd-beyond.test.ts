import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodeOptions } from '@foundation/core';
import { newSecret } from '@foundation/core/internal';
import { spawnNode, type TestProcess } from '@foundation/testing';
import { freePorts } from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fnd, fndIn } from './fnd.ts';
import type { MemberNode } from './member-node.ts';

const secret = newSecret();
const directories: string[] = [];
let members: readonly TestProcess<MemberNode>[];
let addresses: readonly string[];

/** A directory as of a machine of its own, with a file of settings. */
function machine(settings: NodeOptions): { readonly directory: string; readonly file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'fnd-machine-'));
  directories.push(directory);
  const file = join(directory, 'foundation.config.mjs');
  writeFileSync(file, `export default ${JSON.stringify(settings)};`);
  return { directory, file };
}

/** What a node on a machine has in its file, or who looks on from a third one. */
function settingsOf(name: string, port: number): NodeOptions {
  return {
    name,
    clusterName: 'shop',
    cluster: { kind: 'static', addresses },
    listen: { host: '127.0.0.1', port, advertise: `127.0.0.1:${port}` },
    secret,
    profile: 'production',
  };
}

beforeAll(async () => {
  const ports = await freePorts(2);
  addresses = ports.map((port) => `127.0.0.1:${port}`);
  members = await Promise.all(
    ports.map((port, at) => {
      const { directory } = machine({});
      const options = JSON.stringify({ ...settingsOf('ab'[at] ?? '', port), directory });
      const file = new URL('member-node.ts', import.meta.url);
      return spawnNode<MemberNode>(file, { args: [options] });
    }),
  );
});
afterAll(async () => {
  await Promise.all(members.map((each) => each[Symbol.asyncDispose]()));
  for (const directory of directories) rmSync(directory, { recursive: true });
});

describe('fnd, where nodes are on other machines', () => {
  it('finds them by the file of settings of the application, beside a node that has the same', async () => {
    const [port = ''] = (addresses[0] ?? '').split(':').slice(1);
    // Whether the store can be reached is no matter of who looks on.
    const store = { kind: 'etcd', endpoints: ['http://127.0.0.1:1'] } as const;
    const { directory, file } = machine({ ...settingsOf('a', Number(port)), store });
    const words = ['--file', file, '--directory', directory, '--json'];
    const nodes = await fnd('nodes', ...words);
    expect(nodes).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(nodes.stdout)).toMatchObject({
      cluster: 'shop',
      nodes: [
        { node: 'a', address: addresses[0] },
        { node: 'b', address: addresses[1] },
      ],
      health: { seenBy: 'a' },
    });
    const processes = await fnd('processes', ...words);
    expect(processes.stdout).toContain('greeter of b');
    // It was no second `a`, which would have driven out the first.
    expect(members.map((each) => each.isRunning)).toEqual([true, true]);
    expect(await members[0]?.ask('view')).toHaveLength(2);
  });

  it('finds them by the environment', async () => {
    const { directory } = machine({});
    const outcome = await fndIn(
      {
        FOUNDATION_CLUSTER: 'static',
        FOUNDATION_CLUSTER_ADDRESSES: addresses.join(','),
        FOUNDATION_CLUSTER_NAME: 'shop',
        FOUNDATION_SECRET: secret,
        FOUNDATION_HOME: directory,
      },
      'nodes',
    );
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^a +member +up/m);
    expect(outcome.stdout).toMatch(/^b +member +up/m);
  });

  it('says where it looked, and that it was refused, when it has another secret', async () => {
    const { file } = machine({ ...settingsOf('c', 0), secret: newSecret() });
    const outcome = await fnd('nodes', '--file', file, '--wait', '1500');
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain('no cluster "shop" is running');
    expect(outcome.stderr).toContain(`Looked at ${addresses.join(', ')}`);
    expect(outcome.stderr).toMatch(/Refused were: \d+ × AUTHENTICATION_FAILED/);
  });

  it('does not look on with the certificate of a node', async () => {
    const paths = { ca: '/ca.pem', cert: '/a.pem', key: '/a.key' };
    const { file } = machine({ ...settingsOf('a', 0), certificates: paths });
    const outcome = await fnd('nodes', '--file', file);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain('the certificate of a is that of a node');
    expect(outcome.stderr).toContain('fnd cert new');
  });

  it('has nothing to look into when nodes are alone', async () => {
    const { file } = machine({ cluster: 'off' });
    expect((await fnd('nodes', '--file', file)).stderr).toContain("Its `cluster` is 'off'");
  });
});
