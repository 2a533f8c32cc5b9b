import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { solve as independent } from 'yalps';

import { readCats } from '../../../../test/cats/read-cats.ts';
import { bestWelfare } from '../../../../test/enumerate.ts';
import { highsHere } from '../../../../test/highs-here.ts';
import type { Solver } from '../../solver.ts';
import { goodPrices, hopeless, priceBound, quickPrices } from './good-prices.ts';
import {
  type Allocation,
  conflictIn,
  greedyAllocation,
  type Lots,
  lotsOf,
  welfareOf,
} from './lots.ts';
import type { Good, PackageBid, PlacedPackageBid } from './package-bids.ts';
import { chosenOf, relaxedModel, winnerModel } from './winner-model.ts';

let solver: Solver;
beforeAll(async () => {
  solver = await highsHere();
});

const options = { budgetMs: 30_000, signal: new AbortController().signal };

describe('instances of the Combinatorial Auction Test Suite', () => {
  it.each(['matching', 'paths', 'regions', 'scheduling', 'L4'])(
    '%s: the best is what an independent solver finds',
    async (family) => {
      const file = new URL(`../../../../test/cats/${family}-64x200.txt`, import.meta.url);
      const { goods, bids: all } = readCats(readFileSync(file, 'utf8'));
      // Of the hardest as many as take no second.
      const bids = family === 'regions' ? all.slice(0, 120) : all;
      const lots = lotsOf('sell', goods, bids);
      const { status, values = [] } = await solver.solve({ model: winnerModel(lots) }, options);
      const allocation = chosenOf(lots, values);
      const { prices = [] } = await solver.solve({ model: relaxedModel(lots) }, options);
      const out = hopeless(lots, goodPrices(lots, prices), welfareOf(lots, allocation));
      expect(allocation.filter((index) => out.has(index))).toEqual([]);
      expect(out.size).toBeGreaterThan(10);
      expect(status).toBe('optimal');
      expect(conflictIn(lots, allocation)).toBeUndefined();
      expect(Number(welfareOf(lots, allocation))).toBe(solvedElsewhere(goods, bids));
      expect(welfareOf(lots, greedyAllocation(lots))).toBeLessThanOrEqual(
        welfareOf(lots, allocation),
      );
    },
  );
});

/** The best welfare by another solver and another formulation. */
function solvedElsewhere(goods: readonly Good[], bids: readonly PlacedPackageBid[]): number {
  const names = [...goods.map(({ name }) => name), ...new Set(bids.map(groupOf))];
  const variables = bids.map((bid) => {
    const parts = [...bid.goods, groupOf(bid)].map((name): [string, number] => [name, 1]);
    return Object.fromEntries([['worth', Number(bid.amount)], ...parts]);
  });
  const { status, result } = independent(
    {
      direction: 'maximize',
      objective: 'worth',
      constraints: Object.fromEntries(names.map((name) => [name, { max: 1 }])),
      variables: Object.fromEntries(variables.map((each, index) => [`bid ${index}`, each])),
      binaries: true,
    },
    { tolerance: 0 },
  );
  expect(status).toBe('optimal');
  return Math.round(result);
}

function groupOf({ agent, xorGroup = '' }: PlacedPackageBid): string {
  return `${agent} ${xorGroup}`;
}

const names = ['A', 'B', 'C', 'D'];
const bid = fc.record(
  {
    goods: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    amount: fc.bigInt(0n, 12n),
    xorGroup: fc.constantFrom('x', 'y'),
  },
  { requiredKeys: ['goods', 'amount'] },
);
const side = fc.constantFrom('sell' as const, 'buy' as const);
const supplies = fc.tuple(
  ...names.map((name) =>
    fc.record({ name: fc.constant(name), supply: fc.integer({ min: 1, max: 2 }) }),
  ),
);
const everybody = fc.array(fc.array(bid, { maxLength: 3 }), { minLength: 1, maxLength: 5 });

function placed(each: readonly (readonly PackageBid[])[]): readonly PlacedPackageBid[] {
  return each.flatMap((bids, index) => bids.map((own) => ({ agent: `agent-${index}`, ...own })));
}

async function best(lots: Lots): Promise<Allocation | undefined> {
  const { status, values = [] } = await solver.solve({ model: winnerModel(lots) }, options);
  return status === 'infeasible' ? undefined : chosenOf(lots, values);
}

