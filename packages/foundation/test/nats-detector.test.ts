import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { TestCluster, type TestProcess } from '@foundation/testing';
import { startNats, type NatsServers } from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DetectorNode } from './detector-node.ts';

type Node = TestProcess<DetectorNode>;

const profile = 'lan';
let servers: NatsServers;
// One cluster for all tests of this file, in this order: the last one ends a node.
let cluster: TestCluster<DetectorNode>;
let a: Node;
let b: Node;
let c: Node;

beforeAll(async () => {
  servers = await startNats({ jetstream: false });
  cluster = new TestCluster(new URL('detector-node.ts', import.meta.url));
  const options = { detector: profile, servers: servers.urls.join(',') };
  [a, b, c] = await cluster.startAll(['a', 'b', 'c'], options);
  await allUp();
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

async function allUp(): Promise<void> {
  await cluster.eventually('all are up', async () => {
    const views = await Promise.all([a, b, c].map((node) => node.ask('members')));
    return views.every((view) => view.length === 3 && view.every(({ status }) => status === 'up'));
  });
}

const downs = async (...nodes: readonly Node[]): Promise<readonly string[]> => {
  const events = await Promise.all(nodes.map((node) => node.ask('events')));
  return events.flat().filter((event) => event.startsWith('down'));
};

describe('the nodes of a cluster on NATS', () => {
  it('do not take for dead one whose event loop stands still', async () => {
    await cluster.eventually('each probes the others', async () => {
      const probed = await Promise.all([a, b, c].map((node) => node.ask('probed')));
      return probed.every(({ length }) => length === 2);
    });
    const goOn = join(cluster.directory, 'go-on');
    await c.ask('stallUntil', goOn);
    const isStalledSeenBy = async (node: Node): Promise<boolean> =>
      (await node.ask('members')).find((member) => member.node === 'c')?.isStalled === true;
    await Promise.all(
      [a, b].map((node) =>
        cluster.eventually('it is seen', () => isStalledSeenBy(node), { timeoutMs: 25_000 }),
      ),
    );
    await writeFile(goOn, '');
    await cluster.eventually('it is over', async () => {
      const seen = await Promise.all([a, b].map(isStalledSeenBy));
      return !seen.some(Boolean);
    });
    await allUp();
    expect(await downs(a, b, c)).toEqual([]);
  });

  it('do not take for dead one that is frozen for 3 s', async () => {
    c.freeze();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    c.thaw();
    await allUp();
    expect(await downs(a, b, c)).toEqual([]);
  });

  it('know soon that one was killed: nobody listens where it was', async () => {
    await c.kill();
    const killedAt = performance.now();
    await cluster.eventually('both know', async () => (await downs(a, b)).length === 2);
    const tookMs = performance.now() - killedAt;
    // Long before the end of a suspicion, were there nothing but silence.
    expect(tookMs).toBeLessThan(8_000);
    expect(await downs(a, b)).toEqual(['down c crashed', 'down c crashed']);
  });
});
