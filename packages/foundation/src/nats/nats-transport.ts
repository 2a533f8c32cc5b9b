import { sleep } from '../clock.ts';
import type { ProbeSource } from '../cluster/detector/probe-channel.ts';
import type {
  Identity,
  Link,
  Transport,
  TransportCounters,
  TransportHandlers,
} from '../cluster/transport.ts';
import { checkGreeting, LinkTable, transportStopped } from '../cluster/transports/link-table.ts';
import {
  acceptPeer,
  introduce,
  type HandshakeHost,
  type Stranger,
} from '../cluster/transports/mesh-handshake.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { moduleBeside } from '../module-beside.ts';
import { checkNumber, refuseUnknown, withDefaults } from '../options.ts';
import { frameBytesMaxDefault } from '../wire/frame.ts';
import { memberKeys, type MemberKeys } from './member-keys.ts';
import type { NatsClient } from './nats-client.ts';
import type { NatsProbesSettings } from './nats-probes.ts';
import { NatsSessions } from './nats-sessions.ts';
import {
  formatNatsAddress,
  natsAddressCharsMax,
  parseNatsAddress,
  type NodeAddress,
} from './node-address.ts';

/** The secret of a transport over NATS, and its limits. */
export interface NatsTransportOptions extends Partial<NatsTransportSettings> {
  /** May be shared with the discovery and the store. */
  readonly nats: NatsClient;
  /**
   * The cluster's secret, 16 bytes or more. Whoever has it, and may use the subjects of a node, is that node. Of several
   * the first is used and all are accepted.
   */
  readonly secret: Uint8Array | readonly Uint8Array[];
}

export interface NatsTransportSettings {
  /** Longest that an answer, and then the introduction, may take, in milliseconds. @defaultValue 5_000 */
  readonly handshakeTimeoutMs: number;
  /** How often a node says to each other one that it is there, in milliseconds. @defaultValue 500 */
  readonly pingEveryMs: number;
  /**
   * Age from which a message is not taken any more, and silence after which a link breaks, in milliseconds.
   * @defaultValue 5_000
   */
  readonly lateMs: number;
  /**
   * How long a node is dialled that nobody answers for, in milliseconds: it, or this one, may just have lost its
   * server, and be on the way to another.
   * @defaultValue 1_500
   */
  readonly reconnectMs: number;
  /** Sessions at a time whose other end has not introduced itself. @defaultValue 64 */
  readonly strangersMax: number;
  /** Largest frame in either direction, in bytes. @defaultValue 16 MiB */
  readonly frameBytesMax: number;
  /** Longest that a frame, or a part of a large one, may take to arrive, in milliseconds. @defaultValue 10_000 */
  readonly frameTimeoutMs: number;
  /** Bytes that the normal and the bulk lane may each hold back for a slow peer. @defaultValue 4 MiB */
  readonly queuedBytesMax: number;
}

const defaults: NatsTransportSettings = {
  handshakeTimeoutMs: 5_000,
  pingEveryMs: 500,
  lateMs: 5_000,
  reconnectMs: 1_500,
  strangersMax: 64,
  frameBytesMax: frameBytesMaxDefault,
  frameTimeoutMs: 10_000,
  queuedBytesMax: 4 * 2 ** 20,
};

const who = 'NatsTransport';
/** Pause between two knocks at a node that nobody answers for, in milliseconds. */
const knockEveryMs = 100;

/** From start to stop. */
interface Running {
  readonly sessions: NatsSessions;
  readonly handshake: HandshakeHost;
  readonly links: Disposable;
}

/**
 * Links over NATS: what a mesh sends through one TLS connection a pair of nodes goes through one sealed session here.
 *
 * Everything is encrypted and authenticated between the two nodes, so that neither the servers nor other clients can
 * read or make it. A node is who the servers let listen on its subjects, and has the secret. When this node loses its
 * connection to NATS, all its links break.
 */
export class NatsTransport implements Transport {
  readonly name = 'nats';
  readonly #client: NatsClient;
  readonly #proofKeys: MemberKeys;
  readonly #settings: NatsTransportSettings;
  readonly #links: LinkTable;
  #running: Running | undefined = undefined;

