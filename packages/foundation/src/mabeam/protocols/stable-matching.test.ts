import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  blockingPairs,
  deferredAcceptance,
  type MatchingMarket,
  type RankedMarket,
  ranked,
} from './stable-matching.ts';

/** All orders of some things. */
function permutations<T>(things: readonly T[]): readonly (readonly T[])[] {
  if (things.length === 0) return [[]];
  return things.flatMap((first, at) =>
    permutations(things.toSpliced(at, 1)).map((rest) => [first, ...rest]),
  );
}

/** Every matching that is stable, found by looking at all of them. */
function stableOf(market: RankedMarket): readonly Int32Array[] {
  const { proposers, receivers, quotas } = market;
  const stable: Int32Array[] = [];
  const free = [...quotas];
  // Then nobody stays alone, and there is less to look at.
  const isPerfect =
    proposers.length === receivers.length &&
    [...proposers, ...receivers].every(({ length }) => length === proposers.length);
  const matches = new Int32Array(proposers.length).fill(-1);
  const extend = (proposer: number): void => {
    if (proposer === proposers.length) {
      if (blockingPairs(market, matches).length === 0) stable.push(matches.slice());
      return;
    }
    for (const receiver of [...(isPerfect ? [] : [-1]), ...(proposers[proposer] ?? [])]) {
      if (receiver >= 0) {
        if ((free[receiver] ?? 0) === 0) continue;
        if (receivers[receiver]?.includes(proposer) !== true) continue;
        free[receiver] = (free[receiver] ?? 0) - 1;
      }
      matches[proposer] = receiver;
      extend(proposer + 1);
      if (receiver >= 0) free[receiver] = (free[receiver] ?? 0) + 1;
    }
  };
  extend(0);
  return stable;
}

/** How much one likes what it has: 0 is its first choice. */
function regret(list: readonly number[] = [], partner = -1): number {
  return partner < 0 ? list.length : list.indexOf(partner);
}

function marriage(
  proposers: readonly (readonly number[])[],
  receivers: readonly (readonly number[])[],
): RankedMarket {
  return ranked({ proposers, receivers, quotas: receivers.map(() => 1) });
}

/** Twice as many, each half in love with itself first on one side, and with the other half on the other. */
function doubled({ proposers, receivers }: MatchingMarket): RankedMarket {
  const n = proposers.length;
  const shifted = (list: readonly number[]): number[] => list.map((each) => each + n);
  return marriage(
    [
      ...proposers.map((list) => [...list, ...shifted(list)]),
      ...proposers.map((list) => [...shifted(list), ...list]),
    ],
    [
      ...receivers.map((list) => [...shifted(list), ...list]),
      ...receivers.map((list) => [...list, ...shifted(list)]),
    ],
  );
}

const markets = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }))
  .chain(([n, m]) => {
    const lists = (count: number, of: number): fc.Arbitrary<number[][]> => {
      const all = Array.from({ length: of }, (_, index) => index);
      const some = fc.shuffledSubarray(all, { minLength: Math.ceil(of / 2) });
      return fc.array(some, { minLength: count, maxLength: count });
    };
    const quotas = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: m, maxLength: m });
    return fc.record({ proposers: lists(n, m), receivers: lists(m, n), quotas }).map(ranked);
  });

