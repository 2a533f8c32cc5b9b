import { eventually } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { startNode, type Node, type NodeOptions } from '../src/index.ts';
import {
  MemoryDiscovery,
  MemoryHub,
  MemoryNetwork,
  MemoryStore,
  MemoryTransport,
  type Store,
} from '../src/internal.ts';

/** A place where nodes of this program meet, whose network can be cut and whose store can fail. */
function place() {
  const network = new MemoryNetwork();
  const hub = new MemoryHub();
  const shared = new MemoryStore();
  let isDown = false;
  const store: Store = new Proxy(shared, {
    get(target, name) {
      if (isDown && name === 'get') return () => Promise.reject(new Error('the disk is gone'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const start = (name: string, options: NodeOptions = {}): Promise<Node> =>
    startNode({
      name,
      config: false,
      ports: {
        transport: new MemoryTransport(network),
        discovery: new MemoryDiscovery(hub),
        store,
      },
      detector: { profile: 'fast', periodMs: 50, answerMs: 20, suspicionMs: 200 },
      ...options,
    });
  const breakStore = (): void => {
    isDown = true;
  };
  return { network, start, breakStore };
}

describe('node.cluster.health()', () => {
  it('reports a view, links, the store and the split of a cluster that is fine', async () => {
    const { start } = place();
    await using a = await start('a');
    await using b = await start('b');
    await b.cluster.reached(2);
    await a.cluster.health(); // the first call of a program is slow
    const health = await a.cluster.health();
    expect(health).toMatchObject({ status: 'healthy', recommendations: [{ severity: 'note' }] });
    expect(health.view.nodes.map(({ node }) => node)).toEqual(['a', 'b']);
    expect(health.links).toMatchObject([{ node: 'b', queuedBytes: 0 }]);
    expect(health.links[0]?.roundTripMs).toBeGreaterThan(0);
    expect(health.store).toMatchObject({ name: 'memory', isAnswering: true });
    expect(health.split).toMatchObject({ policy: 'available', voters: ['a', 'b'], absent: [] });
    expect(health.discovery).toEqual({ name: 'memory', error: undefined });
  });

  it('tells what another node sees', async () => {
    const { start } = place();
    await using a = await start('a');
    await using b = await start('b');
    await b.cluster.reached(2);
    const health = await a.cluster.health('b');
    expect(health.view.nodes.find(({ isSelf }) => isSelf)?.node).toBe('b');
    await expect(a.cluster.health('c')).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  });

  it('says that the store is gone, and why', async () => {
    const { start, breakStore } = place();
    await using a = await start('a');
    breakStore();
    const { status, store } = await a.cluster.health();
    expect(status).toBe('critical');
    expect(store).toMatchObject({ isAnswering: false, error: 'the disk is gone' });
  });

  it('says which side of a split may go on', async () => {
    const { network, start } = place();
    const options: NodeOptions = { splitPolicy: 'majority', voters: ['a', 'b', 'c'] };
    await using a = await start('a', options);
    await using b = await start('b', options);
    await using c = await start('c', options);
    await Promise.all([a, b, c].map((node) => node.cluster.reached(3)));
    expect(a.cluster.hasQuorum).toBe(true);
    network.cut('a', 'b');
    network.cut('a', 'c');
    await eventually('a is alone', () => !a.cluster.hasQuorum);
    expect(b.cluster.hasQuorum).toBe(true);
    const { status, split, recommendations } = await a.cluster.health();
    expect(status).toBe('critical');
    expect(split).toMatchObject({ hasQuorum: false, absent: ['b', 'c'], isConfigured: true });
    expect(recommendations[0]?.fix).toContain('Bring back b, c');
    network.heal();
    await eventually('all are together again', () => a.cluster.hasQuorum);
  });

  it('lets the smaller side of a split do nothing that must be so once only, though the store answers', async () => {
    const { network, start } = place();
    const options: NodeOptions = { splitPolicy: 'majority', voters: ['a', 'b', 'c'] };
    await using a = await start('a', options);
    await using b = await start('b', options);
    await using c = await start('c', options);
    await Promise.all([a, b, c].map((node) => node.cluster.reached(3)));
    const lease = await a.leases.acquire('work', { ttlMs: 300 });
    network.cut('a', 'b');
    network.cut('a', 'c');
    await eventually('a is alone', () => !a.cluster.hasQuorum);
    await expect(a.variables.strong('x').get()).rejects.toMatchObject({ code: 'NO_QUORUM' });
    await expect(a.leases.tryAcquire('other')).rejects.toMatchObject({ code: 'NO_QUORUM' });
    const next = await b.leases.acquire('work', { ttlMs: 300 });
    expect(lease.isHeld).toBe(false);
    expect(next.token).toBeGreaterThan(lease.token);
    await c.variables.strong('x').set(1);
    network.heal();
    await eventually('all are together again', () => a.cluster.hasQuorum);
    expect(await a.variables.strong('x').get()).toBe(1);
  });
});