describe('winners', () => {
  it('are worth as much as the best of all allocations, and those can be had', () =>
    fc.assert(
      fc.asyncProperty(side, supplies, everybody, async (which, goods, each) => {
        const lots = lotsOf(which, goods, placed(each));
        const found = await best(lots);
        expect(found === undefined ? undefined : conflictIn(lots, found)).toBeUndefined();
        expect(found === undefined ? undefined : welfareOf(lots, found)).toBe(bestWelfare(lots));
      }),
      { numRuns: 60 },
    ));

  it('are worth no less when a bid is added, and the same without one that loses', () =>
    fc.assert(
      fc.property(supplies, everybody, fc.nat(), (goods, each, choice) => {
        const bids = placed(each);
        fc.pre(bids.length > 0);
        const lots = lotsOf('sell', goods, bids);
        const welfare = bestWelfare(lots) ?? 0n;
        const left = choice % bids.length;
        const fewer = lotsOf(
          'sell',
          goods,
          bids.filter((_, index) => index !== left),
        );
        expect(bestWelfare(fewer)).toBeLessThanOrEqual(welfare);
      }),
    ));

  it('found quickly are worth at most the best, and 1/√m of it when each bidder wants one package', () =>
    fc.assert(
      fc.property(supplies, everybody, (goods, each) => {
        const lots = lotsOf('sell', goods, placed(each));
        const quick = greedyAllocation(lots);
        expect(conflictIn(lots, quick)).toBeUndefined();
        expect(welfareOf(lots, quick)).toBeLessThanOrEqual(bestWelfare(lots) ?? 0n);

        const single = lotsOf(
          'sell',
          names.map((name) => ({ name, supply: 1 })),
          placed(each.map((bids) => bids.slice(0, 1))),
        );
        const least = Number(bestWelfare(single)) / Math.sqrt(names.length);
        expect(Number(welfareOf(single, greedyAllocation(single)))).toBeGreaterThanOrEqual(least);
      }),
    ));

  it('are never worth more than prices of goods allow, whatever these are', () =>
    fc.assert(
      fc.property(
        side,
        fc.tuple(supplies, everybody),
        fc.array(fc.bigInt(0n, 9_000n), { minLength: 4 }),
        (which, [goods, each], amounts) => {
          const lots = lotsOf(which, goods, placed(each));
          const prices = Object.fromEntries(names.map((name, at) => [name, amounts[at] ?? 0n]));
          const bound = priceBound(lots, { prices, partsOfOne: 1_000n });
          expect(bound).toBeGreaterThanOrEqual(bestWelfare(lots) ?? bound);
          const quick = priceBound(lots, quickPrices(lots));
          expect(quick).toBeGreaterThanOrEqual(bestWelfare(lots) ?? quick);
          // All that is bid at once bounds it, too, and is no better.
          const all = lots.bids.reduce((sum, { worth }) => sum + worth, 0n);
          expect(quick).toBeLessThanOrEqual(which === 'sell' ? all * 8n : 0n);
        },
      ),
    ));

  it('hold no bid of which prices say that it is hopeless, nor does anything else that is worth as much', () => {
    let found = 0;
    fc.assert(
      fc.property(
        side,
        fc.tuple(supplies, everybody),
        fc.array(fc.bigInt(0n, 9_000n), { minLength: 4 }),
        (which, [goods, each], amounts) => {
          const lots = lotsOf(which, goods, placed(each));
          const prices = Object.fromEntries(names.map((name, at) => [name, amounts[at] ?? 0n]));
          const welfare = bestWelfare(lots);
          fc.pre(welfare !== undefined);
          for (const out of hopeless(lots, { prices, partsOfOne: 1_000n }, welfare)) {
            found++;
            // With so much for this bid, all that is best has it.
            const more = 10_000n;
            const bids = lots.bids.map((own, at) =>
              at === out ? { ...own, worth: own.worth + more } : own,
            );
            const withIt = (bestWelfare({ ...lots, bids }) ?? 0n) - more;
            expect(withIt).toBeLessThan(welfare);
          }
        },
      ),
    );
    expect(found).toBeGreaterThan(10);
  });

  it('are proven by the prices of the relaxed problem where that is solved by whole bids', async () => {
    const bids = [['A', 'B'], ['B', 'C'], ['C'], ['A']].map((goods, at) => ({
      agent: `${at}`,
      goods,
      amount: BigInt(5 + at),
    }));
    const lots = lotsOf(
      'sell',
      ['A', 'B', 'C'].map((name) => ({ name, supply: 1 })),
      bids,
    );
    const { prices = [] } = await solver.solve({ model: relaxedModel(lots) }, options);
    expect(priceBound(lots, goodPrices(lots, prices))).toBe(bestWelfare(lots));
  });
});

describe('amounts', () => {
  const goods = ['A', 'B'].map((name) => ({ name, supply: 1 }));
  const offers = (unit: bigint, more = 0n): readonly PlacedPackageBid[] => [
    { agent: 'a', goods: ['A'], amount: 3n * unit + more },
    { agent: 'b', goods: ['B'], amount: 2n * unit },
    { agent: 'c', goods: ['A', 'B'], amount: 4n * unit },
  ];

  it('reach a solver as they are, without a factor they have in common, or rounded up', () => {
    const exact = lotsOf('sell', goods, offers(1_000_000_000n));
    expect(exact).toMatchObject({ unit: 1n, isExact: true });
    const common = lotsOf('sell', goods, offers(10n ** 18n));
    expect(common).toMatchObject({ unit: 10n ** 18n, isExact: true });
    expect(common.bids.map(({ scaled }) => scaled)).toEqual([3n, 2n, 4n]);
    const rounded = lotsOf('sell', goods, offers(10n ** 18n, 1n));
    expect(rounded.isExact).toBe(false);
    for (const { worth, scaled } of rounded.bids) {
      expect(scaled * rounded.unit).toBeGreaterThanOrEqual(worth);
      expect(scaled).toBeLessThanOrEqual(2n ** 40n);
    }
    for (const { worth, scaled } of lotsOf('buy', goods, offers(10n ** 18n, 1n)).bids) {
      expect(scaled * rounded.unit).toBeGreaterThanOrEqual(worth);
    }
  });
});
