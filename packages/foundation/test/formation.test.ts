import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startNode, type NodeOptions } from '@foundation/core';
import { MemoryStore } from '@foundation/core/internal';
import { TestCluster } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';

const program = new URL('cluster-node.ts', import.meta.url);
const newCluster = (): TestCluster<ClusterNode> => new TestCluster<ClusterNode>(program);

describe('nodes that are given no addresses', () => {
  it('find each other, agree on who is there, and never see a node of another cluster', async () => {
    await using cluster = newCluster();
    const nodes = await cluster.startAll(['a', 'b', 'c']);
    const elsewhere = { clusterName: 'another' };
    const strangers = await cluster.startAll(['d', 'e'], elsewhere);
    const names = 'abcde';
    const known = [...nodes, ...strangers].map((each, at) => `${names[at]} ${String(each.ready)}`);

    await cluster.eventually('three agree, and so do the two of another cluster', async () => {
      const seen = await Promise.all([...nodes, ...strangers].map((each) => each.ask('members')));
      const isWhole = (members: readonly string[], at: number): boolean =>
        members.join() === (at < 3 ? known.slice(0, 3) : known.slice(3)).join();
      return seen.every(isWhole);
    });
    const met = (await Promise.all(strangers.map((each) => each.ask('events')))).flat();
    expect(met.toSorted()).toEqual(['up d', 'up e']);
  });

  it('are complete within two seconds of the last start', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    await cluster.startAll(['a', 'b']);
    await here.cluster.reached(3, 2_000);
    expect(here.cluster.members().map(({ node }) => node)).toEqual(['a', 'b', 'here']);
  });

  it('do not count an observer, which sees them', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const observer = await cluster.start('observer', { role: 'observer' });
    await cluster.formed(1, here);
    await cluster.eventually('it is seen', () => here.cluster.all().length === 2);
    expect(here.cluster.members().map(({ node }) => node)).toEqual(['here']);
    expect(await observer.ask('members')).toEqual([`here ${here.incarnation}`]);
  });
});

describe('a node name', () => {
  it('is refused while a living node of the cluster has it', async () => {
    await using cluster = newCluster();
    const first = await cluster.start('a');
    const second = startNode(cluster.options('a'));
    await expect(second).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      message: expect.stringContaining(`"a" runs in process ${first.osPid}`),
      hint: expect.any(String),
    });
    expect(await first.ask('members')).toHaveLength(1);
    await first.kill();
    await using third = await startNode(cluster.options('a'));
    expect(third.incarnation).toBeGreaterThan(Number(first.ready));
  });
});

describe('a node that cannot start', () => {
  it('leaves its name and everything else as it was', async () => {
    await using cluster = newCluster();
    const store = new MemoryStore();
    store.start = () => Promise.reject(new Error('no disk'));
    const failing = startNode({ ...cluster.options('a'), ports: { store } });
    await expect(failing).rejects.toThrow('no disk');
    await using node = await startNode(cluster.options('a'));
    expect(node.cluster.members()).toHaveLength(1);
  });
});

describe('the secret of a cluster', () => {
  it('is made for the eyes of its owner only, and shared by all nodes', async () => {
    await using cluster = newCluster();
    await cluster.startAll(['a', 'b']);
    await cluster.formed(2);
    const secret = join(cluster.directory, cluster.name, 'development-secret');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(statSync(join(secret, '..')).mode & 0o777).toBe(0o700);
    expect(Buffer.from(readFileSync(secret, 'utf8'), 'base64url')).toHaveLength(32);
  });

  it('is refused when others may read it', async () => {
    await using cluster = newCluster();
    await startNode(cluster.options('a')).then((node) => node.stop());
    const secret = join(cluster.directory, cluster.name, 'development-secret');
    chmodSync(secret, 0o640);
    await expect(startNode(cluster.options('a'))).rejects.toMatchObject({
      code: 'SECRET_INVALID',
      message: expect.stringContaining('mode 640'),
      hint: `Run: chmod 600 ${secret}`,
    });
    chmodSync(secret, 0o600);
    await startNode(cluster.options('a')).then((node) => node.stop());
  });

  it('keeps out a node that has another one: both sides know, and the others go on', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const [good] = await cluster.startAll(['good']);
    await cluster.formed(2, here);
    const secret = join(cluster.directory, cluster.name, 'development-secret');
    const right = readFileSync(secret);
    writeFileSync(secret, Buffer.alloc(32, 9).toString('base64url'));
    const wrong = await cluster.start('wrong');
    writeFileSync(secret, right);

    const refused = await cluster.eventually('both sides have counted it', async () => {
      const inside = here.counters().refused['AUTHENTICATION_FAILED'];
      const outside = (await wrong.ask('counters')).refused['AUTHENTICATION_FAILED'];
      return inside !== undefined && outside !== undefined && { inside, outside };
    });
    expect(refused.inside).toBeGreaterThan(0);
    expect(await wrong.ask('members')).toHaveLength(1);
    expect(here.cluster.all().map(({ node }) => node)).toEqual(['good', 'here']);
    expect(await good.ask('events')).not.toContainEqual(expect.stringContaining('down'));
  });
});

describe('an option of startNode', () => {
  const bad: readonly (readonly [what: string, options: object, error: object])[] = [
    [
      'that is unknown',
      { clustername: 'x', detectr: {} },
      {
        code: 'INVALID_OPTION',
        message:
          'startNode: unknown option `clustername`, did you mean `clusterName`?; startNode: unknown option `detectr`, did you mean `detector`?',
      },
    ],
    [
      'that is no node name',
      { name: 'a b' },
      { code: 'INVALID_NODE_NAME', message: "'a b' is not a node name" },
    ],
    [
      'that is no role',
      { role: 'boss' },
      { code: 'INVALID_OPTION', message: expect.stringContaining("'boss'") },
    ],
    ['that is no kind of cluster', { cluster: 'moon' }, { code: 'INVALID_OPTION' }],
    ['that is no cluster name', { clusterName: 'A/B' }, { code: 'INVALID_OPTION' }],
    [
      'of the detector that is unknown',
      { detector: { periodEveryMs: 1 } },
      { code: 'INVALID_OPTION' },
    ],
    ['of the detector that is no time', { detector: { periodMs: 0 } }, { code: 'INVALID_OPTION' }],
    ['that is no list of processes', { processes: {} }, { code: 'INVALID_OPTION' }],
    [
      'that holds what is no process',
      { processes: [{ name: 'x' }] },
      { code: 'INVALID_DEFINITION' },
    ],
  ];

  it.each(bad)('%s is refused before anything is opened', async (_what, options, error) => {
    await using cluster = newCluster();
    const directory = join(cluster.directory, 'home');
    const given = { name: 'a', clusterName: cluster.name, directory, ...options } as NodeOptions;
    await expect(startNode(given)).rejects.toMatchObject({ hint: expect.any(String), ...error });
    expect(existsSync(directory)).toBe(false);
  });
});
