import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';

import { transportConformance } from '@foundation/testing';
import { describe, expect, it, vi } from 'vitest';

import { sleep, systemClock } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { creditKind, encodeCredit, windowBytes } from '../../wire/credit.ts';
import { encodeFrame, FrameReader, partBytesMax, partFlag } from '../../wire/frame.ts';
import type { Link, TransportHandlers } from '../transport.ts';
import {
  decodeRefusal,
  encodeHello,
  meshKinds,
  protocolVersion,
  type Hello,
} from './mesh-hello.ts';
import type { MeshSettings } from './mesh-options.ts';
import { secretKeys } from './mesh-secret.ts';
import { channelBinding, meshTls, prove } from './mesh-tls.ts';
import { MeshTransport } from './mesh.ts';

const secret = new Uint8Array(32).fill(7);
const otherSecret = new Uint8Array(32).fill(8);
const keys = secretKeys([secret], 'test');
const [proofKey = Buffer.alloc(0)] = keys.proofKeys;

transportConformance('MeshTransport', async () => ({
  join: () => new MeshTransport({ secret }),
  [Symbol.asyncDispose]: async () => {},
}));

type TestOptions = Partial<MeshSettings> & { readonly secrets?: readonly Uint8Array[] };

class TestNode implements TransportHandlers, AsyncDisposable {
  readonly transport: MeshTransport;
  readonly told: string[] = [];
  readonly refusals: FoundationError[] = [];
  readonly links: Link[] = [];
  address = '';

  constructor({ secrets = [secret], ...options }: TestOptions = {}) {
    this.transport = new MeshTransport({ secret: secrets, ...options });
  }

  async start(node: string): Promise<this> {
    this.address = await this.transport.start(
      { cluster: 'test', node, incarnation: 1, meta: {} },
      this,
    );
    return this;
  }

  admit(): undefined {}

  onLink(link: Link): void {
    this.links.push(link);
    this.told.push(`link ${link.peer.node}`);
  }

  onFrame(link: Link, _: string, frame: Uint8Array): void {
    this.told.push(
      `${link.peer.node} ${frame.length > 50 ? frame.length : Buffer.from(frame).toString()}`,
    );
  }

  onDown(link: Link, reason: string): void {
    this.told.push(`down ${link.peer.node} ${reason}`);
  }

