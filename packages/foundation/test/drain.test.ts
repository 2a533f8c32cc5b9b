import { eventually } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { defineProcess, startNode, type Node, type NodeOptions } from '../src/index.ts';
import {
  MemoryDiscovery,
  MemoryHub,
  MemoryNetwork,
  MemoryStore,
  MemoryTransport,
} from '../src/internal.ts';

const tally = defineProcess('tally', {
  durable: true,
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by), where: ({ node }) => node.name },
});

/** Nodes of one program with a network that can be cut and a common store. */
function place() {
  const [network, hub, store] = [new MemoryNetwork(), new MemoryHub(), new MemoryStore()];
  const start = (name: string, options: NodeOptions = {}): Promise<Node> => {
    const ports = {
      transport: new MemoryTransport(network),
      discovery: new MemoryDiscovery(hub),
      store,
    };
    return startNode({ name, config: false, ports, processes: [tally], ...options });
  };
  return { network, start };
}

describe('a node that drains', () => {
  it.each(['available', 'strong'] as const)(
    'hands its %s singletons over with their state, and gets no new ones',
    async (consistency) => {
      const { start } = place();
      await using a = await start('a');
      await using b = await start('b');
      await b.cluster.reached(2);
      const options = { strategy: 'singleton', preferNode: 'a', consistency } as const;
      const sum = await a.processes.start(tally, { ...options, name: 'sum' });
      expect(await sum.add(2)).toBe(2);
      expect(await sum.where()).toBe('a');
      await a.drain();
      await eventually('it runs elsewhere', async () => (await sum.where()) === 'b');
      expect(await sum.add(3)).toBe(5);
      expect(b.cluster.members().map(({ isDraining }) => isDraining)).toEqual([true, false]);
      const other = await b.processes.start(tally, { ...options, name: 'other' });
      expect(await other.where()).toBe('b');
    },
  );

  it('keeps what nobody else can run until it stops', async () => {
    const { start } = place();
    await using a = await start('a');
    await using b = await start('b', { processes: [] });
    await b.cluster.reached(2);
    const sum = await a.processes.start(tally, { name: 'sum', strategy: 'singleton' });
    await a.drain();
    expect(await sum.where()).toBe('a');
  });

  it('leaves a cluster that goes on', async () => {
    const { start } = place();
    const a = await start('a');
    await using b = await start('b');
    await b.cluster.reached(2);
    const reasons: string[] = [];
    b.events.on('member-down', ({ reason }) => reasons.push(reason));
    await a.processes.start(tally, { name: 'sum', strategy: 'singleton', preferNode: 'a' });
    await a.leave();
    expect(await b.ref(tally, 'sum').where()).toBe('b');
    await b.cluster.reached(1);
    expect(reasons).toEqual(['left']);
  });

  it('tells a newcomer, too', async () => {
    const { start } = place();
    await using a = await start('a');
    await a.drain();
    await using b = await start('b');
    await eventually('it knows', () => b.cluster.members()[0]?.isDraining === true);
  });

  it('refuses bad options, and a node that has stopped', async () => {
    const { start } = place();
    await using a = await start('a');
    await expect(a.drain({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await a.stop();
    await expect(a.drain()).rejects.toMatchObject({ code: 'NODE_STOPPED' });
  });
});

describe('the smaller side of a split with the policy `majority`', () => {
  it('runs no singleton; the larger one does, and it is one again afterwards', async () => {
    const { network, start } = place();
    const options: NodeOptions = { splitPolicy: 'majority', voters: ['a', 'b', 'c'] };
    await using a = await start('a', options);
    await using b = await start('b', options);
    await using c = await start('c', options);
    await Promise.all([a, b, c].map((node) => node.cluster.reached(3)));
    const given = { name: 'sum', strategy: 'singleton', preferNode: 'a' } as const;
    expect(await (await a.processes.start(tally, given)).add(1)).toBe(1);
    await eventually('the others know', () =>
      [b, c].every((node) => node.registry.singletons('a').length === 1),
    );
    network.cut('a', 'b');
    network.cut('a', 'c');
    await eventually(
      'it runs on the larger side',
      async () => (await b.ref(tally, 'sum').add(1)) === 2,
      { timeoutMs: 30_000 },
    );
    await eventually(
      'it has ended on the smaller one',
      () => a.registry.lookup('sum') === undefined,
      { timeoutMs: 30_000 },
    );
    const other = a.processes.start(tally, { name: 'other', strategy: 'singleton' });
    await expect(other).rejects.toMatchObject({ code: 'NO_QUORUM' });
    network.heal();
    await eventually('a sees it again', async () => (await a.ref(tally, 'sum').add(1)) === 3);
    expect(a.registry.singletons('a')).toEqual([]);
  });
});
