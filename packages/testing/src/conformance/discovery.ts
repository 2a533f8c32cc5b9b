import type { Advertisement, Discovery, DiscoveryHandlers, Hint } from '@foundation/core/internal';
import { describe, expect, it } from 'vitest';

import { eventually } from '../eventually.ts';

/** One meeting place. */
export interface DiscoveryUnderTest extends AsyncDisposable {
  /** A discovery as one more node of this place has it, not started. */
  join(): Discovery;
}

/** What sort of meeting place it is. */
export interface DiscoveryConformanceOptions {
  /**
   * `table`: all stand in it with their names, and a look tells everybody. `announcements`: nodes tell their
   * addresses now and then, and no names.
   * @defaultValue 'table'
   */
  readonly kind?: 'table' | 'announcements';
}

/**
 * What every {@link Discovery} promises that makes its node known, as vitest tests.
 *
 * @param make - makes an empty meeting place; disposed of after each test
 */
export function discoveryConformance(
  name: string,
  make: () => Promise<DiscoveryUnderTest>,
  { kind = 'table' }: DiscoveryConformanceOptions = {},
): void {
  /** Gives a test a way to start nodes; stops them afterwards. */
  async function withPlace(test: (start: StartNode) => Promise<void>): Promise<void> {
    await using place = await make();
    await using started = new AsyncDisposableStack();
    await test(async (self) => {
      const node = new SeenNode(place.join(), kind === 'table');
      started.defer(() => node.discovery.stop());
      await node.discovery.start(self, node);
      return node;
    });
  }

  describe(`${name} as a discovery`, () => {
    describeMeeting(withPlace);
    if (kind === 'table') describeNames(withPlace);
    describeChanges(withPlace);
  });
}

type StartNode = (self: Advertisement) => Promise<SeenNode>;
type WithPlace = (test: (start: StartNode) => Promise<void>) => Promise<void>;

/** Remembers what a discovery told. */
class SeenNode implements DiscoveryHandlers {
  readonly discovery: Discovery;
  readonly told: (readonly Hint[])[] = [];
  readonly #isTable: boolean;

  constructor(discovery: Discovery, isTable: boolean) {
    this.discovery = discovery;
    this.#isTable = isTable;
  }

  onPeers(peers: readonly Hint[]): void {
    this.told.push(peers);
  }

  onError(error: unknown): void {
    throw error;
  }

  /** These are what was told last; announcements may take a while. */
  async knows(peers: readonly Advertisement[]): Promise<void> {
    if (this.#isTable) return expect(this.told.at(-1)).toEqual(peers);
    const addresses = JSON.stringify(peers.map(({ address }) => ({ address })));
    await eventually(`${addresses} is known`, () => JSON.stringify(this.told.at(-1)) === addresses);
  }
}

const a: Advertisement = { node: 'a', incarnation: 7, address: '10.0.0.1:1001' };
const b: Advertisement = { node: 'b', incarnation: 8, address: '10.0.0.2:1002' };
const c: Advertisement = { node: 'c', incarnation: 9, address: '10.0.0.3:1003' };

function describeMeeting(withPlace: WithPlace): void {
  it('tells the first node that it is alone', () =>
    withPlace(async (start) => {
      const first = await start(a);
      expect(first.told).toEqual([[]]);
    }));

  it('tells a node all others when it starts, and not itself', () =>
    withPlace(async (start) => {
      await start(a);
      await start(b);
      const third = await start(c);
      expect(third.told).toHaveLength(1);
      await third.knows([a, b]);
    }));

  it('tells the others of a new node', () =>
    withPlace(async (start) => {
      const first = await start(a);
      await start(b);
      await first.discovery.refresh();
      await first.knows([b]);
      expect(first.told).toHaveLength(2);
    }));
}

function describeNames(withPlace: WithPlace): void {
  it('refuses a name that a live node has', () =>
    withPlace(async (start) => {
      await start(a);
      await expect(start({ ...a, incarnation: 10 })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    }));
}

function describeChanges(withPlace: WithPlace): void {
  it('forgets a node that withdraws', () =>
    withPlace(async (start) => {
      const first = await start(a);
      const second = await start(b);
      await first.discovery.refresh();
      await first.knows([b]);
      await second.discovery.stop();
      await first.discovery.refresh();
      await first.knows([]);
      expect(first.told).toHaveLength(3);
    }));

  it('tells the new address of a node that came back', () =>
    withPlace(async (start) => {
      const first = await start(a);
      const second = await start(b);
      await second.discovery.stop();
      const again = { node: 'b', incarnation: 20, address: '10.0.0.4:2002' };
      await start(again);
      await first.discovery.refresh();
      await first.knows([again]);
      expect(first.told.length).toBeGreaterThan(1);
    }));

  it('says nothing when nothing has changed', () =>
    withPlace(async (start) => {
      const first = await start(a);
      await start(b);
      await first.discovery.refresh();
      await first.knows([b]);
      await first.discovery.refresh();
      expect(first.told).toHaveLength(2);
    }));

  it('says nothing to a node that has stopped', () =>
    withPlace(async (start) => {
      const first = await start(a);
      await first.discovery.stop();
      await start(b);
      expect(first.told).toHaveLength(1);
    }));
}
