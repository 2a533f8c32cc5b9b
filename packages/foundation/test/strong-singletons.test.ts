import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { startNode } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { present } from './alone.ts';
import type { ClusterNode } from './cluster-node.ts';
import { counter } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);
const newCluster = (): TestCluster<ClusterNode> => new TestCluster<ClusterNode>(program);
const strong = { name: 'ledger', strategy: 'singleton', consistency: 'strong' } as const;
/** A loaded machine is slow to start nodes. */
const patience = { timeoutMs: 30_000 };

async function countersOn(nodes: readonly TestProcess<ClusterNode>[]): Promise<number> {
  const running = await Promise.all(nodes.map((node) => node.ask('processes')));
  return running.flat().filter((process) => process === 'counter').length;
}

describe('a strong singleton', () => {
  it('is one, and goes on elsewhere with its state when its node is killed, and when one stops', async () => {
    await using cluster = newCluster();
    await using here = await startNode({ ...cluster.options('here'), processes: [counter] });
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const count = async (): Promise<number> => {
      const mine = (await here.processes.list()).filter(({ process }) => process === 'counter');
      return mine.length + (await countersOn([a, b].filter(({ isRunning }) => isRunning)));
    };
    const ledger = await here.processes.start(counter, { ...strong, preferNode: 'a' });
    await b.ask('start', 'counter', strong);
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect([await ledger.host(), await count()]).toEqual(['a', 1]);
    expect(await ledger.add(5)).toBe(5);
    const tokens = [present(here.registry.holder('ledger')?.fencingToken)];
    for (const end of [() => a.kill(), () => b.stop()]) {
      const before = await ledger.host();
      await end();
      const moved = async (): Promise<boolean> => (await ledger.host()) !== before;
      if (before !== 'here') await cluster.eventually('it goes on', moved, patience);
      expect(await ledger.add(1)).toBe(5 + tokens.length);
      expect(await count()).toBe(1);
      tokens.push(present(here.registry.holder('ledger')?.fencingToken));
    }
    expect(tokens).toEqual(tokens.toSorted((x, y) => x - y));
  });

  it('of a node that stood still moves, and is one when that wakes up', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const ledger = await here.processes.start(counter, { ...strong, preferNode: 'a' });
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(5)).toBe(5);
    a.freeze();
    // By its lease, long before anybody takes its node for dead.
    await cluster.eventually('b runs it', () => countersOn([b]), patience);
    a.thaw();
    await cluster.eventually('one is left', async () => (await countersOn([a, b])) === 1, patience);
    await cluster.formed(3, here);
    expect(await ledger.host()).toBe('b');
    expect(await ledger.add(1)).toBe(6);
    const events = await b.ask('events');
    expect(events).toContain('failover ledger from a');
  });

  it('runs nowhere while the store cannot be reached, and again when it can', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const ledger = await here.processes.start(counter, strong);
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(5)).toBe(5);
    const [file = ''] = globSync(join(cluster.directory, '**', 'cluster.db'));
    const lock = new DatabaseSync(file);
    lock.exec('BEGIN IMMEDIATE');
    await cluster.eventually('none runs', async () => (await countersOn([a, b])) === 0, patience);
    const refused = a.ask('start', 'counter', strong);
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    lock.exec('ROLLBACK');
    lock.close();
    await cluster.eventually('one runs', async () => (await countersOn([a, b])) === 1, patience);
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(1)).toBe(6);
  });
});
