import { discoveryConformance, eventually } from '@foundation/testing';
import * as dns from 'dns-packet';
import { describe, expect, it } from 'vitest';

import { RepeatingClock } from '../../../test/repeating-clock.ts';
import { systemClock, type Clock } from '../../clock.ts';
import type { FoundationError } from '../../errors.ts';
import { seededRandom } from '../../random.ts';
import type { Advertisement, DiscoveryHandlers, Hint } from '../discovery.ts';
import { mdnsCodec, type SignedAnnouncement } from './mdns-packet.ts';
import { tagKey, tagOf } from './mdns-tag.ts';
import { MdnsDiscovery, type MdnsOptions } from './mdns.ts';
import type { Multicast, MulticastHandlers, MulticastNetwork } from './multicast.ts';

const secret = new Uint8Array(32).fill(7);
const codec = mdnsCodec(dns);

/** Time goes ten times as fast. */
const fast = 10;
const clock: Clock = {
  now: () => systemClock.now() * fast,
  wallNow: () => systemClock.wallNow(),
  after: (delayMs, action, kind) => systemClock.after(delayMs / fast, action, kind),
  every: (periodMs, action) => systemClock.every(periodMs / fast, action),
};

/** A link that everybody hears, where all addresses are on one interface. */
class Link implements MulticastNetwork {
  readonly packets: Uint8Array[] = [];
  readonly #members = new Set<MulticastHandlers>();
  /** What the interface says to who sends. */
  failure: Error | undefined;

  own(): ReturnType<MulticastNetwork['own']> {
    return [
      ...[1, 2, 3, 4].map((host) => ({
        interface: 'eth0',
        address: `10.0.0.${host}`,
        cidr: `10.0.0.${host}/24`,
      })),
      { interface: 'eth0', address: 'fd00::1', cidr: 'fd00::1/64' },
      { interface: 'eth1', address: '192.168.9.1', cidr: '192.168.9.1/24' },
    ];
  }

  async open(address: string, handlers: MulticastHandlers): Promise<Multicast> {
    this.#members.add(handlers);
    return {
      rejoin: () => {},
      send: async (packet) => {
        if (this.failure !== undefined) throw this.failure;
        this.say(packet, address);
      },
      close: async () => void this.#members.delete(handlers),
    };
  }

