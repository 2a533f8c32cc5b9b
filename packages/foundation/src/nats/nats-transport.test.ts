import { eventually, transportConformance } from '@foundation/testing';
import { startNats, startTcpProxy, type NatsServers } from '@foundation/testing/servers';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sleep, systemClock } from '../clock.ts';
import type { Link, TransportHandlers } from '../cluster/transport.ts';
import { introduce, type HandshakeHost } from '../cluster/transports/mesh-handshake.ts';
import { isFoundationError, type FoundationError } from '../errors.ts';
import { encodeKnock } from './knock.ts';
import { memberKeys } from './member-keys.ts';
import { NatsClient } from './nats-client.ts';
import type { NatsOptions } from './nats-options.ts';
import { NatsSessions } from './nats-sessions.ts';
import { NatsTransport, type NatsTransportOptions } from './nats-transport.ts';
import { doorSubject } from './node-address.ts';
import { newKeyShare } from './session-keys.ts';

const secret = new Uint8Array(32).fill(7);
const otherSecret = new Uint8Array(32).fill(8);

/** A node's transport, and all that it told. */
class TestNode implements TransportHandlers, AsyncDisposable {
  readonly transport: NatsTransport;
  readonly told: string[] = [];
  readonly refusals: FoundationError[] = [];
  readonly links: Link[] = [];
  address = '';

  constructor(nats: NatsOptions, options: Partial<NatsTransportOptions> = {}) {
    this.transport = new NatsTransport({ nats: new NatsClient(nats), secret, ...options });
  }

  async start(node: string, incarnation = 1): Promise<this> {
    const identity = { cluster: 'test', node, incarnation, meta: {} };
    this.address = await this.transport.start(identity, this);
    return this;
  }

  admit(): undefined {}

  onLink(link: Link): void {
    this.links.push(link);
    this.told.push(`link ${link.peer.node}`);
  }

  onFrame(link: Link, _: string, frame: Uint8Array): void {
    this.told.push(`${link.peer.node} ${Buffer.from(frame).toString()}`);
  }

  onDown(link: Link, reason: string): void {
    this.told.push(`down ${link.peer.node} ${reason}`);
  }

  onRefused(error: FoundationError): void {
    this.refusals.push(error);
  }

  send(text: string): boolean {
    return this.links.at(-1)?.send('normal', Buffer.from(text)) ?? false;
  }

  hears(text: string): Promise<boolean> {
    return eventually(`"${text}" among ${this.told.join(', ')}`, () => this.told.includes(text));
  }

  refused(code: string): number {
    return this.transport.counters().refused[code] ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.stop();
  }
}

const codeOf = (dial: Promise<unknown>): Promise<string> =>
  dial.then(
    () => 'linked',
    (error: unknown) => (isFoundationError(error) ? error.code : String(error)),
  );

