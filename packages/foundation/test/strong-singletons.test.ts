import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { startNode, type Node, type Ref } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { present } from './alone.ts';
import type { ClusterNode } from './cluster-node.ts';
import { counter } from './cluster-processes.ts';

const cluster = new TestCluster<ClusterNode>(new URL('cluster-node.ts', import.meta.url));
/** A loaded machine is slow, and so are leases of 3 s. */
const patience = { timeoutMs: 30_000 };

/** Nodes `a` and `b`, and one in this program. The last test ends some. */
let here: Node;
let a: TestProcess<ClusterNode>;
let b: TestProcess<ClusterNode>;

beforeAll(async () => {
  here = await startNode({ ...cluster.options('here'), processes: [counter] });
  [a, b] = await cluster.startAll(['a', 'b']);
  await cluster.formed(3, here);
});

afterAll(async () => {
  await here.stop();
  await cluster[Symbol.asyncDispose]();
});

const strong = { name: 'ledger', strategy: 'singleton', consistency: 'strong' } as const;

/** A counter that all three nodes can run, on node `a`, with 5 on it unless it went on. */
async function startedOnA(): Promise<Ref<typeof counter>> {
  const ledger = await here.processes.start(counter, { ...strong, preferNode: 'a' });
  await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
  expect(await ledger.host()).toBe('a');
  return ledger;
}

/** How many run, by what each node says of itself. */
async function running(): Promise<number> {
  const asked = [a, b].filter(({ isRunning }) => isRunning).map((node) => node.ask('processes'));
  const mine = (await here.processes.list()).map(({ process }) => process);
  const all = [...(await Promise.all(asked)).flat(), ...mine];
  return all.filter((process) => process === 'counter').length;
}

function onAnother(node: string): Promise<unknown> {
  const holder = (): string => here.registry.lookup('ledger')?.node ?? node;
  return cluster.eventually(`not on ${node}`, () => holder() !== node, patience);
}

describe('a strong singleton', () => {
  it('of a node that stood still moves, and is one when that wakes up', async () => {
    const ledger = await startedOnA();
    expect(await ledger.add(5)).toBe(5);
    a.freeze();
    // By its lease, before anybody takes its node for dead.
    await onAnother('a');
    a.thaw();
    await cluster.eventually('one is left', async () => (await running()) === 1, patience);
    await cluster.formed(3, here);
    expect(await ledger.host()).not.toBe('a');
    expect(await ledger.add(1)).toBe(6);
    await here.processes.stop(ledger);
  });

  it('runs nowhere while the store cannot be reached, and again when it can', async () => {
    const ledger = await startedOnA();
    const [file = ''] = globSync(join(cluster.directory, '**', 'cluster.db'));
    const lock = new DatabaseSync(file);
    lock.exec('BEGIN IMMEDIATE');
    await cluster.eventually('none runs', async () => (await running()) === 0, patience);
    const refused = a.ask('start', 'counter', strong);
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    lock.exec('ROLLBACK');
    lock.close();
    await cluster.eventually('one runs', async () => (await running()) === 1, patience);
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(1)).toBe(7);
    await here.processes.stop(ledger);
  });

  it('goes on elsewhere with its state when its node is killed, and when one stops', async () => {
    const ledger = await startedOnA();
    const tokens = [present(here.registry.holder('ledger')?.fencingToken)];
    for (const end of [() => a.kill(), () => b.stop()]) {
      const before = await ledger.host();
      await end();
      if (before !== 'here') await onAnother(before);
      expect(await ledger.add(1)).toBe(7 + tokens.length);
      expect(await running()).toBe(1);
      tokens.push(present(here.registry.holder('ledger')?.fencingToken));
    }
    expect(tokens).toEqual(tokens.toSorted((x, y) => x - y));
    expect(new Set(tokens).size).toBeGreaterThan(1);
  });
});