  onRefused(error: FoundationError): void {
    this.refusals.push(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.stop();
  }
}

/** Two nodes with a link; a third may do its worst, the link must not notice. */
async function undisturbed(
  options: Partial<MeshSettings>,
  code: string,
  attack: (target: TestNode) => Promise<void>,
): Promise<FoundationError> {
  await using a = await new TestNode().start('n1');
  await using b = await new TestNode(options).start('n2');
  const link = await a.transport.dial(b.address);
  link.send('normal', Buffer.from('before'));
  await attack(b);
  await vi.waitFor(
    () => expect(b.transport.counters().refused).toMatchObject({ [code]: 1 }),
    5_000,
  );
  link.send('normal', Buffer.from('after'));
  await vi.waitFor(() => expect(b.told).toContain('n1 after'));
  expect(b.told.filter((line) => line.includes('n1'))).toStrictEqual([
    'link n1',
    'n1 before',
    'n1 after',
  ]);
  expect(b.refusals.map((error) => error.code)).toStrictEqual([code]);
  return b.refusals[0] ?? new FoundationError('INTERNAL', 'nothing was refused');
}

const portOf = (address: string): number => Number(address.split(':').at(-1));

function tcp(target: TestNode): Socket {
  const socket = connectTcp(portOf(target.address), '127.0.0.1');
  return socket.on('error', () => {}).resume();
}

/** One who has the secret, and bad manners. */
class Rogue {
  readonly socket: TLSSocket;
  readonly frames: { kind: number; payload: Buffer }[] = [];

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) =>
      reader.push(chunk, (kind, payload) =>
        this.frames.push({ kind, payload: Buffer.from(payload) }),
      ),
    );
  }

  static async connect(target: TestNode): Promise<Rogue> {
    const socket = connect({
      ...meshTls,
      port: portOf(target.address),
      host: '127.0.0.1',
      pskCallback: () => ({ psk: keys.psk, identity: keys.pskIdentity }),
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    return new Rogue(socket);
  }

  hello(
    role: 'hello' | 'welcome',
    over: Partial<Hello> = {},
    binding = channelBinding(this.socket),
  ): Buffer {
    const identity = { cluster: 'test', node: 'rogue', incarnation: 1, meta: {} };
    const hello = { identity, address: '127.0.0.1:1', sessions: [], ...over };
    return encodeHello(hello, (body) => prove(proofKey, binding, { role, body }));
  }

  say(kind: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(encodeFrame(kind, payload));
  }

  async link(): Promise<void> {
    this.say(meshKinds.hello, this.hello('hello'));
    await this.heard(meshKinds.welcome);
    this.say(meshKinds.ready);
  }

  async heard(kind: number): Promise<Buffer> {
    return vi.waitFor(() => {
      const frame = this.frames.find((each) => each.kind === kind);
      if (frame === undefined) throw new Error(`no frame of kind ${kind}`);
      return frame.payload;
    }, 5_000);
  }

  async heardRefusal(): Promise<string> {
    const refusal = decodeRefusal(await this.heard(meshKinds.refused), 'target');
    if (!this.socket.closed) await once(this.socket, 'close');
    return refusal.code;
  }
}

describe('MeshTransport', () => {
  it('refuses a node with another secret, and says so at both ends', async () => {
    const refusal = await undisturbed({}, 'AUTHENTICATION_FAILED', async (target) => {
      await using stranger = await new TestNode({ secrets: [otherSecret] }).start('n3');
      await expect(stranger.transport.dial(target.address)).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILED',
        message: expect.stringContaining('it has another secret, or none'),
        hint: expect.stringContaining('secret'),
        cause: expect.any(Error),
      });
      expect(stranger.transport.counters().refused).toStrictEqual({ AUTHENTICATION_FAILED: 1 });
      expect(stranger.told).toStrictEqual([]);
    });
    expect(refusal.message).toContain('it has another secret, or none');
    expect(refusal.hint).toContain('secret');
  });

  it('refuses a dialler that speaks another version of the protocol', async () => {
    await undisturbed({}, 'PROTOCOL_VERSION', async (target) => {
      const rogue = await Rogue.connect(target);
      const hello = rogue.hello('hello');
      hello.writeUInt16BE(protocolVersion + 1, 0);
      rogue.say(meshKinds.hello, hello);
      expect(await rogue.heardRefusal()).toBe('PROTOCOL_VERSION');
    });
  });

  it('refuses to link with a listener that speaks another version of the protocol', async () => {
    await using node = await new TestNode().start('n1');
    const rogues: Rogue[] = [];
    const server = createServer({ ...meshTls, pskCallback: () => keys.psk }, (socket) => {
      const rogue = new Rogue(socket);
      const welcome = rogue.hello('welcome');
      welcome.writeUInt16BE(protocolVersion + 1, 0);
      rogue.say(meshKinds.welcome, welcome);
      rogues.push(rogue);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const bound = server.address();
    const address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
    await expect(node.transport.dial(address)).rejects.toMatchObject({ code: 'PROTOCOL_VERSION' });
    expect(await rogues[0]?.heardRefusal()).toBe('PROTOCOL_VERSION');
    server.close();
  });

  it('refuses a greeting that was made for another connection', async () => {
    await undisturbed({}, 'AUTHENTICATION_FAILED', async (target) => {
      const [one, two] = [await Rogue.connect(target), await Rogue.connect(target)];
      two.say(meshKinds.hello, two.hello('hello', {}, channelBinding(one.socket)));
      expect(await two.heardRefusal()).toBe('AUTHENTICATION_FAILED');
      one.socket.destroy();
    });
  });

  it('refuses a welcome in place of a hello', async () => {
    await undisturbed({}, 'AUTHENTICATION_FAILED', async (target) => {
      const rogue = await Rogue.connect(target);
      rogue.say(meshKinds.hello, rogue.hello('welcome'));
      expect(await rogue.heardRefusal()).toBe('AUTHENTICATION_FAILED');
    });
  });

  it.each<readonly [string, Buffer]>([
    ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['random bytes', Buffer.from('000000050901020304050607080910111213', 'hex')],
    ['a broken TLS greeting', Buffer.from('16030100050100000100', 'hex')],
  ])('refuses %s', async (_, bytes) => {
    const refusal = await undisturbed({}, 'MALFORMED', async (target) => {
      const socket = tcp(target);
      socket.write(bytes);
      await once(socket, 'close');
    });
    expect(refusal.hint).toContain('no node of Foundation');
  });

  it.each<readonly [string, string, (rogue: Rogue) => void]>([
    ['no greeting at all', 'MALFORMED', (rogue) => rogue.say(1, Buffer.from('data'))],
    ['an empty greeting', 'MALFORMED', (rogue) => rogue.say(meshKinds.hello)],
    [
      'a greeting past the limit',
      'FRAME_TOO_LARGE',
      (rogue) => rogue.say(meshKinds.hello, Buffer.alloc(4_097)),
    ],
    [
      'a greeting of nobody',
      'MALFORMED',
      (rogue) => {
        const identity = { cluster: 'test', node: '', incarnation: 1, meta: {} };
        rogue.say(meshKinds.hello, rogue.hello('hello', { identity }));
      },
    ],
    ...['../n3', 'n3\nn4', '\u001b[2J', '__proto__', 'n'.repeat(64)].map(
      (node) =>
        [
          `the name ${JSON.stringify(node)}`,
          'MALFORMED',
          (rogue: Rogue) => {
            const identity = { cluster: 'test', node, incarnation: 1, meta: {} };
            rogue.say(meshKinds.hello, rogue.hello('hello', { identity }));
          },
        ] as const,
    ),
    [
      'an address that is none',
      'MALFORMED',
      (rogue) => rogue.say(meshKinds.hello, rogue.hello('hello', { address: 'n3:80/../x' })),
    ],
    [
      'an impossible incarnation',
      'MALFORMED',
      (rogue) => {
        const identity = { cluster: 'test', node: 'n3', incarnation: -1, meta: {} };
        rogue.say(meshKinds.hello, rogue.hello('hello', { identity }));
      },
    ],
    [
      'the name of the node it dials',
      'NAME_TAKEN',
      (rogue) => {
        const identity = { cluster: 'test', node: 'n2', incarnation: 2, meta: {} };
        rogue.say(meshKinds.hello, rogue.hello('hello', { identity }));
      },
    ],
  ])('refuses %s from one who has the secret', async (_, code, attack) => {
    await undisturbed({}, code, async (target) => {
      const rogue = await Rogue.connect(target);
      attack(rogue);
      expect(await rogue.heardRefusal()).toBe(code);
      expect(target.links).toHaveLength(1);
    });
  });

  it.each<readonly [string, string, Buffer]>([
    ['an oversized frame', 'FRAME_TOO_LARGE', Buffer.from([255, 255, 255, 255, 1])],
    ['a frame of unknown kind', 'MALFORMED', encodeFrame(77, Buffer.from('x'))],
    ['credit for no lane', 'MALFORMED', encodeFrame(creditKind, Buffer.from([0, 0, 0, 0, 1]))],
    ['credit cut short', 'MALFORMED', encodeFrame(creditKind, Buffer.from([2, 0]))],
    [
      'an oversized frame in parts',
      'FRAME_TOO_LARGE',
      Buffer.concat(Array.from({ length: 1_025 }, () => encodeFrame(9, Buffer.alloc(16_379)))),
    ],
  ])('breaks the link of a node that sends %s, after what came before', async (_, code, bytes) => {
    await undisturbed({}, code, async (target) => {
      const rogue = await Rogue.connect(target);
      await rogue.link();
      rogue.say(1, Buffer.from('fine'));
      rogue.socket.write(bytes);
      rogue.say(1, Buffer.from('never heard'));
      expect(await rogue.heardRefusal()).toBe(code);
      expect(target.told.filter((line) => line.includes('rogue'))).toStrictEqual([
        'link rogue',
        'rogue fine',
        'down rogue garbage',
      ]);
    });
  });

  it('hangs up on one who connects and says nothing, before TLS and after', async () => {
    await undisturbed({ handshakeTimeoutMs: 100 }, 'AUTHENTICATION_FAILED', async (target) => {
      await once(tcp(target), 'close');
    });
    await undisturbed({ handshakeTimeoutMs: 100 }, 'AUTHENTICATION_FAILED', async (target) => {
      const rogue = await Rogue.connect(target);
      expect(await rogue.heardRefusal()).toBe('AUTHENTICATION_FAILED');
    });
  });

  it('gives up on a listener that says nothing', async () => {
    await using node = await new TestNode({ handshakeTimeoutMs: 100 }).start('n1');
    const server = createServer(
      { ...meshTls, pskCallback: () => keys.psk },
      (socket) => new Rogue(socket),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const bound = server.address();
    const address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
    await expect(node.transport.dial(address)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    server.close();
  });

  it('links with a good node while a crowd of silent ones pushes in, and drops the oldest of these', async () => {
    await using target = await new TestNode({ strangersMax: 10 }).start('n1');
    const crowd = Array.from({ length: 100 }, () => tcp(target));
    await Promise.all(crowd.map((socket) => once(socket, 'connect')));
    await using good = await new TestNode().start('n2');
    await good.transport.dial(target.address);
    await vi.waitFor(() => expect(crowd.filter((each) => !each.closed)).toHaveLength(9), 5_000);
    expect(crowd.slice(0, 91).every((each) => each.closed)).toBe(true);
    expect(target.transport.counters().refused).toStrictEqual({ OVERLOADED: 91 });
    // Its log is not flooded.
    expect(target.refusals.length).toBeLessThan(10);
    await vi.waitFor(() => expect(target.told).toStrictEqual(['link n2']));
    for (const socket of crowd) socket.destroy();
  });

  it('drops connections past its limit, and leaves the links that it has', async () => {
    await using target = await new TestNode({ connectionsMax: 2 }).start('n1');
    await using good = await new TestNode().start('n2');
    const link = await good.transport.dial(target.address);
    await vi.waitFor(() => expect(target.links).toHaveLength(1));
    const silent = tcp(target);
    await once(silent, 'connect');
    await once(tcp(target), 'close');
    expect(target.transport.counters().refused).toStrictEqual({ OVERLOADED: 1 });
    expect(silent.closed).toBe(false);
    link.send('normal', Buffer.from('still here'));
    await vi.waitFor(() => expect(target.told).toContain('n2 still here'));
    silent.destroy();
  });

  it('links nodes while their secret is changed, one node after the other', async () => {
    const steps = [[secret], [secret, otherSecret], [otherSecret, secret], [otherSecret]];
    for (const [step, secrets] of steps.entries()) {
      for (const others of [secrets, steps[step + 1] ?? secrets]) {
        await using a = await new TestNode({ secrets }).start('n1');
        await using b = await new TestNode({ secrets: others }).start('n2');
        await using c = await new TestNode({ secrets: others }).start('n3');
        expect((await a.transport.dial(b.address)).peer.node).toBe('n2');
        expect((await c.transport.dial(a.address)).peer.node).toBe('n1');
      }
    }
    await using before = await new TestNode({ secrets: [secret] }).start('n1');
    await using after = await new TestNode({ secrets: [otherSecret] }).start('n2');
    await expect(after.transport.dial(before.address)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
  });

  it('breaks with a peer whose frame does not get on, not with one that is slow', async () => {
    const options = { frameTimeoutMs: 600 };
    await undisturbed(options, 'MALFORMED', async (target) => {
      const rogue = await Rogue.connect(target);
      await rogue.link();
      for (const kind of [1 | partFlag, 1 | partFlag, 1 | partFlag, 1]) {
        const part = encodeFrame(kind, Buffer.alloc(partBytesMax));
        rogue.socket.write(part.subarray(0, 6));
        await sleep(systemClock, 250);
        rogue.socket.write(part.subarray(6));
      }
      await vi.waitFor(() => expect(target.told).toContain(`rogue ${4 * partBytesMax}`));
      rogue.socket.write(encodeFrame(1, Buffer.alloc(100)).subarray(0, 6));
      const dripping = setInterval(() => rogue.socket.write(Buffer.of(0)), 20);
      expect(await rogue.heardRefusal()).toBe('MALFORMED');
      clearInterval(dripping);
      expect(target.told.at(-1)).toBe('down rogue garbage');
    });
  });

  it('tells peers the address it is given', async () => {
    await using a = await new TestNode().start('n1');
    await using b = await new TestNode({ host: '0.0.0.0', advertise: 'n2.example' }).start('n2');
    const port = portOf(b.address);
    expect(b.address).toBe(`n2.example:${port}`);
    const link = await a.transport.dial(`127.0.0.1:${port}`);
    expect(link.peerAddress).toBe(b.address);
    await expect(new TestNode({ advertise: 'a b' }).start('n3')).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  it('stops at once although strangers hold on', async () => {
    const target = await new TestNode().start('n1');
    const rogue = await Rogue.connect(target);
    const silent = tcp(target);
    await once(silent, 'connect');
    await target.transport.stop();
    await vi.waitFor(() =>
      expect([silent.closed, rogue.socket.closed]).toStrictEqual([true, true]),
    );
  });

  it('finds a link reset when its peer is gone without goodbye', async () => {
    await using target = await new TestNode().start('n1');
    const rogue = await Rogue.connect(target);
    await rogue.link();
    rogue.say(1, Buffer.from('last words'));
    rogue.socket.end();
    await vi.waitFor(() =>
      expect(target.told).toStrictEqual(['link rogue', 'rogue last words', 'down rogue reset']),
    );
  });

  it('holds back no more than its bounds for a peer that does not read, and can still hang up', async () => {
    const target = await new TestNode().start('n1');
    const rogue = await Rogue.connect(target);
    await rogue.link();
    await vi.waitFor(() => expect(target.links).toHaveLength(1));
    rogue.socket.pause();
    const [link] = target.links;
    const frame = Buffer.alloc(200_000);
    for (let turn = 0; turn < 200; turn++) {
      link?.send('bulk', frame);
      link?.send('normal', frame);
      await new Promise(setImmediate);
    }
    expect([link?.send('normal', frame), link?.send('bulk', frame)]).toStrictEqual([false, false]);
    expect(link?.queuedBytes).toBeLessThan(21 * 2 ** 20);
    expect(link?.send('control', Buffer.from('urgent'))).toBe(true);
    await target.transport.stop(50);
    expect(target.told).toStrictEqual(['link rogue', 'down rogue local']);
    rogue.socket.destroy();
  });

  it('lets control and normal frames pass a stream that its peer reads and does not handle', async () => {
    const target = await new TestNode().start('n1');
    const rogue = await Rogue.connect(target);
    await rogue.link();
    await vi.waitFor(() => expect(target.links).toHaveLength(1));
    const [link] = target.links;
    for (let index = 0; index < 10; index++) link?.send('bulk', Buffer.alloc(2 ** 20), 1);
    const bulkBytes = (): number =>
      rogue.frames.reduce(
        (sum, { kind, payload }) => sum + (kind === 10 ? payload.length + 5 : 0),
        0,
      );
    await vi.waitFor(() => expect(bulkBytes()).toBeGreaterThanOrEqual(windowBytes.bulk));
    link?.send('normal', Buffer.from('call'), 2);
    link?.send('control', Buffer.from('ping'));
    expect((await rogue.heard(1)).toString()).toBe('call');
    expect((await rogue.heard(0)).toString()).toBe('ping');
    expect(bulkBytes()).toBeLessThanOrEqual(windowBytes.bulk + 65_536);
    rogue.say(creditKind, encodeCredit({ lane: 'bulk', bytes: 2 ** 20 }));
    await vi.waitFor(() => expect(bulkBytes()).toBeGreaterThanOrEqual(2 * windowBytes.bulk));
    await target.transport.stop(0);
    rogue.socket.destroy();
  });

  it('gives a peer credit for what it has handled, in time for a stream without a break', async () => {
    await using a = await new TestNode().start('n1');
    await using b = await new TestNode().start('n2');
    const link = await a.transport.dial(b.address);
    const streams = ['normal', 'bulk'] as const;
    for (let index = 0; index < 60; index++) {
      for (const lane of streams) {
        await vi.waitFor(() => expect(link.send(lane, Buffer.alloc(2 ** 19 + index))).toBe(true), {
          interval: 1,
          timeout: 5_000,
        });
      }
    }
    await vi.waitFor(() => expect(b.told).toHaveLength(121), 5_000);
    expect(link.queuedBytes).toBe(0);
  });

  it('refuses options that cannot work', async () => {
    expect(() => new MeshTransport({ secret: new Uint8Array(15) })).toThrow(
      expect.objectContaining({ code: 'SECRET_INVALID' }),
    );
    const bad = [{ port: 70_000 }, { connectionsMax: 0 }, { host: '' }, { secrets: [] }];
    for (const options of bad) {
      expect(() => new TestNode(options)).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^(INVALID_OPTION|SECRET_INVALID)$/),
        }),
      );
    }
    await using node = await new TestNode().start('n1');
    const taken = new TestNode({ port: portOf(node.address) });
    await expect(taken.start('n2')).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    const meta = { text: 'x'.repeat(4_000) };
    const identity = { cluster: 'test', node: 'n3', incarnation: 1, meta };
    const talkative = new TestNode();
    await expect(talkative.transport.start(identity, talkative)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});
