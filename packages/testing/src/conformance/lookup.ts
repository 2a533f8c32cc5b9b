import type { Discovery, DiscoveryHandlers, Hint } from '@foundation/core/internal';
import { describe, expect, it } from 'vitest';

import { eventually } from '../eventually.ts';

/** A place where addresses are looked up, and what it answers. */
export interface LookupUnderTest extends AsyncDisposable {
  /** Looks that were under way at one moment at most, where the place can tell. */
  readonly atOnceMax?: number;
  /** A discovery that looks here, not started: every second at least, and gives a look up after two at most. */
  make(): Discovery;
  /** From now on these addresses are found, in this order where the place keeps one. */
  answer(addresses: readonly string[]): Promise<void>;
  /** From now on whoever looks gets an error. */
  fail(): Promise<void>;
  /** From now on whoever looks gets no answer. */
  hang(): Promise<void>;
}

/**
 * What every {@link Discovery} promises that looks addresses up, and advertises nothing, as vitest tests.
 *
 * @param make - makes a place that knows nobody; disposed of after each test
 */
export function lookupConformance(name: string, make: () => Promise<LookupUnderTest>): void {
  const withPlace: WithPlace = async (test) => {
    await using place = await make();
    await using started = new AsyncDisposableStack();
    await test(place, async () => {
      const node = new SeenNode(place.make());
      started.defer(() => node.discovery.stop());
      await node.discovery.start({ node: 'a', incarnation: 7, address: '127.0.0.1:1001' }, node);
      return node;
    });
  };

  describe(`${name} as a discovery that looks addresses up`, () => {
    describeAnswers(withPlace);
    describeTrouble(withPlace);
    describeEnd(withPlace);
  });
}

type StartNode = () => Promise<SeenNode>;
type WithPlace = (
  test: (place: LookupUnderTest, start: StartNode) => Promise<void>,
) => Promise<void>;

/** Remembers what a discovery told. */
class SeenNode implements DiscoveryHandlers {
  readonly discovery: Discovery;
  readonly told: (readonly string[])[] = [];
  readonly errors: unknown[] = [];

  constructor(discovery: Discovery) {
    this.discovery = discovery;
  }

  onPeers(peers: readonly Hint[]): void {
    this.told.push(peers.map(({ address }) => address));
  }

  onError(error: unknown): void {
    this.errors.push(error);
  }

  /** What was told last, in alphabetical order. */
  get known(): readonly string[] | undefined {
    return this.told.at(-1)?.toSorted();
  }
}

const addresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:7946`);
const [a = '', b = '', c = ''] = addresses(3);
const hintsMax = 256;

function describeAnswers(withPlace: WithPlace): void {
  it('tells everybody when it starts', () =>
    withPlace(async (place, start) => {
      await place.answer([a, b]);
      const node = await start();
      expect(node.known).toEqual([a, b]);
      expect(node.told).toHaveLength(1);
      expect(node.errors).toEqual([]);
    }));

  it('tells changes when it is asked to look', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await place.answer([a, b, c]);
      await node.discovery.refresh();
      expect(node.known).toEqual([a, b, c]);
      await place.answer([c]);
      await node.discovery.refresh();
      expect(node.known).toEqual([c]);
    }));

  it('tells changes by itself', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await place.answer([b, c]);
      await eventually('the change is told', () => node.known?.join() === [b, c].join());
    }));

  it('says nothing when nothing has changed but the order', () =>
    withPlace(async (place, start) => {
      await place.answer([a, b, c]);
      const node = await start();
      await place.answer([c, a, b]);
      await node.discovery.refresh();
      await node.discovery.refresh();
      expect(node.told).toHaveLength(1);
    }));

  it(`takes ${hintsMax} addresses, always the same, and reports that there are more`, () =>
    withPlace(async (place, start) => {
      await place.answer(addresses(hintsMax));
      const node = await start();
      expect(node.known).toHaveLength(hintsMax);
      expect(node.errors).toEqual([]);
      const more = addresses(hintsMax + 40);
      await place.answer(more);
      await node.discovery.refresh();
      const { known = [] } = node;
      expect(known).toHaveLength(hintsMax);
      expect(more).toEqual(expect.arrayContaining([...known]));
      expect(node.errors).toContainEqual(failure);
      await place.answer(more.toReversed());
      await node.discovery.refresh();
      expect(node.known).toEqual(known);
    }));
}

const failure = expect.objectContaining({
  code: 'DISCOVERY_FAILED',
  message: expect.any(String),
  hint: expect.any(String),
});

function describeTrouble(withPlace: WithPlace): void {
  const troubles = [
    ['nobody', (place: LookupUnderTest) => place.answer([])],
    ['an error', (place: LookupUnderTest) => place.fail()],
    ['no answer in time', (place: LookupUnderTest) => place.hang()],
  ] as const;

  it.each(troubles)(
    'keeps the last good set and reports it when there is %s, until there is another',
    (_, trouble) =>
      withPlace(async (place, start) => {
        await place.answer([a, b]);
        const node = await start();
        await trouble(place);
        await node.discovery.refresh();
        expect(node.errors).toContainEqual(failure);
        expect(node.told).toHaveLength(1);
        await place.answer([c]);
        await node.discovery.refresh();
        expect(node.known).toEqual([c]);
      }),
  );

  it.each(troubles)(
    'starts all the same when there is %s, and tells who is found later',
    (_, trouble) =>
      withPlace(async (place, start) => {
        await trouble(place);
        const node = await start();
        expect(node.errors).toContainEqual(failure);
        expect(node.known ?? []).toEqual([]);
        await place.answer([a]);
        await eventually('somebody is found', () => node.known?.includes(a));
      }),
  );

  it('looks once at a time, however often it is asked', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await place.hang();
      await Promise.all(Array.from({ length: 8 }, () => node.discovery.refresh()));
      if (place.atOnceMax !== undefined) expect(place.atOnceMax).toBe(1);
      expect(node.told).toHaveLength(1);
    }));
}

function describeEnd(withPlace: WithPlace): void {
  it('says nothing to a node that has stopped', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await node.discovery.stop();
      await place.answer([b]);
      await node.discovery.refresh();
      expect(node.told).toHaveLength(1);
      expect(node.errors).toEqual([]);
    }));

  it('stops in the middle of a look, and says nothing of it', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await place.hang();
      const looking = node.discovery.refresh();
      await node.discovery.stop();
      await looking;
      expect(node.told).toHaveLength(1);
      expect(node.errors).toEqual([]);
    }));

  it('tells everybody when it starts again, as a node does that joins anew', () =>
    withPlace(async (place, start) => {
      await place.answer([a]);
      const node = await start();
      await node.discovery.stop();
      await node.discovery.start({ node: 'a', incarnation: 8, address: '127.0.0.1:1001' }, node);
      expect(node.told).toEqual([[a], [a]]);
    }));
}
