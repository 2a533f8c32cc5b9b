import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

import { Pid, startNode, systemClock, type Node } from '@foundation/core';
import { Codec, MeshTransport, type TransportHandlers } from '@foundation/core/internal';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connectTls } from '../src/cluster/transports/mesh-connect.ts';
import { meshKinds, protocolVersion } from '../src/cluster/transports/mesh-hello.ts';
import { secretKeys } from '../src/cluster/transports/mesh-secret.ts';
import { encodeFrame } from '../src/wire/frame.ts';
import type { ClusterNode } from './cluster-node.ts';
import { counter, parrot } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);

// Two good nodes for all tests of this file: whatever intruders do, these must not notice.
let cluster: TestCluster<ClusterNode>;
let here: Node;
let good: TestProcess<ClusterNode>;
let secret: Uint8Array;
let incarnation: number;

beforeAll(async () => {
  cluster = new TestCluster(program);
  here = await startNode(cluster.options('here'));
  good = await cluster.start('good');
  incarnation = here.incarnation;
  await cluster.formed(2, here);
  await good.ask('start', 'parrot', { name: 'parrot' });
  await cluster.eventually('its name is known', () => here.registry.lookup('parrot'));
  const text = readFileSync(join(cluster.directory, cluster.name, 'development-secret'), 'utf8');
  secret = Buffer.from(text, 'base64url');
});
afterAll(async () => {
  await here.stop();
  await cluster[Symbol.asyncDispose]();
});

/** Calls from node to node until `meanwhile` is over: each must be answered. */
async function callMeanwhile<T>(meanwhile: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = meanwhile.finally(() => (isOver = true));
  const speaker = here.ref(parrot, 'parrot').with({ timeoutMs: 1_000 });
  while (!isOver) {
    expect(await speaker.say('still here')).toBe('still here');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return watched;
}

function refusedCount(code: string): number {
  return here.counters().refused[code] ?? 0;
}

function address(): { readonly host: string; readonly port: number; readonly text: string } {
  const text = here.cluster.members().find(({ isSelf }) => isSelf)?.address ?? '';
  const [host = '', port] = text.split(':');
  return { host, port: Number(port), text };
}

/** A bare connection to this node; resolves when it is closed from the other side. */
async function bareSocket(talk: (socket: Socket) => void): Promise<void> {
  const { host, port } = address();
  const socket = connect({ host, port });
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  talk(socket);
  await once(socket, 'close');
}

/** A connection by one who has the secret but is no node; resolves with all it was told. */
async function tlsSocket(talk: (socket: TLSSocket) => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const keys = secretKeys([secret], cluster.name);
  const options = { keys, clock: systemClock, connectTimeoutMs: 5_000, timeoutMs: 5_000 };
  connectTls(address().text, options, (outcome) =>
    outcome instanceof Error ? reject(outcome) : resolve(outcome),
  );
  const socket = await promise;
  let told = '';
  socket.setEncoding('latin1').on('data', (text: string) => (told += text));
  socket.on('error', () => {});
  talk(socket);
  await once(socket, 'close');
  return told;
}

describe('a node of a cluster', () => {
  it('hangs up on a socket that sends garbage, and counts it', async () => {
    const before = refusedCount('MALFORMED');
    await callMeanwhile(bareSocket((socket) => socket.write('GET / HTTP/1.1\r\n\r\n')));
    await cluster.eventually('it is counted', () => refusedCount('MALFORMED') === before + 1);
  });

  it('hangs up on a socket that says nothing, and counts it', async () => {
    const before = refusedCount('AUTHENTICATION_FAILED');
    await callMeanwhile(bareSocket(() => {}));
    await cluster.eventually('it is counted', () => refusedCount('AUTHENTICATION_FAILED') > before);
  });

  it('refuses a frame that is too large as soon as it is announced', async () => {
    const before = refusedCount('FRAME_TOO_LARGE');
    const header = Buffer.from([0x7f, 0xff, 0xff, 0xff, meshKinds.hello]);
    const told = await callMeanwhile(tlsSocket((socket) => socket.write(header)));
    expect(told).toContain('FRAME_TOO_LARGE');
    expect(refusedCount('FRAME_TOO_LARGE')).toBe(before + 1);
  });

  it('refuses a node that speaks another version of the protocol, and tells it so', async () => {
    const before = refusedCount('PROTOCOL_VERSION');
    const hello = Buffer.alloc(64);
    hello.writeUInt16BE(protocolVersion + 1);
    const told = await callMeanwhile(
      tlsSocket((socket) => socket.write(encodeFrame(meshKinds.hello, hello))),
    );
    expect(told).toContain('PROTOCOL_VERSION');
    expect(told).toContain(`protocol version ${protocolVersion + 1}, not ${protocolVersion}`);
    expect(refusedCount('PROTOCOL_VERSION')).toBe(before + 1);
  });

  it('refuses one who has the secret but takes the name of a living node', async () => {
    await using intruder = await infiltrate('here');
    await expect(intruder.transport.dial(address().text)).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    });
    expect(refusedCount('NAME_TAKEN')).toBe(1);
  });

  it.each([
    ['bytes that are no message', Buffer.from('c1c1c1', 'hex')],
    ['a message that is no packet', Buffer.from([0x93, 0x63, 0x01, 0xa1, 0x61])],
  ])('closes the link to a member that sends %s, and counts it', async (_what, bytes) => {
    const before = here.counters().malformed;
    const refused: string[] = [];
    using _ = here.events.on('refused', ({ message }) => refused.push(message));
    await using intruder = await infiltrate(`intruder-${before}`);
    const link = await intruder.transport.dial(address().text);
    await cluster.eventually('it is a member', () => has(`intruder-${before}`));
    link.send('normal', bytes);
    const saidAt = performance.now();
    await callMeanwhile(intruder.down);
    // Not only when its silence is noticed.
    expect(performance.now() - saidAt).toBeLessThan(2_000);
    expect(here.counters().malformed).toBe(before + 1);
    expect(refused).toEqual([
      `intruder-${before} sent bytes that are no packet: its link is closed`,
    ]);
  });

  it('survives packets in which anything may be anything', async () => {
    await using intruder = await infiltrate('fuzzer');
    const talk = async (): Promise<void> => {
      for (const packet of spoiltPackets()) await intruder.say(packet);
    };
    await callMeanwhile(talk());
    expect(here.counters().malformed).toBeGreaterThan(20);
    const ledger = await here.processes.start(counter, { name: 'ledger', strategy: 'singleton' });
    expect(await ledger.host()).toBe('good');
  });

  it('is undisturbed by all of this', async () => {
    expect((await good.ask('events')).filter((each) => each === 'down here')).toEqual([]);
    expect(here.incarnation).toBe(incarnation);
    await cluster.eventually('intruders are gone', () => here.cluster.all().length === 2);
    expect(here.cluster.members().map(({ node }) => node)).toEqual(['good', 'here']);
    expect(await here.ref(parrot, 'parrot').say('well')).toBe('well');
  });
});

