import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '@foundation/testing';
import { freePorts, startDnsmasq } from '@foundation/testing/servers';
import { describe, expect, it } from 'vitest';

import { defineProcess, startNode, type Node, type NodeOptions } from '../src/index.ts';

const secret = Buffer.alloc(32, 5).toString('base64url');
const tally = defineProcess('tally', {
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by) },
});
const kept = defineProcess('kept', { durable: true, init: () => ({}), calls: { touch: () => 1 } });

interface Place {
  readonly addresses: readonly string[];
  readonly start: (index: number, options?: NodeOptions) => Promise<Node>;
}

/** As many addresses of this machine, and a way to start a node at each. */
async function place(count: number): Promise<Place> {
  const ports = await freePorts(count);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  return {
    addresses,
    start: (index, options) =>
      startNode({
        name: `n${index}`,
        config: false,
        clusterName: 'static-test',
        secret,
        cluster: { kind: 'static', addresses },
        listen: { host: '127.0.0.1', port: ports[index] ?? 0 },
        processes: [tally, kept],
        ...options,
      }),
  };
}

describe('a cluster by a list of addresses', () => {
  it('keeps what it agrees on in a file of this machine, which is made', async () => {
    const [port = 0] = await freePorts(1);
    const home = mkdtempSync(join(tmpdir(), 'foundation-static-'));
    const options = {
      config: false,
      clusterName: 'never-was',
      directory: join(home, 'state'),
      secret,
      cluster: { kind: 'static', addresses: [`127.0.0.1:${port}`] },
      listen: { host: '127.0.0.1', port },
    } as const;
    try {
      await using node = await startNode({ ...options, store: 'sqlite' });
      await using lease = await node.leases.acquire('there');
      expect(lease.isHeld).toBe(true);
    } finally {
      rmSync(home, { recursive: true });
    }
    await using without = await startNode({ ...options, directory: join(home, 'none') });
    const failed = { code: 'STORE_UNSUITABLE' };
    await expect(without.leases.acquire('there')).rejects.toMatchObject(failed);
    await expect(without.leases.tryAcquire('there')).rejects.toMatchObject(failed);
  });

  it('forms though all have the same list, their own address among it, and works', async () => {
    const { start } = await place(3);
    const nodes = await Promise.all([start(0), start(1), start(2)]);
    await using stack = new AsyncDisposableStack();
    for (const node of nodes) stack.use(node);
    await Promise.all(nodes.map((node) => node.cluster.reached(3)));
    const [first, , third] = nodes;
    await first.processes.start(tally, { name: 'sum', strategy: 'singleton' });
    await third.cluster.reached(3);
    expect(await third.ref(tally, 'sum').add(4)).toBe(4);
    for (const node of nodes) expect(node.counters().refused).not.toHaveProperty('NAME_TAKEN');
  });

  it('finds a node that comes later, and one that comes back', async () => {
    const { start } = await place(2);
    await using one = await start(0);
    {
      await using _two = await start(1);
      await one.cluster.reached(2);
    }
    await one.cluster.reached(1);
    await using again = await start(1);
    await again.cluster.reached(2);
    await one.cluster.reached(2);
    expect(one.cluster.members().map(({ node }) => node)).toEqual(['n0', 'n1']);
  });

  it('keeps the elder of two nodes of one name, and tells both who the other is', async () => {
    const { start, addresses } = await place(3);
    await using one = await start(0);
    await using elder = await start(1);
    await one.cluster.reached(2);
    const lives: number[] = [];
    one.events.on('member-up', ({ incarnation }) => lives.push(incarnation));
    const refused: string[] = [];
    one.events.on('refused', ({ code, message }) => refused.push(`${code} ${message}`));
    await using later = await start(2, { name: 'n1' });
    await eventually('it was refused again and again', () => refused.length > 2);
    expect(lives).toEqual([]);
    expect(one.cluster.members().map(({ address }) => address)).toEqual(addresses.slice(0, 2));
    expect(refused[0]).toMatch(/^NAME_TAKEN/);
    for (const address of addresses.slice(1)) expect(refused[0]).toContain(address);
    expect(elder.cluster.members()).toHaveLength(2);
    expect(later.cluster.members()).toHaveLength(1);
    const { missing } = await later.cluster.health();
    expect(missing[0]?.reason).toContain(`${addresses[1]} does, which is up`);
    await elder.stop();
    await later.cluster.reached(2);
    await one.cluster.reached(2);
    expect(one.cluster.members()[1]?.address).toBe(addresses[2]);
  });

  it('names in its health who is written down and is not there, and why', async () => {
    const { start, addresses } = await place(4);
    const voters = ['n0', 'n1', 'n9'];
    await using one = await start(0, { voters });
    const other = Buffer.alloc(32, 6).toString('base64url');
    await using _stranger = await start(2, { secret: other });
    {
      await using _two = await start(1);
      await one.cluster.reached(2);
    }
    await one.cluster.reached(1);
    const told = async (): Promise<string> => {
      const { recommendations } = await one.cluster.health();
      return recommendations.map(({ severity, what }) => `${severity}: ${what}`).join('\n');
    };
    const all = [
      `warning: n1 at ${addresses[1]}, a voter, has not been there for .*ECONNREFUSED`,
      `warning: a node at ${addresses[2]} was never seen, .*another secret`,
      `warning: a node at ${addresses[3]} was never seen, .*ECONNREFUSED`,
      'warning: the voter n9 was never seen, for',
    ];
    await eventually('all four are named', async () => {
      const text = await told();
      return all.every((each) => new RegExp(each).test(text));
    });
    await using _again = await start(1);
    await one.cluster.reached(2);
    expect(await told()).not.toContain('n1 at');
    const { status, missing } = await one.cluster.health();
    expect(status).toBe('degraded');
    expect(missing.map(({ node, address }) => node ?? address)).toEqual([
      ...addresses.slice(2),
      'n9',
    ]);
  });

  it('has no store, and refuses what needs one with the reason', async () => {
    const { start } = await place(1);
    await using node = await start(0);
    const starting = node.processes.start(kept, { name: 'k', strategy: 'singleton' });
    await expect(starting).rejects.toMatchObject({ message: expect.stringContaining('no store') });
  });

  it('says who is in the way when its port is in use, and how nodes meet when they do not', async () => {
    const { start } = await place(2);
    await using one = await start(0);
    await expect(start(0, { name: 'other' })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      hint: expect.stringContaining('listen.port'),
      cause: { code: 'EADDRINUSE' },
    });
    await expect(start(0, { listen: { host: '192.0.2.1', port: 1 } })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      hint: expect.stringContaining('address of this machine'),
    });
    const hint = expect.stringMatching(/^(?!.*directory).*cluster\.addresses/);
    await expect(one.cluster.reached(2, 10)).rejects.toMatchObject({ hint });
  });

  it('needs addresses, and a secret that was given', async () => {
    const bare = { config: false, cluster: 'static', clusterName: 'static-test' } as const;
    await expect(startNode({ ...bare, secret })).rejects.toThrow('needs `cluster.addresses`');
    const open = startNode({ ...bare, cluster: { kind: 'static', addresses: ['10.0.0.1:7400'] } });
    await expect(open).rejects.toMatchObject({ code: 'SECRET_MISSING' });
  });
});

describe('a cluster by a DNS name', () => {
  it('forms from the addresses of a name, and follows it', async () => {
    await using dns = await startDnsmasq();
    const [port = 0] = await freePorts(1);
    const start = (name: string, host: string): Promise<Node> =>
      startNode({
        name,
        config: false,
        clusterName: 'dns-test',
        secret,
        cluster: { kind: 'dns', hostname: 'nodes.test', resolvers: [dns.address], refreshMs: 100 },
        listen: { host, port },
      });
    await dns.answer({ hosts: { 'nodes.test': ['127.0.0.1'] } });
    await using one = await start('one', '127.0.0.1');
    await using two = await start('two', '127.0.0.2');
    await one.cluster.reached(2);
    await using three = await start('three', '127.0.0.3');
    await three.cluster.reached(3);
    expect((await two.cluster.health()).discovery).toEqual({ name: 'dns', error: undefined });
    await dns.kill();
    const failing = async (): Promise<boolean> =>
      (await two.cluster.health()).discovery.error !== undefined;
    await eventually('it says that the server is gone', failing);
    await one.cluster.reached(3);
  });
});