  /** @throws FoundationError `SECRET_INVALID` or `INVALID_OPTION` */
  constructor(options: NatsTransportOptions) {
    const { nats, secret, ...given } = options;
    refuseUnknown(who, options, ['nats', 'secret', ...Object.keys(defaults)]);
    this.#client = nats;
    this.#settings = withDefaults(defaults, given);
    for (const [option, value] of Object.entries(this.#settings)) {
      checkNumber(who, { [option]: value }, { above: 0 });
    }
    this.#proofKeys = memberKeys(who, secret);
    this.#links = new LinkTable({ ...this.#settings, clock: nats.settings.clock });
  }

  /**
   * @throws FoundationError `INVALID_OPTION` when `self.meta` is too large; `NODE_UNREACHABLE` or
   * `AUTHENTICATION_FAILED` when no server takes this client.
   */
  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    checkGreeting(who, self, natsAddressCharsMax);
    await this.#client.open();
    const address = formatNatsAddress(self);
    const { settings } = this.#client;
    const handshake: HandshakeHost = {
      self,
      address,
      proofKeys: this.#proofKeys,
      clock: settings.clock,
      timeoutMs: this.#settings.handshakeTimeoutMs,
      greeted: new Map(),
      isAddress: (text) => parseNatsAddress(text) !== undefined,
      admit: (peer) => handlers.admit(peer),
      heldSessions: () => this.#links.sessions(),
    };
    const links = this.#links.open(self, handlers);
    const sessions = new NatsSessions({
      client: this.#client,
      self,
      proofKeys: this.#proofKeys,
      limits: this.#settings,
      traffic: this.#links.traffic,
      onStranger: (stranger, introduced) =>
        acceptPeer(stranger, handshake, (outcome) => {
          introduced();
          this.#links.accepted(stranger, outcome);
        }),
      onRefused: (error) => this.#links.refuse(error),
      onForged: (error) => this.#links.refuseFlood(error),
      onProblem: (error) => handlers.onRefused(error),
    });
    this.#running = { sessions, handshake, links };
    // Once it has answered, the server knows what this node listens to.
    await this.#client.connection?.flush().catch(() => undefined);
    return address;
  }

  async dial(address: string): Promise<Link> {
    const running = this.#running;
    if (running === undefined) throw transportStopped();
    return this.#links.dial(address, () => this.#dial(address, running));
  }

  /** Through the same servers, over a connection that no code of users can block. */
  probes(): ProbeSource {
    if (this.#running === undefined) throw transportStopped();
    const { cluster } = this.#running.handshake.self;
    const settings: NatsProbesSettings = { cluster, nats: this.#client.options };
    const { href: module } = moduleBeside(import.meta.url, 'nats-probes');
    return { kind: 'thread', module, settings };
  }

  async stop(graceMs = 1_000): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.links[Symbol.dispose]();
    await this.#links.end(graceMs);
    running.sessions[Symbol.dispose]();
    await this.#client.close();
  }

  counters(): TransportCounters {
    return this.#links.counters();
  }

  async #dial(address: string, running: Running): Promise<Link> {
    const target = parseNatsAddress(address);
    if (target === undefined) throw noAddress(address);
    if (address === running.handshake.address) throw ownAddress(target);
    const stranger = await this.#reach(target, running);
    if (this.#running !== running) throw transportStopped();
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    introduce(stranger, running.handshake, (outcome) => {
      const link = this.#links.dialled(stranger, outcome);
      if (isFoundationError(link)) reject(link);
      else resolve(link);
    });
    return promise;
  }

  /**
   * Knocks until somebody answers. That nobody does at first says little while servers come and go, and nothing while
   * other clients may still be on their way back to them.
   */
  async #reach(target: NodeAddress, running: Running): Promise<Stranger> {
    const { clock } = this.#client.settings;
    const deadline = clock.now() + this.#settings.reconnectMs;
    for (;;) {
      try {
        return await running.sessions.knock(target);
      } catch (error) {
        if (!isFoundationError(error)) throw error;
        if (this.#running !== running) throw transportStopped();
        this.#links.refuse(error);
        if (error.code !== 'NODE_UNREACHABLE') throw error;
        if (clock.now() > deadline) throw this.#client.isJustBack ? notBackYet(target) : error;
      }
      await sleep(clock, knockEveryMs);
    }
  }
}

function noAddress(address: string): FoundationError {
  const what = `${address} is no address of the form nats:cluster/node/incarnation`;
  return new FoundationError('NODE_UNREACHABLE', what, { details: { address } });
}

function notBackYet(target: NodeAddress): FoundationError {
  const address = formatNatsAddress(target);
  const what = `${address} is not there, or is not back yet, as this node has just come back to NATS`;
  return new FoundationError('NODE_UNREACHABLE', what, { details: { address } });
}

function ownAddress({ node }: NodeAddress): FoundationError {
  return new FoundationError('DUPLICATE_LINK', `${node} is this node itself`, {
    details: { node },
  });
}
