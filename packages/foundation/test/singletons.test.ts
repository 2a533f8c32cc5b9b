import { isFoundationError, startNode, type Node } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';
import { counter } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);
const newCluster = (): TestCluster<ClusterNode> => new TestCluster<ClusterNode>(program);
const singleton = { name: 'ledger', strategy: 'singleton' } as const;

/** How many counters run on some nodes. */
async function countersOn(nodes: readonly TestProcess<ClusterNode>[]): Promise<number> {
  const running = await Promise.all(nodes.map((node) => node.ask('processes')));
  return running.flat().filter((process) => process === 'counter').length;
}

/** Adds one again and again, from several callers at once, and keeps account of what became of it. */
class Load {
  acknowledged = 0;
  unknown = 0;
  readonly #node: Node;
  readonly #callers: Promise<void>[];
  #isOver = false;

  constructor(node: Node) {
    this.#node = node;
    this.#callers = Array.from({ length: 8 }, () => this.#run());
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #run(): Promise<void> {
    const ledger = this.#node.ref(counter, 'ledger');
    while (!this.#isOver) {
      try {
        await ledger.add(1);
        this.acknowledged++;
      } catch (error) {
        const { outcome } = error as { outcome?: string };
        if (outcome !== 'not-executed') this.unknown++;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }
}

/**
 * Calls until it is executed: for a moment after a split there may be two, of which one is told that its state belongs to
 * the other.
 */
async function executed<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isFoundationError(error) || error.code !== 'STORE_CONFLICT') throw error;
    }
  }
}

describe('a singleton', () => {
  it('is found by a node that starts it as its very first act, without waiting for anybody', async () => {
    await using cluster = newCluster();
    const a = await cluster.start('a');
    const first = await a.ask('start', 'counter', singleton);
    await using late = await startNode({ ...cluster.options('late'), processes: [counter] });
    const ledger = await late.processes.start(counter, singleton);
    expect(String(ledger.pid)).toBe(first);
    expect(await ledger.add(1)).toBe(1);
    expect((await late.processes.list()).map((each) => each.process)).not.toContain('counter');
  });

  it('that all nodes start at once is one', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const nodes = await cluster.startAll(['a', 'b', 'c']);
    await cluster.formed(4, here);
    await Promise.all(nodes.map((node) => node.ask('start', 'counter', singleton)));
    expect(await countersOn(nodes)).toBe(1);
    await cluster.eventually('all know where', async () => {
      const known = await Promise.all(nodes.map((node) => node.ask('lookup', 'ledger')));
      return known[0] !== undefined && new Set(known).size === 1;
    });
    expect(await here.ref(counter, 'ledger').add(1)).toBe(1);
    await here.processes.start(counter, singleton);
    expect(await here.ref(counter, 'ledger').add(1)).toBe(2);
  });

  it('that is durable carries on elsewhere when its node is killed, and no acknowledged change is lost', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const [a, b, c] = await cluster.startAll(['a', 'b', 'c']);
    await cluster.formed(4, here);
    const ledger = await here.processes.start(counter, { ...singleton, preferNode: 'a' });
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.host()).toBe('a');
    const load = new Load(here);
    await cluster.eventually('it is busy', () => load.acknowledged > 200);

    await a.kill();
    const { acknowledged } = load;
    await cluster.eventually('it goes on', () => load.acknowledged > acknowledged + 200);
    await load.stop();
    expect(load.unknown).toBeGreaterThan(0);
    const count = await ledger.count();
    expect(count).toBeGreaterThanOrEqual(load.acknowledged);
    expect(count).toBeLessThanOrEqual(load.acknowledged + load.unknown);
    expect(['b', 'c']).toContain(await ledger.host());
    expect(await countersOn([b, c])).toBe(1);
    const events = (await Promise.all([b, c].map((node) => node.ask('events')))).flat();
    expect(events.filter((each) => each.startsWith('failover'))).toEqual([
      'failover ledger from a',
    ]);
  });

  it('moves, with its state, when its node stops, and again with the next one', async () => {
    await using cluster = newCluster();
    await using here = await startNode({ ...cluster.options('here'), processes: [counter] });
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const ledger = await here.processes.start(counter, { ...singleton, preferNode: 'a' });
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(5)).toBe(5);
    await a.stop();
    await cluster.eventually('it has moved', async () => (await ledger.host()) !== 'a');
    expect(await ledger.add(1)).toBe(6);
    await b.stop();
    await cluster.eventually('it is here', async () => (await ledger.host()) === 'here');
    expect(await ledger.add(1)).toBe(7);
    const listed = await here.processes.list();
    expect(listed.filter(({ process }) => process === 'counter')).toHaveLength(1);
  });

  it('of a frozen node moves, and is one when that wakes up; those of others stay where they are', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const ledger = await here.processes.start(counter, { ...singleton, preferNode: 'a' });
    const other = await here.processes.start(counter, {
      name: 'other',
      strategy: 'singleton',
      preferNode: 'b',
    });
    await cluster.eventually(
      'they are known',
      () => ledger.pid !== undefined && other.pid !== undefined,
    );
    expect([await ledger.add(5), await other.add(1)]).toEqual([5, 1]);

    a.freeze();
    await cluster.eventually('it has moved', async () => (await ledger.host()) === 'b');
    expect(await ledger.add(1)).toBe(6);
    a.thaw();
    await cluster.formed(3, here);
    await cluster.eventually('each is one', async () => (await countersOn([a, b])) === 2);
    expect([await ledger.host(), await other.host()]).toEqual(['b', 'b']);
    expect([await executed(() => ledger.add(1)), await other.add(1)]).toEqual([7, 2]);
    const events = await a.ask('events');
    expect(events.filter((each) => each.startsWith('failover'))).toEqual([]);
  });

  it('that went on elsewhere while its node was frozen has the newest state when that wakes up', async () => {
    await using cluster = newCluster();
    const options = { ...cluster.options('here'), processes: [counter] };
    await using here = await startNode(options);
    const a = await cluster.start('a');
    await cluster.formed(2, here);
    const ledger = await here.processes.start(counter, { ...singleton, preferNode: 'a' });
    await cluster.eventually('it is known', () => here.registry.lookup('ledger'));
    expect(await ledger.add(5)).toBe(5);
    a.freeze();
    await cluster.eventually('it has moved', () => here.registry.lookup('ledger')?.node === 'here');
    expect(await ledger.add(1)).toBe(6);
    a.thaw();
    await cluster.formed(2, here);
    // Adding nothing changes nothing: only a holder that compares its record finds out.
    await cluster.eventually('no older state answers any more', async () => {
      const sum = await ledger.add(0).catch(() => undefined);
      return sum === 6;
    });
    await cluster.eventually('one is left', async () => {
      const mine = (await here.processes.list()).filter(
        ({ process }) => process === 'counter',
      ).length;
      return mine + (await countersOn([a])) === 1;
    });
    expect(await ledger.add(1)).toBe(7);
  });

  it('that no node can run is refused', async () => {
    await using cluster = newCluster();
    await using here = await startNode({ ...cluster.options('here'), role: 'observer' });
    await expect(here.processes.start(counter, singleton)).rejects.toMatchObject({
      code: 'UNKNOWN_DEFINITION',
      hint: expect.stringContaining('processes'),
    });
  });
});
