import type { Advertisement, Discovery, DiscoveryHandlers } from '@foundation/core/internal';
import { describe, expect, it } from 'vitest';

/** One meeting place. */
export interface DiscoveryUnderTest extends AsyncDisposable {
  /** A discovery as one more node of this place has it, not started. */
  join(): Discovery;
}

/**
 * What every {@link Discovery} promises, as vitest tests.
 *
 * @param make - makes an empty meeting place; disposed of after each test
 */
export function discoveryConformance(name: string, make: () => Promise<DiscoveryUnderTest>): void {
  /** Gives a test a way to start nodes; stops them afterwards. */
  async function withPlace(test: (start: StartNode) => Promise<void>): Promise<void> {
    await using place = await make();
    await using started = new AsyncDisposableStack();
    await test(async (self) => {
      const node = new SeenNode(place.join());
      started.defer(() => node.discovery.stop());
      await node.discovery.start(self, node);
      return node;
    });
  }

  describe(`${name} as a discovery`, () => {
    describeMeeting(withPlace);
    describeChanges(withPlace);
  });
}

type StartNode = (self: Advertisement) => Promise<SeenNode>;
type WithPlace = (test: (start: StartNode) => Promise<void>) => Promise<void>;

/** Remembers what a discovery told. */
class SeenNode implements DiscoveryHandlers {
  readonly discovery: Discovery;
  readonly told: (readonly Advertisement[])[] = [];

  constructor(discovery: Discovery) {
    this.discovery = discovery;
  }

  onPeers(peers: readonly Advertisement[]): void {
    this.told.push(peers);
  }

  onError(error: unknown): void {
    throw error;
  }

  /** Names known now; fails when nothing was told. */
  get names(): readonly string[] | undefined {
    return this.told.at(-1)?.map(({ node }) => node);
  }
}

const a: Advertisement = { node: 'a', incarnation: 7, address: '127.0.0.1:1001' };
const b: Advertisement = { node: 'b', incarnation: 8, address: '127.0.0.1:1002' };
const c: Advertisement = { node: 'c', incarnation: 9, address: '127.0.0.1:1003' };

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
      expect(third.told.at(-1)).toEqual([a, b]);
    }));

  it('tells the others of a new node', () =>
    withPlace(async (start) => {
      const first = await start(a);
      await start(b);
      await first.discovery.refresh();
      expect(first.told).toEqual([[], [b]]);
    }));

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
      await second.discovery.stop();
      await first.discovery.refresh();
      expect(first.names).toEqual([]);
    }));

  it('tells the new address of a node that came back', () =>
    withPlace(async (start) => {
      const first = await start(a);
      const second = await start(b);
      await second.discovery.stop();
      const again = { node: 'b', incarnation: 20, address: '127.0.0.1:2002' };
      await start(again);
      await first.discovery.refresh();
      expect(first.told.at(-1)).toEqual([again]);
    }));

  it('says nothing when nothing has changed', () =>
    withPlace(async (start) => {
      const first = await start(a);
      await start(b);
      await first.discovery.refresh();
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
