import { sleep, type Clock, type Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { formatAddress, type Address } from '../address.ts';
import type { DiscoveryHandlers } from '../discovery.ts';
import { KnownHints } from './known-hints.ts';
import type { MdnsCodec, SignedAnnouncement } from './mdns-packet.ts';
import { unexpired, withoutPeer, withPeer, type AnnouncedPeers } from './mdns-state.ts';
import { isTagOf, tagOf } from './mdns-tag.ts';
import type { Multicast, MulticastNetwork } from './multicast.ts';
import { within, type OwnNetwork } from './own-networks.ts';

/** What a session needs of its discovery. */
export interface MdnsSessionOptions {
  readonly key: Buffer;
  readonly codec: MdnsCodec;
  readonly handlers: DiscoveryHandlers;
  /** The name of this life, which tells nothing. */
  readonly instance: string;
  /** Where this node is. */
  readonly address: Address;
  readonly interfaceName: string;
  readonly refreshMs: number;
  readonly ttlMs: number;
  readonly hintsMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: MulticastNetwork;
}

/** How long those who are there have for their answer, in milliseconds. */
const answerMs = 300;
/** An answer waits for this and up to as much again, so that not all come at once (RFC 6762, 6). */
const spreadMs = 20;
const spreadMsMax = 120;
/** The same records are not sent twice within this time (RFC 6762, 6). */
const announceEveryMs = 1_000;
/** The first packets may be lost: when they are sent again (RFC 6762, 5.2 and 8.3). */
const againAfterMs = [1_000, 3_000];
const expireEveryMs = 1_000;
/** How far the clocks of two nodes may be apart; for so long an announcement can be replayed. */
const clocksApartSecondsMax = 600;

/** Multicast DNS from start to stop. */
export class MdnsSession {
  readonly #options: MdnsSessionOptions;
  readonly #known: KnownHints;
  readonly #timers: Timer[] = [];
  /** Whether an address is in one of the interface's networks. */
  #isNear: (host: string) => boolean = () => false;
  #multicast: Multicast | undefined;
  #peers: AnnouncedPeers = new Map();
  /** Whether the first answers have been told. */
  #isTelling = false;
  #isOver = false;
  #announcedMs = -Infinity;
  #askedMs = -Infinity;
  #answer: Timer | undefined;

  constructor(options: MdnsSessionOptions) {
    this.#options = options;
    const { handlers, hintsMax } = options;
    this.#known = new KnownHints({ name: 'mdns', handlers, hintsMax });
  }

  /** Resolves when those who answer at once are told. */
  async begin(): Promise<void> {
    const { clock, network, interfaceName, refreshMs } = this.#options;
    const bound = this.#lookAround().find(({ address }) => address.includes('.'));
    if (bound === undefined) throw withoutIpv4(interfaceName);
    const multicast = await network.open(bound.address, {
      onPacket: (packet, from) => this.#receive(packet, from),
      onError: (error) => this.#failed(error),
    });
    if (this.#isOver) return multicast.close();
    this.#multicast = multicast;
    const again = againAfterMs.map((delayMs) =>
      clock.after(delayMs, () => this.#greet(), 'background'),
    );
    this.#timers.push(
      ...again,
      clock.every(refreshMs, () => this.#beat()),
      clock.every(expireEveryMs, () => this.#setPeers(unexpired(this.#peers, clock.now()))),
    );
    this.#greet();
    await sleep(clock, answerMs);
    this.#isTelling = true;
    this.#setPeers(this.#peers);
  }

  async refresh(): Promise<void> {
    this.#ask();
    await sleep(this.#options.clock, answerMs);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#answer?.cancel();
    await this.#send(this.#announcement(0));
    await this.#multicast?.close();
  }

  #greet(): void {
    this.#announce();
    this.#ask();
  }

  /** Asks again, unless somebody else has: answers are for everybody (RFC 6762, 7.3). */
  #beat(): void {
    const { clock, refreshMs } = this.#options;
    this.#lookAround();
    this.#multicast?.rejoin();
    if (clock.now() - this.#askedMs > refreshMs / 2) this.#ask();
  }

  /** The networks of an interface change while a program runs. */
  #lookAround(): readonly OwnNetwork[] {
    const { network, interfaceName } = this.#options;
    const networks = network.own().filter((each) => each.interface === interfaceName);
    this.#isNear = within(networks);
    return networks;
  }

  #ask(): void {
    this.#askedMs = this.#options.clock.now();
    void this.#send(this.#options.codec.question());
  }

  #announce(): void {
    this.#announcedMs = this.#options.clock.now();
    void this.#send(this.#announcement(this.#options.ttlMs / 1_000));
  }

  /** Many may ask, and many at once: there is one answer for all of them. */
  #answerSoon(): void {
    if (this.#answer !== undefined) return;
    const { clock, random } = this.#options;
    const spread = spreadMs + random.int(spreadMsMax - spreadMs);
    const delayMs = Math.max(spread, this.#announcedMs + announceEveryMs - clock.now());
    const answer = (): void => {
      this.#answer = undefined;
      this.#announce();
    };
    this.#answer = clock.after(delayMs, answer, 'background');
  }

  #announcement(ttlSeconds: number): Uint8Array {
    const { key, codec, instance, address, clock } = this.#options;
    const atSeconds = Math.floor(clock.wallNow() / 1_000);
    const announced = { instance, address, atSeconds, ttlSeconds: Math.ceil(ttlSeconds) };
    return codec.announcement({ ...announced, tag: tagOf(key, announced) });
  }

  async #send(packet: Uint8Array): Promise<void> {
    try {
      await this.#multicast?.send(packet);
    } catch (error) {
      this.#failed(error);
    }
  }

  #receive(packet: Uint8Array, from: string): void {
    if (this.#isOver || !this.#isNear(from)) return;
    const message = this.#options.codec.read(packet);
    switch (message?.kind) {
      case 'question':
        this.#askedMs = this.#options.clock.now();
        return this.#answerSoon();
      case 'answer':
        for (const each of message.announcements) this.#heard(each);
        return;
      case undefined:
    }
  }

  #heard(announcement: SignedAnnouncement): void {
    const { clock, hintsMax, instance: self } = this.#options;
    const { instance, address, ttlSeconds } = announcement;
    if (instance === self || !this.#isBelieved(announcement)) return;
    if (ttlSeconds === 0) return this.#setPeers(withoutPeer(this.#peers, instance));
    const peer = { instance, address: formatAddress(address), ttlMs: ttlSeconds * 1_000 };
    const peers = withPeer(this.#peers, peer, { nowMs: clock.now(), peersMax: hintsMax });
    if (peers === undefined) this.#failed(tooMany(peer.address, hintsMax));
    else this.#setPeers(peers);
  }

  /** What a member has said of an address on this link, not too long ago. */
  #isBelieved(announcement: SignedAnnouncement): boolean {
    const { key, clock } = this.#options;
    const { address, atSeconds, tag } = announcement;
    if (!this.#isNear(address.host)) return false;
    if (!isTagOf(key, announcement, tag)) return false;
    const apartSeconds = Math.abs(clock.wallNow() / 1_000 - atSeconds);
    if (apartSeconds <= clocksApartSecondsMax) return true;
    this.#failed(apart(address, apartSeconds));
    return false;
  }

  #setPeers(peers: AnnouncedPeers): void {
    this.#peers = peers;
    if (!this.#isTelling || this.#isOver) return;
    this.#known.are([...peers.values()].map(({ address }) => ({ address })));
  }

  #failed(error: unknown): void {
    if (!this.#isOver) this.#known.failed(error);
  }
}

function withoutIpv4(interfaceName: string): FoundationError {
  return new FoundationError('INVALID_OPTION', `mdns: ${interfaceName} has no IPv4 address`, {
    hint: 'Multicast is sent over IPv4: give the interface such an address, or use another discovery.',
    details: { interface: interfaceName },
  });
}

function tooMany(address: string, hintsMax: number): FoundationError {
  return new FoundationError(
    'DISCOVERY_FAILED',
    `${hintsMax} nodes are known, ${address} is not taken`,
    {
      hint: 'The nodes that are known tell of the rest. Raise `hintsMax` if that is not enough.',
      details: { address, hintsMax },
    },
  );
}

function apart(address: Address, apartSeconds: number): FoundationError {
  const seconds = Math.round(apartSeconds);
  return new FoundationError(
    'DISCOVERY_FAILED',
    `the clock of ${formatAddress(address)} is ${seconds} s away from this one, or somebody repeats what it said then`,
    {
      hint: 'Set the clocks of both machines.',
      details: { address: formatAddress(address), seconds },
    },
  );
}