/** Every kind of packet, with each part in turn replaced by each kind of nonsense. */
function spoiltPackets(): readonly unknown[] {
  const pid = new Pid('fuzzer', 1, 1);
  const mine = new Pid('here', here.incarnation, 1);
  const registration = { serial: 1, process: 'p', name: 'n', capabilities: ['c'], metadata: {} };
  const set = { ...registration, registeredAt: { wallMs: 1, count: 0 } };
  const sound: readonly (readonly unknown[])[] = [
    [1, 1, 1, 'processes', [], 1_000],
    [2, 1, 'processes', []],
    [3, 1, null],
    [4, 1, null],
    [5, 1, mine, { kind: 'monitor', id: 1, watcher: pid }],
    [5, 1, mine, { kind: 'exit', from: pid, exit: { reason: 'normal' } }],
    [6, 0, 'cluster.view', [{ node: 'x', incarnation: 1, address: 'x' }]],
    [6, 0, 'cluster.verdict', { node: 'x', incarnation: 1, address: '' }],
    [6, 0, 'registry.share', { incarnation: 1, version: 1, registrations: [set], singletons: [] }],
    [6, 0, 'registry.delta', { incarnation: 1, version: 1, set }],
    [6, 0, 'thread.lost', 1],
  ];
  const nonsense = [undefined, Number.NaN, Infinity, -1, 2 ** 60, 'x', {}];
  return sound.flatMap((packet) =>
    packet.slice(1).flatMap((_, index) => nonsense.map((part) => packet.with(index + 1, part))),
  );
}

function has(node: string): boolean {
  return here.cluster.all().some((each) => each.node === node);
}

const liar = { role: 'member', processes: 7, osPid: 'none' };

interface Intruder extends AsyncDisposable {
  readonly transport: MeshTransport;
  /** Resolves when its first link is down. */
  readonly down: Promise<void>;
  /** Says something over a link; resolves when it was taken in, or the link was closed for it. */
  say(packet: unknown): Promise<void>;
}

/** A transport with the right secret, but no node behind it. */
async function infiltrate(node: string): Promise<Intruder> {
  const transport = new MeshTransport({ secret });
  const codec = new Codec();
  const down = Promise.withResolvers<void>();
  let onTaken = (): void => {};
  const handlers: TransportHandlers = {
    onLink: () => {},
    onFrame: (_link, _lane, frame) => {
      if (Object(codec.decode(frame))[2] === 'cluster.pong') onTaken();
    },
    onDown: () => {
      down.resolve();
      onTaken();
    },
    onRefused: () => {},
    admit: () => undefined,
  };
  const begin = (): Promise<string> => {
    const identity = { cluster: cluster.name, node, incarnation: Date.now(), meta: liar };
    return transport.start(identity, handlers);
  };
  await begin();
  return {
    transport,
    down: down.promise,
    say: async (packet) => {
      // It answers no probes: a life of it does not last long.
      const link = await transport.dial(address().text).catch(async () => {
        await transport.stop();
        await begin();
        return transport.dial(address().text);
      });
      const taken = new Promise<void>((resolve) => (onTaken = resolve));
      link.send('normal', codec.encode(packet));
      link.send('normal', codec.encode([6, 0, 'cluster.ping', null]));
      await taken;
    },
    [Symbol.asyncDispose]: () => transport.stop(),
  };
}