describe('deferred acceptance', () => {
  it('gives every proposer the best and every receiver the worst that is stable', () => {
    fc.assert(
      fc.property(markets, (market) => {
        const { matches } = deferredAcceptance(market);
        const stable = stableOf(market);
        expect(stable).toContainEqual(matches);
        const heldBy = (given: Int32Array, receiver: number): number[] =>
          [...given.keys()]
            .filter((proposer) => given[proposer] === receiver)
            .map((proposer) => regret(market.receivers[receiver], proposer))
            .toSorted((x, y) => x - y);
        for (const other of stable) {
          for (const [proposer, list] of market.proposers.entries()) {
            expect(regret(list, matches[proposer])).toBeLessThanOrEqual(
              regret(list, other[proposer]),
            );
            // The same are matched in all of them (rural hospitals).
            expect(matches[proposer] === -1).toBe(other[proposer] === -1);
          }
          for (const receiver of market.receivers.keys()) {
            const [own, others] = [heldBy(matches, receiver), heldBy(other, receiver)];
            expect(own).toHaveLength(others.length);
            own.forEach((rank, place) => expect(rank).toBeGreaterThanOrEqual(others[place] ?? -1));
            // One with places left has the same in all of them.
            const isFull = own.length === market.quotas[receiver];
            expect(isFull ? others : own).toEqual(others);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('lets a receiver of many places hold those it likes best, whoever comes when', () => {
    const order = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 });
    fc.assert(
      fc.property(order, fc.integer({ min: 1, max: 12 }), (list, quota) => {
        const proposers = list.map(() => [0]);
        const market = ranked({ proposers, receivers: [list], quotas: [quota] });
        const { matches } = deferredAcceptance(market);
        const held = list.filter((proposer) => matches[proposer] === 0);
        expect(held).toEqual(list.slice(0, quota));
      }),
    );
  });

  it('of three and three: is stable, best for proposers, truthful for them, in at most 7 proposals (all 46,656)', () => {
    const orders = permutations([0, 1, 2]);
    const matchings = orders.map((each) => Int32Array.from(each));
    const found: Int32Array[] = [];
    let [most, worse, gains] = [0, 0, 0];
    const listsOf = (code: number): (readonly number[])[] =>
      [0, 1, 2, 3, 4, 5].map((place) => orders[Math.trunc(code / 6 ** place) % 6] ?? []);
    for (let code = 0; code < 6 ** 6; code++) {
      const lists = listsOf(code);
      const market = marriage(lists.slice(0, 3), lists.slice(3));
      const { matches, proposals } = deferredAcceptance(market);
      found.push(matches);
      most = Math.max(most, proposals);
      if (blockingPairs(market, matches).length > 0) worse++;
      for (const other of code % 13 === 0 ? matchings : []) {
        if (blockingPairs(market, other).length > 0) continue;
        for (const at of [0, 1, 2]) {
          if (regret(lists[at], other[at]) < regret(lists[at], matches[at])) worse++;
        }
      }
    }
    for (const [code, matches] of found.entries()) {
      const truth = Math.trunc(code % 6);
      const own = orders[truth];
      for (let lie = 0; lie < 6; lie++) {
        if (regret(own, found[code - truth + lie]?.[0]) < regret(own, matches[0])) gains++;
      }
    }
    expect({ most, worse, gains }).toEqual({ most: 7, worse: 0, gains: 0 });
  });

  it('is no truthful rule for receivers', () => {
    const proposers = [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
    ];
    const receivers = [
      [1, 2, 0],
      [2, 0, 1],
      [0, 1, 2],
    ];
    const honest = deferredAcceptance(marriage(proposers, receivers)).matches;
    const lied = deferredAcceptance(marriage(proposers, [[1], ...receivers.slice(1)])).matches;
    expect([honest.indexOf(0), lied.indexOf(0)]).toEqual([0, 1]);
    expect(regret(receivers[0], 1)).toBeLessThan(regret(receivers[0], 0));
  });

  it('finds one end of 2, 10 and 268 stable matchings (E4, Irving and Leather 1986)', () => {
    const two = doubled(marriage([[0]], [[0]]));
    const four = doubled(two);
    const eight = doubled(four);
    expect([two, four, eight].map((market) => stableOf(market).length)).toEqual([2, 10, 268]);
    expect([...deferredAcceptance(eight).matches]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('needs n² − n + 1 proposals at most, and does at n = 8', () => {
    // All but the last agree, and each takes a place from the one before it.
    const n = 8;
    const first = Array.from({ length: n - 1 }, (_, at) => at);
    const cycle = first.map((_, from) => [...first.slice(from), ...first.slice(0, from), n - 1]);
    const proposers = [...cycle, [...first, n - 1]];
    const receivers = [
      ...first.map((at) => [...first.slice(at + 1), n - 1, ...first.slice(0, at + 1)]),
      [...first, n - 1],
    ];
    const { matches, proposals } = deferredAcceptance(marriage(proposers, receivers));
    expect(proposals).toBe(n * n - n + 1);
    expect(new Set(matches).size).toBe(n);
  });
});

describe('blocking pairs', () => {
  it('are named: a free place, or one who is liked better', () => {
    const market = ranked({
      proposers: [[0], [0], [0, 1]],
      receivers: [[0, 1, 2], [2]],
      quotas: [2, 1],
    });
    expect(blockingPairs(market, Int32Array.of(0, -1, 1))).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(blockingPairs(market, Int32Array.of(-1, 0, 0))).toEqual([[0, 0]]);
    expect(blockingPairs(market, Int32Array.of(0, 0, -1))).toEqual([[2, 1]]);
    expect(blockingPairs(market, Int32Array.of(0, 0, 1))).toEqual([]);
  });
});
