import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { bestWelfare, enumerated, outcomeOf } from '../../../../test/enumerate.ts';
import { solveWithHighs } from '../../highs/highs-job.ts';
import { loadHighs } from '../../highs/load-highs.ts';
import type { Decision } from '../../protocol.ts';
import type { SolverJob, SolverResult } from '../../solver.ts';
import { combinatorialAuction } from './combinatorial-auction.ts';
import type { CombinatorialResult } from './combinatorial-outcome.ts';
import type { CombinatorialSpec } from './combinatorial-spec.ts';
import { lotsOf } from './lots.ts';
import type { PackageBid } from './package-bids.ts';

/** Whole programs by enumeration, which is faster here; the others by HiGHS. */
let solve: (job: SolverJob) => SolverResult;
beforeAll(async () => {
  const highs = await loadHighs();
  solve = (job) =>
    job.model.columns.every(({ isWhole }) => isWhole)
      ? enumerated(job)
      : solveWithHighs(highs, job, { budgetMs: 10_000 });
});

const goods = ['A', 'B', 'C'].map((name) => ({ name, supply: 1 }));
const bid = fc.record({
  goods: fc.subarray(['A', 'B', 'C'], { minLength: 1 }),
  amount: fc.bigInt(0n, 20n),
});
const everybody = fc.array(fc.array(bid, { minLength: 1, maxLength: 2 }), {
  minLength: 1,
  maxLength: 5,
});
const side = fc.constantFrom('sell' as const, 'buy' as const);

function auction(
  each: readonly (readonly PackageBid[])[],
  spec: Omit<CombinatorialSpec, 'goods'>,
): Decision<CombinatorialResult> {
  return outcomeOf(
    combinatorialAuction,
    { goods, ...spec },
    { bodies: each.map((bids) => ({ bids })), solve },
  );
}

/** What the bids of some agents are worth together. */
function worthTo(
  agents: readonly string[],
  each: readonly (readonly PackageBid[])[],
  which: 'sell' | 'buy',
): bigint | undefined {
  const bids = each.flatMap((own, index) =>
    agents.includes(`${index}`) ? own.map((one) => ({ agent: `${index}`, ...one })) : [],
  );
  return bestWelfare(lotsOf(which, goods, bids));
}

function subsets(of: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: 2 ** of.length }, (_, choice) =>
    of.filter((_id, at) => (choice >> at) % 2 === 1),
  );
}

describe('VCG prices', () => {
  it('are what the presence of each costs the others: from nothing to what it bid', () =>
    fc.assert(
      fc.property(side, everybody, (which, each) => {
        const { result } = auction(each, { side: which });
        if (result === undefined) return;
        const sign = which === 'sell' ? 1n : -1n;
        const agents = each.map((_, index) => `${index}`);
        for (const { agent, amount, price } of result.winners) {
          const others = worthTo(
            agents.filter((other) => other !== agent),
            each,
            which,
          );
          const cost = (others ?? sign * result.welfare) - sign * (result.welfare - amount);
          expect(sign * price).toBe(cost);
          expect(sign * price).toBeLessThanOrEqual(sign * amount);
          expect(price).toBeGreaterThanOrEqual(0n);
        }
      }),
      { numRuns: 50 },
    ));

  it('make it best to bid true values: all cases of three bidders, two goods and values from 0 to 2', () => {
    expect(falsehoods(2n)).toEqual({ cases: 14 ** 4, wrong: [] });
  });
});

describe('core prices', () => {
  it('leave no group of bidders that has offered more, and are at least VCG prices', () =>
    fc.assert(
      fc.property(side, everybody, (which, each) => {
        const { result, status } = auction(each, { side: which, pricing: 'core_nearest_vcg' });
        const vcg = auction(each, { side: which });
        expect(status).toBe(vcg.status);
        if (result === undefined) return;
        const sign = which === 'sell' ? 1n : -1n;
        const surplus = new Map(
          result.winners.map(({ agent, amount, price }) => [agent, sign * (amount - price)]),
        );
        for (const group of subsets(each.map((_, index) => `${index}`))) {
          const worth = worthTo(group, each, which);
          if (worth === undefined) continue;
          const kept = group.reduce((sum, agent) => sum + (surplus.get(agent) ?? 0n), 0n);
          expect(worth).toBeLessThanOrEqual(sign * result.total + kept);
        }
        for (const [place, { price }] of result.winners.entries()) {
          const least = vcg.result?.winners[place]?.price ?? 0n;
          expect(sign * price).toBeGreaterThanOrEqual(sign * least);
        }
      }),
    ));
});

/** All true values of three bidders for A, B and both, and all a bidder could say instead. */
function falsehoods(most: bigint): { readonly cases: number; readonly wrong: readonly unknown[] } {
  const values = Array.from({ length: Number(most) + 1 }, (_, value) => BigInt(value));
  const types = values.flatMap((both) =>
    values
      .flatMap((a) => values.map((b) => [a, b, both] as const))
      .filter(([a, b]) => a <= both && b <= both),
  );
  const packages = [['A'], ['B'], ['A', 'B']];
  const spec = { goods: [{ name: 'A' }, { name: 'B' }] };
  /** What the first gets and pays for it. */
  const outcomes = types.map((first) =>
    types.map((second) =>
      types.map((third) => {
        const bodies = [first, second, third].map((type) => ({
          bids: packages.map((wanted, at) => ({ goods: wanted, amount: type[at] ?? 0n })),
        }));
        const { result } = outcomeOf(combinatorialAuction, spec, { bodies, solve: enumerated });
        const won = result?.winners.find(({ agent }) => agent === '0');
        return won === undefined ? undefined : { bid: won.bids[0] ?? 0, price: won.price };
      }),
    ),
  );
  const wrong: unknown[] = [];
  let cases = 0;
  for (const [truth, value] of types.entries()) {
    for (const lie of types.keys()) {
      for (const second of types.keys()) {
        for (const third of types.keys()) {
          cases++;
          const gain = (said: number): bigint => {
            const won = outcomes[said]?.[second]?.[third];
            return won === undefined ? 0n : (value[won.bid] ?? 0n) - won.price;
          };
          const honest = gain(truth);
          if (honest < 0n || honest < gain(lie)) wrong.push({ value, lie, second, third });
        }
      }
    }
  }
  return { cases, wrong };
}
