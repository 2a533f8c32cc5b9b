import { freePorts, startEtcd, startNats } from '@foundation/testing/servers';
import { describe, expect, it } from 'vitest';

import { defineProcess, startNode, type Node, type NodeOptions } from '../src/index.ts';

const secret = Buffer.alloc(32, 5).toString('base64url');
const tally = defineProcess('tally', {
  durable: true,
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by) },
});

/** Two nodes that find each other by a list and agree in a store that is none of their own. */
async function twoNodes(options: NodeOptions): Promise<readonly [Node, Node] & AsyncDisposable> {
  const ports = await freePorts(2);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const start = (name: string, port: number): Promise<Node> =>
    startNode({
      name,
      config: false,
      clusterName: 'network-test',
      secret,
      cluster: { kind: 'static', addresses },
      listen: { host: '127.0.0.1', port },
      processes: [tally],
      ...options,
    });
  const [first = 0, second = 0] = ports;
  const nodes = [await start('one', first), await start('two', second)] as const;
  await nodes[0].cluster.reached(2);
  const dispose = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  return Object.assign(nodes, { [Symbol.asyncDispose]: dispose });
}

/** A durable singleton, a lease and a variable over the store; then its first home stops. */
async function uses(nodes: readonly [Node, Node]): Promise<void> {
  const [one, two] = nodes;
  const options = { name: 'sum', strategy: 'singleton', preferNode: 'one' } as const;
  const sum = await one.processes.start(tally, options);
  expect(await sum.add(2)).toBe(2);
  const lease = await one.leases.acquire('work');
  expect(await two.leases.tryAcquire('work')).toBeUndefined();
  await lease.release();
  const setting = two.variables.strong('setting', { initial: 1 });
  await setting.update((value) => value + 1);
  expect(await one.variables.strong('setting', { initial: 1 }).get()).toBe(2);
  await one.stop();
  await expect.poll(() => two.ref(tally, 'sum').add(3).catch(String), { timeout: 15_000 }).toBe(5);
}

describe('a cluster with a store on servers of its own', () => {
  it('keeps durable state, leases and variables in etcd', async () => {
    await using etcd = await startEtcd({ members: 1 });
    await using nodes = await twoNodes({ store: { kind: 'etcd', endpoints: etcd.endpoints } });
    expect((await nodes[0].cluster.health()).store).toMatchObject({
      name: 'etcd',
      isAnswering: true,
      promises: { scope: 'cluster', voters: 1 },
    });
    await uses(nodes);
  });

  it('keeps them in JetStream', async () => {
    await using nats = await startNats({ servers: 1 });
    await using nodes = await twoNodes({
      store: { kind: 'jetstream', replicas: 1 },
      nats: { servers: nats.urls },
    });
    expect((await nodes[0].cluster.health()).store).toMatchObject({ name: 'jetstream' });
    await uses(nodes);
  });

  it('runs over NATS alone: nodes, messages and the store', async () => {
    await using nats = await startNats({ servers: 1 });
    const start = (name: string): Promise<Node> =>
      startNode({
        name,
        config: false,
        clusterName: 'nats-test',
        secret,
        cluster: 'nats',
        store: { kind: 'jetstream', replicas: 1 },
        nats: { servers: nats.urls },
        processes: [tally],
      });
    await using one = await start('one');
    await using two = await start('two');
    await one.cluster.reached(2);
    expect((await two.cluster.health()).discovery).toEqual({ name: 'nats', error: undefined });
    await uses([one, two]);
  });

  it('says what is missing', async () => {
    const bare = { config: false, clusterName: 'network-test', secret } as const;
    const cluster = { kind: 'static', addresses: ['127.0.0.1:1'] } as const;
    const starting = startNode({ ...bare, cluster, ...({ store: 'etcd' } as object) });
    await expect(starting).rejects.toThrow('needs `store.endpoints`');
    const store = { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], ca: '/no/such.pem' } as const;
    await expect(startNode({ ...bare, cluster, store })).rejects.toThrow('/no/such.pem');
  });
});