  say(packet: Uint8Array, from = '10.0.0.9'): void {
    this.packets.push(packet);
    for (const each of this.#members) setImmediate(() => each.onPacket(packet, from));
  }

  /** Announcements of this link that were not made by tests. */
  get announcements(): readonly SignedAnnouncement[] {
    const messages = this.packets.map((packet) => codec.read(packet));
    return messages.flatMap((each) => (each?.kind === 'answer' ? each.announcements : []));
  }

  get size(): number {
    return this.#members.size;
  }
}

function discovery(link: Link, options: Partial<MdnsOptions> = {}): MdnsDiscovery {
  return new MdnsDiscovery({ secret, cluster: 'test', network: link, clock, ...options });
}

discoveryConformance(
  'MdnsDiscovery',
  async () => {
    const link = new Link();
    return { join: () => discovery(link), [Symbol.asyncDispose]: async () => {} };
  },
  { kind: 'announcements' },
);

class Seen implements DiscoveryHandlers {
  told: string[] = [];
  errors: FoundationError[] = [];
  onPeers(hints: readonly Hint[]): void {
    expect(hints.every(({ node }) => node === undefined)).toBe(true);
    this.told.push(hints.map(({ address }) => address).join(' '));
  }
  onError(error: unknown): void {
    this.errors.push(error as FoundationError);
  }
  get known(): string | undefined {
    return this.told.at(-1);
  }
}

const self: Advertisement = { node: 'secret-name', incarnation: 1, address: '10.0.0.1:7946' };

async function withNode(
  options: Partial<MdnsOptions>,
  test: (link: Link, seen: Seen, node: MdnsDiscovery) => Promise<void>,
): Promise<void> {
  const link = new Link();
  const seen = new Seen();
  const node = discovery(link, options);
  try {
    await node.start(self, seen);
    await test(link, seen, node);
  } finally {
    await node.stop();
  }
  expect(link.size).toBe(0);
}

/** What a member says, or one that would like to be taken for one. */
function announcement(
  said: Partial<SignedAnnouncement> & { readonly by?: Uint8Array; readonly cluster?: string } = {},
): Uint8Array {
  const { by = secret, cluster = 'test', ...rest } = said;
  const announced = {
    instance: 'peer',
    address: { host: '10.0.0.2', port: 7946 },
    atSeconds: Math.floor(Date.now() / 1_000),
    ttlSeconds: 30,
    ...rest,
  };
  return codec.announcement({ tag: tagOf(tagKey(by, cluster), announced), ...announced });
}

const isQuestion = (packet: Uint8Array): boolean => codec.read(packet)?.kind === 'question';

/** A node that has just started, in a time that passes when told to. */
async function withTime(
  options: Partial<MdnsOptions>,
  test: (link: Link, time: RepeatingClock) => Promise<void>,
): Promise<void> {
  const link = new Link();
  const time = new RepeatingClock();
  const node = discovery(link, { ...options, clock: time });
  const starting = node.start(self, new Seen());
  await time.advance(300);
  await starting;
  await test(link, time);
  await node.stop();
  expect(time.pending).toBe(0);
}

describe('MdnsDiscovery', () => {
  it('believes a member, and forgets it when it says goodbye', () =>
    withNode({}, async (link, seen) => {
      link.say(announcement());
      await eventually('it is known', () => seen.known === '10.0.0.2:7946');
      link.say(announcement({ ttlSeconds: 0 }));
      await eventually('it is forgotten', () => seen.known === '');
      expect(seen.errors).toEqual([]);
    }));

  it('forgets a member that is not heard of in time', () =>
    withNode({}, async (link, seen) => {
      link.say(announcement({ ttlSeconds: 2 }));
      await eventually('it is known', () => seen.known === '10.0.0.2:7946');
      await eventually('it is forgotten', () => seen.known === '');
      expect(seen.told).toEqual(['', '10.0.0.2:7946', '']);
    }));

  const lies: readonly (readonly [string, () => Uint8Array])[] = [
    ['another secret', () => announcement({ by: new Uint8Array(32) })],
    ['another cluster', () => announcement({ cluster: 'other' })],
    ['no tag', () => announcement({ tag: '' })],
    ['an address on the internet', () => announcement({ address: { host: '8.8.8.8', port: 53 } })],
    ['another private network', () => announcement({ address: { host: '10.0.1.2', port: 1 } })],
    ['another interface', () => announcement({ address: { host: '192.168.9.2', port: 1 } })],
    ['loopback', () => announcement({ address: { host: '127.0.0.1', port: 1 } })],
  ];

  it.each(lies)('tells nobody of %s', (_, lie) =>
    withNode({}, async (link, seen) => {
      link.say(lie());
      link.say(announcement({ instance: 'honest' }));
      await eventually('the honest one is known', () => seen.known === '10.0.0.2:7946');
      expect(seen.errors).toEqual([]);
    }),
  );

  it('tells of a member by an IPv6 address in a network of its own', () =>
    withNode({}, async (link, seen) => {
      link.say(announcement({ address: { host: 'fd00::2', port: 1 } }));
      await eventually('it is known', () => seen.known === '[fd00::2]:1');
    }));

  it('hears nobody from outside of its networks', () =>
    withNode({}, async (link, seen) => {
      link.say(announcement(), '8.8.8.8');
      link.say(announcement({ instance: 'honest', address: { host: '10.0.0.3', port: 1 } }));
      await eventually('the honest one is known', () => seen.known === '10.0.0.3:1');
    }));

  it('does not believe what was said long ago, or will be, and reports that clocks differ', () =>
    withNode({}, async (link, seen) => {
      const now = Math.floor(Date.now() / 1_000);
      link.say(announcement({ atSeconds: now - 660 }));
      link.say(announcement({ atSeconds: now + 660 }));
      link.say(
        announcement({
          instance: 'late',
          atSeconds: now - 540,
          address: { host: '10.0.0.3', port: 1 },
        }),
      );
      await eventually('one is known', () => seen.known === '10.0.0.3:1');
      expect(seen.errors.map(({ code }) => code)).toEqual(['DISCOVERY_FAILED', 'DISCOVERY_FAILED']);
      expect(seen.errors[0]?.message).toMatch(/^mdns: the clock of 10.0.0.2:7946 is 66\d s away/);
    }));

  it('is not made to forget a member by somebody else', () =>
    withNode({}, async (link, seen) => {
      link.say(announcement());
      await eventually('it is known', () => seen.known === '10.0.0.2:7946');
      const { tag } = codecOf(announcement());
      link.say(announcement({ ttlSeconds: 0, tag }));
      link.say(announcement({ instance: 'other', address: { host: '10.0.0.3', port: 1 } }));
      await eventually('the next one is known', () => seen.known === '10.0.0.2:7946 10.0.0.3:1');
    }));

  it('knows as many as it may, and reports more', () =>
    withNode({ hintsMax: 2 }, async (link, seen) => {
      for (const host of [1, 2, 3]) {
        link.say(
          announcement({ instance: `peer${host}`, address: { host: `10.0.0.${host}`, port: 9 } }),
        );
      }
      await eventually('one too many is reported', () => seen.errors.length === 1);
      expect(seen.known).toBe('10.0.0.1:9 10.0.0.2:9');
      expect(seen.errors[0]).toMatchObject({
        message: 'mdns: 2 nodes are known, 10.0.0.3:9 is not taken',
        details: { hintsMax: 2 },
      });
    }));

  it('answers as one, however many ask, and not twice in a second', () =>
    withTime({ refreshMs: 1e9 }, async (link, time) => {
      await time.advance(10_000); // greetings are over
      const before = link.announcements.length;
      for (let each = 0; each < 500; each++) link.say(codec.question());
      await time.advance(120);
      expect(link.announcements).toHaveLength(before + 1);
      for (let each = 0; each < 500; each++) link.say(codec.question());
      await time.advance(800);
      expect(link.announcements).toHaveLength(before + 1);
      await time.advance(200);
      expect(link.announcements).toHaveLength(before + 2);
    }));

  it('asks each `refreshMs`, unless somebody else did', () =>
    withTime({ refreshMs: 2_000 }, async (link, time) => {
      const questions = (): number => link.packets.filter(isQuestion).length;
      await time.advance(10_000); // greetings are over
      const before = questions();
      await time.advance(10_000);
      expect(questions()).toBe(before + 5);
      for (let each = 0; each < 5; each++) {
        await time.advance(1_500);
        link.say(codec.question());
        await time.advance(500);
      }
      expect(questions()).toBe(before + 5 + 5);
    }));

  it('greets three times, since packets get lost', () =>
    withTime({ refreshMs: 1e9 }, async (link, time) => {
      const greetings = (): number => link.packets.filter(isQuestion).length;
      expect(greetings()).toBe(1);
      await time.advance(1_000);
      expect(greetings()).toBe(2);
      await time.advance(2_000);
      expect(greetings()).toBe(3);
      await time.advance(60_000);
      expect(greetings()).toBe(3);
    }));

  it('announces itself under another name in each life, and takes that back when it stops', async () => {
    const link = new Link();
    const node = discovery(link);
    await node.start(self, new Seen());
    await node.stop();
    await node.start(self, new Seen());
    await node.stop();
    const announced = link.announcements;
    expect(new Set(announced.map(({ instance }) => instance)).size).toBe(2);
    expect(announced.filter(({ ttlSeconds }) => ttlSeconds === 0)).toHaveLength(2);
    expect(announced.at(-1)?.ttlSeconds).toBe(0);
    expect(announced[0]).toMatchObject({
      address: { host: '10.0.0.1', port: 7946 },
      ttlSeconds: 30,
    });
    const bytes = Buffer.concat(link.packets).toString('latin1');
    for (const word of ['secret-name', 'test', 'peer']) expect(bytes).not.toContain(word);
  });

  it('reports that it cannot be heard, and goes on', async () => {
    const link = new Link();
    link.failure = new Error('the cable is out');
    const seen = new Seen();
    const node = discovery(link);
    await node.start(self, seen);
    expect(seen.told).toEqual(['']);
    expect(seen.errors[0]).toMatchObject({ message: 'mdns: the cable is out' });
    link.failure = undefined;
    await eventually('it is heard', () => link.announcements.length > 0);
    await node.stop();
  });

  it('stops while it starts', async () => {
    const link = new Link();
    const seen = new Seen();
    const node = discovery(link);
    const starting = node.start(self, seen);
    await node.stop();
    await starting;
    await node.stop();
    expect(link.size).toBe(0);
  });
});

function codecOf(packet: Uint8Array): SignedAnnouncement {
  const message = codec.read(packet);
  const [said] = message?.kind === 'answer' ? message.announcements : [];
  if (said === undefined) throw new Error('no announcement');
  return said;
}

describe('where MdnsDiscovery announces a node', () => {
  const announcedAt = async (
    address: string,
    options: Partial<MdnsOptions> = {},
  ): Promise<unknown> => {
    const link = new Link();
    const node = discovery(link, { random: seededRandom(1), ...options });
    await node.start({ ...self, address }, new Seen());
    await node.stop();
    return link.announcements[0]?.address;
  };

  it.each([
    ['10.0.0.2:1', {}, { host: '10.0.0.2', port: 1 }],
    ['[fd00::1]:1', {}, { host: 'fd00::1', port: 1 }],
    ['0.0.0.0:1', { interface: 'eth1' }, { host: '192.168.9.1', port: 1 }],
    ['[::]:1', { interface: 'eth0' }, { host: '10.0.0.1', port: 1 }],
  ])('that listens on %s with %j', async (address, options, expected) => {
    expect(await announcedAt(address, options)).toEqual(expected);
  });

  it.each([
    ['127.0.0.1:1', {}, '127.0.0.1:1 is not an address of any interface in a private network'],
    ['8.8.8.8:1', {}, '8.8.8.8:1 is not an address of any interface'],
    ['10.0.0.1:1', { interface: 'eth1' }, '10.0.0.1:1 is not an address of the interface eth1'],
    ['0.0.0.0:1', {}, 'expected `interface` to be one of eth0, eth1, got: undefined'],
    ['0.0.0.0:1', { interface: 'wlan0' }, 'is not an address of the interface wlan0'],
  ])('that listens on %s with %j: it refuses', async (address, options, message) => {
    await expect(announcedAt(address, options)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [{ secret: new Uint8Array(15) }, 'no secret of 16 bytes'],
    [{ secret: 'text' }, 'no secret of 16 bytes'],
    [{ cluster: 1 }, '`cluster`'],
    [{ ttlMs: 500 }, '`ttlMs`'],
    [{ refreshMs: 0 }, '`refreshMs`'],
    [{ hintsMax: 0 }, '`hintsMax`'],
    [{ iface: 'eth0' }, 'unknown option `iface`'],
  ])('refuses %j', (options, message) => {
    expect(() => discovery(new Link(), options as Partial<MdnsOptions>)).toThrow(message);
  });
});
