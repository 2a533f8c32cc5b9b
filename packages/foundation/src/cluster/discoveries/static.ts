import { FoundationError } from '../../errors.ts';
import { invalidOption, refuseUnknown, shown } from '../../options.ts';
import { formatAddress, parseAddress } from '../address.ts';
import type { Advertisement, Discovery, DiscoveryHandlers } from '../discovery.ts';

/** Where the nodes of a cluster are. */
export interface StaticOptions {
  /**
   * `host:port` each, with a name or an IP address, IPv6 in brackets. The same list may be given to all
   * nodes: one finds out that an address is its own.
   */
  readonly addresses: readonly string[];
}

const addressesMax = 256;

/**
 * Nodes at addresses that somebody wrote down. Not all need to be there, not even most: a node that is
 * found tells of those it knows.
 */
export class StaticDiscovery implements Discovery {
  readonly name = 'static';
  readonly #addresses: ReadonlySet<string>;

  /** @throws FoundationError `INVALID_OPTION` with all that are no addresses */
  constructor(options: StaticOptions) {
    refuseUnknown('StaticDiscovery', options, ['addresses']);
    this.#addresses = new Set(checkAddresses(options.addresses));
  }

  async start(_self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    handlers.onPeers([...this.#addresses].map((address) => ({ address })));
  }

  /** Nothing to do: the addresses never change. */
  async refresh(): Promise<void> {}

  async stop(): Promise<void> {}
}

function checkAddresses(addresses: unknown): readonly string[] {
  if (!isListOfTexts(addresses) || addresses.length === 0 || addresses.length > addressesMax) {
    const expected = `a list of 1 to ${addressesMax} addresses`;
    throw invalidOption('StaticDiscovery', { addresses }, expected);
  }
  const parsed = addresses.map(parseAddress);
  const bad = addresses.filter((_, index) => parsed[index] === undefined);
  if (bad.length === 0) return parsed.filter((each) => each !== undefined).map(formatAddress);
  throw new FoundationError(
    'INVALID_OPTION',
    `StaticDiscovery: no address of the form host:port: ${bad.map(shown).join(', ')}`,
    {
      hint: 'Write `10.0.0.7:7946`, `[fd00::7]:7946` or `node-7.internal:7946`. Nothing has changed.',
      details: { addresses: bad },
    },
  );
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
