import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { eventually } from '@foundation/testing';
import { afterEach, describe, expect, it } from 'vitest';

import type { ProbeChannel, ProbeTarget } from '../detector/probe-channel.ts';
import { ProbeSeal } from './probe-seal.ts';
import { openProbes } from './udp-probes.ts';

const settings = { cluster: 'test', host: '127.0.0.1', port: 0, told: 0 };
let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

interface Opened {
  readonly channel: ProbeChannel;
  readonly told: string[];
  /** Where another one sends what is for this one. */
  target(from: string): ProbeTarget;
  readonly port: string;
}

async function open(node: string, changes: Partial<typeof settings> = {}): Promise<Opened> {
  const told: string[] = [];
  let sequence = 0;
  const channel = await openProbes(
    {
      self: { node, incarnation: 1 },
      nextSequence: () => ++sequence,
      onDatagram: (from, bytes) =>
        told.push(`${from.node}.${from.incarnation} ${Buffer.from(bytes).toString()}`),
      refused: (code) => told.push(code),
    },
    { ...settings, ...changes },
  );
  opened.defer(() => channel.close());
  const addressFor = (from: string): string => channel.addressFor({ node: from, incarnation: 1 });
  const target = (from: string): ProbeTarget => {
    return { node, incarnation: 1, address: '127.0.0.1:1', probeAddress: addressFor(from) };
  };
  return { channel, target, told, port: addressFor('x').split('@')[1] ?? '' };
}

async function stranger(): Promise<Socket & { readonly heard: Buffer[] }> {
  const socket = createSocket('udp4');
  const heard: Buffer[] = [];
  socket.on('message', (packet) => heard.push(packet));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  opened.defer(() => void socket.unref());
  return Object.assign(socket, { heard });
}

describe('probes by UDP', () => {
  it('pass between members, and tell who has sent them', async () => {
    const [a, b] = [await open('a'), await open('b')];
    a.channel.send(b.target('a'), Buffer.from('hello'));
    await eventually('it has come in', () => b.told.length > 0);
    expect(b.told).toEqual(['a.1 hello']);
  });

  it('are received at the wanted port where it is free, and at another one where not', async () => {
    const before = await stranger();
    const { port } = before.address();
    before.close();
    const b = await open('b', { port, told: port });
    expect(b.port).toBe(String(port));
    const c = await open('c', { port, told: port });
    expect(Number(c.port)).toBeGreaterThan(0);
    expect(c.port).not.toBe(String(port));
  });

  it('go to the port that others are told, where that is another one', async () => {
    const before = await stranger();
    const { port } = before.address();
    before.close();
    expect((await open('a', { port, told: 7_400 })).port).toBe('7400');
  });

  it('of strangers are counted and get no answer, whatever they are', async () => {
    const a = await open('a');
    const attacker = await stranger();
    const forger = new ProbeSeal({
      self: { node: 'b', incarnation: 1 },
      cluster: 'test',
      nextSequence: () => 1,
    });
    const forged = forger.seal(Buffer.from('hello'), Buffer.alloc(32));
    const packets = [Buffer.alloc(0), Buffer.alloc(2_000), forged, Buffer.alloc(100, 1)];
    for (const packet of packets) attacker.send(packet, Number(a.port), '127.0.0.1');
    await eventually('all are counted', () => a.told.length === packets.length);
    expect(a.told.toSorted()).toEqual([
      'AUTHENTICATION_FAILED',
      'MALFORMED',
      'MALFORMED',
      'WRONG_CLUSTER',
    ]);
    expect(attacker.heard).toEqual([]);
  });

  it('are taken once, whoever sends them again', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const spy = await stranger();
    const [key = ''] = b.target('a').probeAddress.split('@');
    const overheard = { ...b.target('a'), probeAddress: `${key}@${spy.address().port}` };
    a.channel.send(overheard, Buffer.from('hello'));
    await eventually('it is overheard', () => spy.heard.length > 0);
    const [packet = Buffer.alloc(0)] = spy.heard;
    for (let time = 0; time < 3; time++) spy.send(packet, Number(b.port), '127.0.0.1');
    await eventually('all have come in', () => b.told.length === 3);
    expect(b.told.toSorted()).toEqual([
      'AUTHENTICATION_FAILED',
      'AUTHENTICATION_FAILED',
      'a.1 hello',
    ]);
  });

  it.each(['', '0', 'nonsense', '70000', '-1'])(
    'to the port %o go nowhere, and nothing breaks',
    async (port) => {
      const [a, b] = [await open('a'), await open('b')];
      const [key = ''] = b.target('a').probeAddress.split('@');
      for (const probeAddress of [port, `@${port}`, `${key}@${port}`]) {
        a.channel.send({ ...b.target('a'), probeAddress }, Buffer.from('lost'));
      }
      a.channel.send({ ...b.target('a'), address: 'nowhere' }, Buffer.from('lost'));
      a.channel.send(b.target('a'), Buffer.from('hello'));
      await eventually('the next one has come in', () => b.told.length > 0);
      expect(b.told).toEqual(['a.1 hello']);
    },
  );

  it('pass between IPv6 addresses, too', async () => {
    const [a, b] = [await open('a', { host: '::1' }), await open('b', { host: '::1' })];
    a.channel.send({ ...b.target('a'), address: '[::1]:1' }, Buffer.from('hello'));
    await eventually('it has come in', () => b.told.length > 0);
    expect(b.told).toEqual(['a.1 hello']);
  });
});