describe('NATS', () => {
  let servers: NatsServers;
  /** Somebody who may do everything on the servers, and has not got the secret. */
  let outsider: NatsConnection;
  let at: NatsOptions;
  beforeAll(async () => {
    servers = await startNats({ jetstream: false });
    outsider = await connect({ servers: [...servers.urls] });
    at = { servers: servers.urls };
  });
  afterAll(async () => {
    await outsider.close();
    await servers[Symbol.asyncDispose]();
  });

  transportConformance('NatsTransport', async () => ({
    join: () => new NatsTransport({ nats: new NatsClient(at), secret }),
    [Symbol.asyncDispose]: async () => {},
  }));

  /** Records what passes between two nodes. */
  function overhear(): Msg[] {
    const messages: Msg[] = [];
    outsider.subscribe('foundation.test.node.>', {
      callback: (_, message) => void messages.push(message),
    });
    return messages;
  }

  describe('NatsTransport', () => {
    it('refuses a node with another secret, and says so at both ends', async () => {
      await using a = await new TestNode(at).start('a');
      await using b = await new TestNode(at, { secret: otherSecret }).start('b');
      const refusal = await b.transport.dial(a.address).catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: 'AUTHENTICATION_FAILED',
        hint: expect.stringContaining('secret'),
      });
      await eventually('a knows', () => a.refused('AUTHENTICATION_FAILED') === 1);
      expect(b.refused('AUTHENTICATION_FAILED')).toBe(1);
      expect([...a.told, ...b.told]).toEqual([]);
    });

    it('links nodes while their secret is being changed', async () => {
      await using a = await new TestNode(at, { secret: [otherSecret, secret] }).start('a');
      await using b = await new TestNode(at, { secret: [secret, otherSecret] }).start('b');
      await a.transport.dial(b.address);
      a.send('hello');
      await b.hears('a hello');
      expect(b.told).toEqual(['link a', 'a hello']);
    });

    it('shows nothing of what is said to others, and takes nothing that they send', async () => {
      const overheard = overhear();
      await using a = await new TestNode(at).start('a');
      await using b = await new TestNode(at).start('b');
      await a.transport.dial(b.address);
      a.send('a word that nobody else may read');
      await b.hears('a a word that nobody else may read');
      expect(overheard.length).toBeGreaterThan(4);
      expect(Buffer.concat(overheard.map(({ data }) => data)).includes('nobody else')).toBe(false);

      // All of it once more, to where it went, where it came from, and changed.
      for (const { subject, reply = '', data } of overheard.splice(0)) {
        const changed = Buffer.from(data);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        for (const message of [data, changed, new Uint8Array(40)]) {
          outsider.publish(subject, message);
          if (reply !== '') outsider.publish(reply, message);
        }
      }
      await outsider.flush();
      a.send('still here');
      await b.hears('a still here');
      expect(b.told).toEqual(['link a', 'a a word that nobody else may read', 'a still here']);
      expect(b.refused('AUTHENTICATION_FAILED')).toBeGreaterThan(5);
      // Whoever floods a node does not flood its log.
      expect(b.refusals.length).toBeLessThan(5);
    });

    it('takes no knock that was made for another door, was there before, or is of another version', async () => {
      const overheard = overhear();
      await using a = await new TestNode(at).start('a');
      await using b = await new TestNode(at).start('b');
      await using _c = await new TestNode(at).start('c');
      await a.transport.dial(b.address);
      const knock = overheard.find(({ subject }) => subject === 'foundation.test.node.b.1.door');
      const bytes = knock?.data ?? new Uint8Array(0);
      const older = Buffer.from(bytes);
      older.writeUInt16BE(1, 0);
      for (const [door, said] of [
        ['b', bytes],
        ['b', older],
        ['c', bytes],
      ] as const) {
        outsider.publish(`foundation.test.node.${door}.1.door`, said);
      }
      await eventually(
        'all are refused',
        () => Object.keys(b.transport.counters().refused).length === 2,
      );
      expect(b.transport.counters().refused).toEqual({ MALFORMED: 1, PROTOCOL_VERSION: 1 });
      expect(_c.transport.counters().refused).toEqual({ AUTHENTICATION_FAILED: 1 });
      expect(b.told).toEqual(['link a']);
    });

    it('refuses a node that calls itself by another name than the one on whose subject it listens', async () => {
      await using b = await new TestNode(at).start('b');
      const nats = new NatsClient(at);
      await nats.open();
      const self = { cluster: 'test', node: 'rogue', incarnation: 1 };
      const proofKeys = memberKeys('test', secret);
      const limits = {
        handshakeTimeoutMs: 1_000,
        pingEveryMs: 1_000,
        lateMs: 1_000,
        strangersMax: 1,
      };
      const ignore = (): void => {};
      const handlers = {
        onStranger: ignore,
        onRefused: ignore,
        onForged: ignore,
        onProblem: ignore,
      };
      const traffic = { bytesIn: 0, bytesOut: 0 };
      using sessions = new NatsSessions({
        client: nats,
        self,
        proofKeys,
        limits,
        traffic,
        ...handlers,
      });
      const stranger = await sessions.knock({ cluster: 'test', node: 'b', incarnation: 1 });
      const outcome = await new Promise((resolve) => {
        const claimed = { cluster: 'test', node: 'victim', incarnation: 1, meta: {} };
        const host: HandshakeHost = {
          self: claimed,
          address: 'nats:test/victim/1',
          proofKeys,
          clock: systemClock,
          timeoutMs: 1_000,
          greeted: new Map(),
          isAddress: () => true,
          admit: () => undefined,
          heldSessions: () => new Map(),
        };
        introduce(stranger, host, resolve);
      });
      expect(outcome).toMatchObject({ code: 'IDENTITY_MISMATCH' });
      expect(b.refused('IDENTITY_MISMATCH')).toBe(1);
      expect(b.told).toEqual([]);
      await nats.close();
    });

    it('makes room for a newcomer when many have knocked and said nothing since', async () => {
      await using b = await new TestNode(at, { strangersMax: 3 }).start('b');
      const [proofKey] = memberKeys('test', secret);
      const door = doorSubject({ cluster: 'test', node: 'b', incarnation: 1 });
      for (let number = 1; number <= 5; number++) {
        const from = { cluster: 'test', node: `rogue${number}`, incarnation: 1 };
        const session = `${number}`.repeat(16);
        const knock = { from, session, key: newKeyShare().publicKey };
        outsider.publish(door, encodeKnock(knock, proofKey, door));
      }
      await eventually('two had to go', () => b.refused('OVERLOADED') === 2);
      await using a = await new TestNode(at).start('a');
      await a.transport.dial(b.address);
      await b.hears('link a');
    });

    it('breaks a link at once when its peer has vanished, and says that nobody is there', async () => {
      await using proxy = await startTcpProxy(Number(new URL(servers.urls[0] ?? '').port));
      await using a = await new TestNode(at, { reconnectMs: 200 }).start('a');
      await using b = await new TestNode({ servers: `127.0.0.1:${proxy.port}` }).start('b');
      await a.transport.dial(b.address);
      await b.hears('link a');
      proxy.hold();
      proxy.cut();
      await a.hears('down b reset');
      expect(a.send('to nobody')).toBe(false);
      expect(await codeOf(a.transport.dial(b.address))).toBe('NODE_UNREACHABLE');
      expect(b.told).toEqual(['link a', 'down a reset']);
    });

    it('knows that nobody is there only when others have had the time to come back to the servers', async () => {
      let aheadMs = 0;
      const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
      await using own = await startNats({ jetstream: false });
      const nats = new NatsClient({ servers: own.urls, clock });
      await using a = await new TestNode(at, { nats, reconnectMs: 100 }).start('a');
      const dial = (): Promise<unknown> =>
        a.transport.dial('nats:test/absent/1').catch((error: unknown) => error);
      expect(await dial()).toMatchObject({ details: { isRefused: true } });
      await own.members[0]?.kill();
      await eventually('it knows', () => nats.connection === undefined);
      expect(await dial()).not.toMatchObject({ details: { isRefused: true } });
      await own.members[0]?.restart();
      await eventually('it is back', () => nats.connection !== undefined);
      const early = await dial();
      expect(early).toMatchObject({ code: 'NODE_UNREACHABLE' });
      expect(early).not.toMatchObject({ details: { isRefused: true } });
      aheadMs = 10_000;
      expect(await dial()).toMatchObject({
        code: 'NODE_UNREACHABLE',
        details: { isRefused: true },
      });
    });

    it('breaks all links when the server is killed, and links again when it is back', async () => {
      await using own = await startNats({ jetstream: false });
      await using a = await new TestNode({ servers: own.urls }).start('a');
      await using b = await new TestNode({ servers: own.urls }).start('b');
      await a.transport.dial(b.address);
      await b.hears('link a');
      await own.members[0]?.kill();
      await Promise.all([a.hears('down b reset'), b.hears('down a reset')]);
      expect(a.send('while there is no server')).toBe(false);
      await own.members[0]?.restart();
      await eventually('they are linked again', () =>
        a.transport.dial(b.address).catch(() => false),
      );
      a.send('again');
      await b.hears('a again');
      expect(b.told).toEqual(['link a', 'down a reset', 'link a', 'a again']);
      expect(a.refusals.map(({ code, message }) => `${code}: ${message}`)).toEqual([
        expect.stringMatching(/^NODE_UNREACHABLE: the connection to the NATS server .* broke$/),
      ]);
    });

    it.each([
      ['keeps its connections', 60_000],
      ['loses its connections', 150],
    ])(
      'delivers nothing late that a frozen server had kept back and that %s',
      async (_, pingEveryMs) => {
        await using own = await startNats({ jetstream: false });
        const nats = { servers: own.urls, pingEveryMs };
        await using a = await new TestNode(nats, { lateMs: 600, pingEveryMs: 100 }).start('a');
        await using b = await new TestNode(nats, { lateMs: 600, pingEveryMs: 100 }).start('b');
        await a.transport.dial(b.address);
        a.send('in time');
        await b.hears('a in time');
        own.members[0]?.freeze();
        let sent = 0;
        while (a.send(`kept back ${++sent}`)) await sleep(systemClock, 20);
        await b.hears('down a reset');
        const before = [...b.told];
        own.members[0]?.thaw();
        await eventually('they are linked again', () =>
          a.transport.dial(b.address).catch(() => false),
        );
        a.send('afterwards');
        await b.hears('a afterwards');
        expect(sent).toBeGreaterThan(before.length + 5);
        expect(b.told).toEqual([...before, 'link a', 'a afterwards']);
      },
    );

    it('reports what its user may not do on the servers', async () => {
      const users = (names: readonly string[]): string =>
        `authorization { users: [ ${names.map(user).join(', ')} ] }`;
      await using restricted = await startNats({ jetstream: false, config: users(['a', 'b']) });
      const as = (name: string): NatsOptions => ({
        servers: restricted.urls,
        user: name,
        password: name,
        inboxPrefix: `_INBOX.${name}`,
      });
      await using a = await new TestNode(as('a')).start('a');
      await using b = await new TestNode(as('b')).start('b');
      await a.transport.dial(b.address);
      a.send('allowed');
      await b.hears('a allowed');

      // Who has the secret and takes another node's name is not heard: the answer goes to that node's subject.
      await using thief = await new TestNode(as('b'), {
        reconnectMs: 100,
        handshakeTimeoutMs: 200,
      }).start('a', 2);
      await eventually('it is refused', () => thief.refusals.length > 0);
      expect(thief.refusals[0]).toMatchObject({
        code: 'AUTHENTICATION_FAILED',
        message: expect.stringContaining('foundation.test.node.a.2.*'),
        hint: expect.stringContaining('permissions'),
      });
      expect(await codeOf(thief.transport.dial(b.address))).toBe('NODE_UNREACHABLE');
      expect(b.told).toEqual(['link a', 'a allowed']);
    });

    it.each([
      [{ secret: new Uint8Array(3) }, 'SECRET_INVALID'],
      [{ secret: [] }, 'INVALID_OPTION'],
      [{ lateMs: 0 }, 'INVALID_OPTION'],
      [{ retries: 3 }, 'INVALID_OPTION'],
    ])('refuses the options %j', (wrong, code) => {
      const options = { nats: new NatsClient(at), secret, ...wrong };
      expect(() => new NatsTransport(Object(options))).toThrow(expect.objectContaining({ code }));
    });

    it('says that no server answers', async () => {
      const node = new TestNode({ servers: 'nats://127.0.0.1:1' });
      expect(await codeOf(node.start('a'))).toBe('NODE_UNREACHABLE');
      expect(await codeOf(node.transport.dial('nats:test/b/1'))).toBe('NODE_STOPPED');
    });
  });
});

/** May listen on its own subjects, and send to everybody's. */
function user(name: string): string {
  const publish = '"foundation.test.node.*.*.*"';
  const subscribe = `["foundation.test.node.${name}.>", "_INBOX.${name}.>"]`;
  return `{ user: ${name}, password: ${name}, permissions: { publish: ${publish}, subscribe: ${subscribe} } }`;
}
