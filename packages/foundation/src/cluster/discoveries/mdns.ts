/**
 * Discovery by multicast DNS. Needs the package `dns-packet`, which is loaded when it starts.
 *
 * @packageDocumentation
 */
import { systemClock, type Clock } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { optionalPeer } from '../../optional-peer.ts';
import { checkNumber, invalidOption, refuseUnknown, withDefaults } from '../../options.ts';
import { systemRandom, type Random } from '../../random.ts';
import { parseAddress, type Address } from '../address.ts';
import type { Advertisement, Discovery, DiscoveryHandlers } from '../discovery.ts';
import { mdnsCodec } from './mdns-packet.ts';
import { MdnsSession } from './mdns-session.ts';
import { tagKey } from './mdns-tag.ts';
import { systemMulticast, type MulticastNetwork } from './multicast.ts';
import type { OwnNetwork } from './own-networks.ts';

export type { Multicast, MulticastHandlers, MulticastNetwork } from './multicast.ts';
export type { OwnNetwork } from './own-networks.ts';

/** Whom to look for, and on which interface. */
export interface MdnsOptions {
  /** The cluster's secret, 16 bytes or more: it proves announcements. */
  readonly secret: Uint8Array;
  /** Name of the cluster. */
  readonly cluster: string;
  /**
   * Name of an interface, such as `eth0`.
   * @defaultValue the one with the address that this node listens on; if it listens on all, the only one
   * in a private network
   */
  readonly interface?: string;
  /** Milliseconds between two questions who is there. @defaultValue 10000 */
  readonly refreshMs?: number;
  /** Milliseconds after which a node that is not heard of is forgotten, at most 120000. @defaultValue 30000 */
  readonly ttlMs?: number;
  /** Nodes known at most; more is reported. @defaultValue 64 */
  readonly hintsMax?: number;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue systemRandom */
  readonly random?: Random;
  /** @defaultValue this machine's */
  readonly network?: MulticastNetwork;
}

/** What is done unless told otherwise. */
const mdnsDefaults: Required<Omit<MdnsOptions, 'secret' | 'cluster' | 'interface'>> = {
  refreshMs: 10_000,
  ttlMs: 30_000,
  hintsMax: 64,
  clock: systemClock,
  random: systemRandom,
  network: systemMulticast,
};

const who = 'MdnsDiscovery';
const secretBytesMin = 16;
const instanceChars = 20;

/**
 * Nodes of one local network announce themselves by multicast DNS.
 *
 * Everybody there may listen and speak, so it hints and proves nothing: an announcement tells an address
 * and neither names nor capabilities, it counts only with a tag that needs the cluster's secret and binds
 * address and time, and only addresses in this interface's private networks are told. Who is there is
 * proven by the transport. Source: RFC 6762, RFC 6763, and RFC 8882 for what not to tell.
 */
export class MdnsDiscovery implements Discovery {
  readonly name = 'mdns';
  readonly #options: typeof mdnsDefaults & Pick<MdnsOptions, 'interface'>;
  readonly #key: Buffer;
  #session: MdnsSession | undefined;

  /** @throws FoundationError `INVALID_OPTION` or `SECRET_INVALID` */
  constructor(options: MdnsOptions) {
    const known = ['secret', 'cluster', 'interface', ...Object.keys(mdnsDefaults)];
    refuseUnknown(who, options, known);
    const { secret, cluster, interface: name } = options;
    if (!(secret instanceof Uint8Array) || secret.length < secretBytesMin) {
      throw new FoundationError('SECRET_INVALID', `${who}: no secret of ${secretBytesMin} bytes`, {
        hint: `Give the cluster's secret, ${secretBytesMin} random bytes or more.`,
      });
    }
    if (typeof cluster !== 'string') throw invalidOption(who, { cluster }, 'a text');
    const filled = withDefaults(mdnsDefaults, options);
    const { refreshMs, ttlMs, hintsMax } = filled;
    checkNumber(who, { refreshMs }, { above: 0 });
    checkNumber(who, { ttlMs }, { min: 1_000, max: 120_000 });
    checkNumber(who, { hintsMax }, { min: 1, integer: true });
    this.#key = tagKey(secret, cluster);
    this.#options = name === undefined ? filled : { ...filled, interface: name };
  }

  /** @throws FoundationError `INVALID_OPTION` when others could not reach this node where it listens. */
  async start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    const { network, random } = this.#options;
    const dns = await optionalPeer({ who, name: 'dns-packet' }, () => import('dns-packet'));
    const site = siteOf(network.own(), self.address, this.#options.interface);
    const session = new MdnsSession({
      ...this.#options,
      ...site,
      handlers,
      key: this.#key,
      codec: mdnsCodec(dns),
      instance: Array.from({ length: instanceChars }, () => random.int(36).toString(36)).join(''),
    });
    this.#session = session;
    await session.begin();
  }

  /** Asks who is there, and waits for those who answer at once. */
  async refresh(): Promise<void> {
    await this.#session?.refresh();
  }

  /** Says goodbye. */
  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
  }
}

/** The interface on which this node is announced, and its address there. */
interface Site {
  readonly interfaceName: string;
  readonly address: Address;
}

function siteOf(own: readonly OwnNetwork[], listening: string, wanted: string | undefined): Site {
  const { host, port } = parseAddress(listening) ?? { host: listening, port: 0 };
  const isAnywhere = host === '0.0.0.0' || host === '::';
  const fit = own.filter(
    (each) =>
      (wanted === undefined || each.interface === wanted) &&
      (isAnywhere ? each.address.includes('.') : each.address === host),
  );
  const [network] = fit;
  if (network === undefined) throw nowhere(own, listening, wanted);
  const names = new Set(fit.map((each) => each.interface));
  if (names.size > 1) {
    throw invalidOption(who, { interface: wanted }, `one of ${[...names].join(', ')}`);
  }
  return { interfaceName: network.interface, address: { host: network.address, port } };
}

function nowhere(
  own: readonly OwnNetwork[],
  listening: string,
  wanted: string | undefined,
): FoundationError {
  const where = wanted === undefined ? 'any interface' : `the interface ${wanted}`;
  const known = own.map((each) => `${each.address} (${each.interface})`).join(', ');
  return new FoundationError(
    'INVALID_OPTION',
    `${who}: ${listening} is not an address of ${where} in a private network`,
    {
      hint:
        known === ''
          ? 'This machine has no address in a private network: use another discovery.'
          : `Listen on one of ${known}. On one machine alone, \`cluster: 'local'\` needs no network.`,
      details: { listening, interface: wanted },
    },
  );
}
