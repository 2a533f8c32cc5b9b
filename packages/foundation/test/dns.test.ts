import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { eventually, lookupConformance, type LookupUnderTest } from '@foundation/testing';
import {
  freePorts,
  startDnsmasq,
  type Dnsmasq,
  type DnsRecords,
} from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DnsDiscovery, type DnsOptions } from '../src/cluster/discoveries/dns.ts';
import type { DiscoveryHandlers, Hint } from '../src/cluster/discovery.ts';
import { MeshTransport } from '../src/cluster/transports/mesh.ts';
import { startNode } from '../src/index.ts';

const name = 'nodes.test';
const service = '_foundation._tcp.nodes.test';
const port = 7946;

/** One server for all tests: each begins with what it wants it to know. */
let dns: Dnsmasq;

beforeAll(async () => {
  dns = await startDnsmasq();
});

afterAll(() => dns[Symbol.asyncDispose]());

function discovery(options: Partial<DnsOptions> = {}): DnsDiscovery {
  const { type = 'A' } = options;
  return new DnsDiscovery({
    name: type === 'A' ? name : service,
    ...(type === 'A' ? { port } : {}),
    servers: [dns.address],
    refreshMs: 300,
    timeoutMs: 1_000,
    ...options,
  });
}

/** The real server, as the suite wants it. */
function place(
  make: () => DnsDiscovery,
  known: (addresses: readonly string[]) => DnsRecords,
): LookupUnderTest {
  return {
    make,
    answer: (addresses) => dns.answer(known(addresses)),
    fail: () => dns.kill(),
    hang: async () => dns.freeze(),
    [Symbol.asyncDispose]: () => dns.answer({}),
  };
}

const hostOf = (address: string): string => address.split(':')[0] ?? '';

lookupConformance('DnsDiscovery with A records', async () =>
  place(
    () => discovery(),
    (addresses) => ({ hosts: { [name]: addresses.map(hostOf) } }),
  ),
);

lookupConformance('DnsDiscovery with SRV records', async () =>
  place(
    () => discovery({ type: 'SRV' }),
    (addresses) => {
      const targets = addresses.map((address) => ({ address, target: targetOf(address) }));
      return {
        hosts: Object.fromEntries(
          targets.map(({ address, target }) => [target, [hostOf(address)]]),
        ),
        services: { [service]: targets.map(({ target }) => `${target}:${port}`) },
      };
    },
  ),
);

const targetOf = (address: string): string => `node-${hostOf(address).replaceAll('.', '-')}.test`;

class Seen implements DiscoveryHandlers {
  known: readonly string[] = [];
  readonly errors: Error[] = [];
  onPeers(hints: readonly Hint[]): void {
    this.known = hints.map(({ address }) => address);
  }
  onError(error: unknown): void {
    this.errors.push(error as Error);
  }
}

/** What is seen by one that looks once. */
async function seenBy(looking: DnsDiscovery): Promise<Seen> {
  const seen = new Seen();
  await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
  await looking.stop();
  return seen;
}

const unanswered = (reason: string): unknown =>
  expect.objectContaining({
    code: 'DISCOVERY_FAILED',
    message: expect.stringContaining(reason),
    hint: expect.stringContaining('reached'),
  });

describe('DnsDiscovery', () => {
  const both = { hosts: { [name]: ['10.0.0.1', 'fd00::1'] } };

  it('finds IPv4 and IPv6 addresses, or those of one family', async () => {
    await dns.answer(both);
    expect((await seenBy(discovery())).known).toEqual(['10.0.0.1:7946', '[fd00::1]:7946']);
    expect((await seenBy(discovery({ family: 4 }))).known).toEqual(['10.0.0.1:7946']);
    expect((await seenBy(discovery({ family: 6 }))).known).toEqual(['[fd00::1]:7946']);
  });

  it('finds the hosts of services on ports of their own, and leaves out those without an address', async () => {
    await dns.answer({
      hosts: { 'one.test': ['10.0.0.1', 'fd00::1'], 'two.test': ['10.0.0.2'] },
      services: { [service]: ['two.test:2', 'one.test:1', 'gone.test:3', 'two.test:22'] },
    });
    const { known, errors } = await seenBy(discovery({ type: 'SRV' }));
    expect(known).toEqual(['10.0.0.1:1', '10.0.0.2:2', '10.0.0.2:22', '[fd00::1]:1']);
    expect(errors).toEqual([]);
  });

  it.each([
    ['a name that is not there', {}, 'nodes.test has no A,AAAA record'],
    ['a name without an IPv4 address', { family: 4 }, 'nodes.test has no A record'],
    ['a service that is not there', { type: 'SRV' }, `${service} has no SRV record`],
  ] as const)('reports %s', async (_, options, message) => {
    await dns.answer({ hosts: { [name]: 'family' in options ? ['fd00::1'] : [] } });
    const { errors } = await seenBy(discovery(options));
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'DISCOVERY_FAILED',
        message: `dns: ${message}`,
        hint: expect.stringContaining('Check the name'),
      }),
    ]);
  });

  it.each([
    ['a server that is not there', () => dns.kill(), 'ECONNREFUSED'],
    ['a server that says nothing', async () => dns.freeze(), 'no answer within 1000 ms'],
  ])('reports %s', async (_, trouble, reason) => {
    await dns.answer(both);
    await trouble();
    expect((await seenBy(discovery())).errors).toEqual([unanswered(reason)]);
  });

  it('reports a server that does not want to', async () => {
    await dns.answer(both);
    const { errors } = await seenBy(discovery({ name: 'nodes.elsewhere' }));
    expect(errors).toEqual([unanswered('EREFUSED')]);
  });

  it('keeps who is known when the server fails for one family only', async () => {
    await using failing = await failingServer();
    const { errors, known } = await seenBy(discovery({ servers: [failing.address] }));
    expect(errors).toEqual([
      expect.objectContaining({ message: 'dns: nodes.test (A) was not answered: ESERVFAIL' }),
    ]);
    expect(known).toEqual([]);
  });

  it.each([
    [{ name: 'a b' }, '`name` to be a DNS name in full'],
    [{ type: 'MX' }, "`type` to be 'A' or 'SRV', got: 'MX'"],
    [{ port: undefined }, '`port` to be the port that all nodes listen on, got: undefined'],
    [{ port: 70_000 }, 'got: 70000'],
    [{ type: 'SRV', port: 1 }, '`port` to be left out with SRV records'],
    [{ family: 5 }, '`family` to be 4 or 6, got: 5'],
    [
      { servers: ['dns.test'] },
      "`servers` to be a list of `address` or `address:port`, got: [ 'dns.test' ]",
    ],
    [{ refreshMs: -1 }, '`refreshMs`'],
    [{ typ: 'A' }, 'did you mean `type`?'],
  ])('refuses %j', (options, message) => {
    expect(() => discovery(options as DnsOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('brings nodes together that have a name in common', async () => {
    const secret = new Uint8Array(32).fill(7);
    const [common = 0] = await freePorts(1);
    const join = (node: string, host: string) =>
      startNode({
        name: node,
        clusterName: 'dns',
        ports: {
          transport: new MeshTransport({ secret, host, port: common }),
          discovery: discovery({ port: common }),
        },
      });
    await dns.answer({ hosts: { [name]: ['127.0.0.2'] } });
    await using one = await join('one', '127.0.0.2');
    await using two = await join('two', '127.0.0.3');
    await dns.answer({ hosts: { [name]: ['127.0.0.2', '127.0.0.3', '127.0.0.4'] } });
    await using three = await join('three', '127.0.0.4');
    await eventually('all are up', () =>
      [one, two, three].every((node) => node.cluster.members().length === 3),
    );
  });
});

/** Answers A with one address, and AAAA with SERVFAIL, as some home routers do. */
async function failingServer(): Promise<{ address: string } & AsyncDisposable> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, { port: from, address }) => {
    const isA = query.readUInt16BE(query.indexOf(0, 12) + 1) === 1;
    const end = query.indexOf(0, 12) + 5;
    const header = Buffer.from([0x81, isA ? 0x80 : 0x82, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 1]);
    const parts = [query.subarray(0, 2), header, query.subarray(12, end), ...(isA ? [answer] : [])];
    socket.send(Buffer.concat(parts), from, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: async () => void socket.close(),
  };
}
