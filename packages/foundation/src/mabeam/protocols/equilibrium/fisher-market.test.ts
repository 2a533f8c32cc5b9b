import { sit, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonical } from '../../canonical.ts';
import type { CoordinationRequest } from '../../message.ts';
import type { Outcome } from '../../outcome.ts';
import { replay } from '../../replay.ts';
import { verify } from '../../verify.ts';
import { builtInProtocols } from '../built-in.ts';
import { proportionalResponse } from './fisher-buyer.ts';
import { fisherEquilibrium } from './fisher-kernel.ts';
import { fisherMarket } from './fisher-market.ts';
import { spendingQuestion, type Spending } from './fisher-questions.ts';
import type { FisherBuyer, FisherResult, FisherSpec } from './fisher-spec.ts';
import { demandOf, lnBest, lnUtility, type Utility } from './utility.ts';

const linear = (...weights: number[]): Utility => ({ kind: 'linear', weights });
const cobbDouglas = (...weights: number[]): Utility => ({ kind: 'cobb_douglas', weights });
const leontief = (...weights: number[]): Utility => ({ kind: 'leontief', weights });
const ces = (rho: number, ...weights: number[]): Utility => ({ kind: 'ces', weights, rho });

type Terms = Partial<FisherSpec>;

/** What buyer-0, buyer-1, … come to, who answer in both modes. */
async function held(
  utilities: readonly Utility[],
  terms: Terms,
  how: { budgets?: readonly number[]; answer?: Answer; deadlineMs?: number } = {},
): Promise<Outcome<FisherResult>> {
  const roster = utilities.map((_, index) => `buyer-${index}`);
  const { answer = () => undefined, budgets, deadlineMs = 1e9 } = how;
  const sitting: Sitting = {
    spec: {
      goods: (utilities[0]?.weights ?? []).map((_, good) => `good-${good}`),
      ...(budgets && { budgets: Object.fromEntries(budgets.map((b, i) => [`buyer-${i}`, b])) }),
      ...terms,
    },
    roster,
    options: { deadlineMs },
    answer: (request) => {
      const own = utilities[roster.indexOf(request.to)] ?? linear(1);
      return answer(request) ?? { body: honest(own, request) };
    },
  };
  const { outcome } = await sit(fisherMarket, sitting);
  expect(verify(fisherMarket, outcome)).toEqual([]);
  return outcome;
}

type Answer = (request: CoordinationRequest) => Scripted | undefined;

function honest(utility: Utility, request: CoordinationRequest): Utility | Spending {
  const asked = spendingQuestion.parse(request);
  return request.type === 'get_utility' || !asked.ok
    ? utility
    : proportionalResponse(utility, asked.value);
}

const modes = ['utility', 'bids'] as const;

describe.each(modes)('a Fisher market in the mode %s', (mode) => {
  it.each([[linear(1)], [linear(1, 1, 1)]])(
    'passes over weights that are not one for each good',
    async (wrong) => {
      const { reasons, result } = await held([linear(1, 1), wrong], { mode });
      expect(reasons).toEqual({ 'buyer-0': 'won', 'buyer-1': 'invalid' });
      expect(result?.prices).toEqual([0.5, 0.5]);
    },
  );

  it('gives each of two buyers the good it likes better (E1)', async () => {
    const { result, certificate, status } = await held([linear(2, 1), linear(1, 2)], {
      mode,
      tolerance: 1e-9,
    });
    expect(status).toBe('decided');
    for (const price of result?.prices ?? []) expect(price).toBeCloseTo(1, 9);
    const [one, other] = result?.buyers ?? [];
    expect(one?.shares[0]).toBeCloseTo(1, 6);
    expect(other?.shares[1]).toBeCloseTo(1, 6);
    expect(certificate).toMatchObject({ kind: 'equilibrium', data: { tolerance: 1e-9 } });
    expect(certificate?.gap).toBeLessThanOrEqual(1e-9);
  });

  it('lets a larger budget outbid a smaller one (E2)', async () => {
    const { result } = await held(
      [linear(2, 1), linear(1, 1)],
      { mode, tolerance: 1e-9 },
      { budgets: [3, 1] },
    );
    const [one, other] = result?.buyers ?? [];
    const close = (found: readonly number[] = [], due: readonly number[]): void =>
      due.forEach((each, at) => expect(Math.abs((found[at] ?? 9) - each)).toBeLessThan(1e-6));
    close(result?.prices, [8 / 3, 4 / 3]);
    close(one?.shares, [1, 1 / 4]);
    close(other?.shares, [0, 3 / 4]);
  });

  it('comes to the closed form of Cobb–Douglas utilities in one round (E3)', async () => {
    const { result } = await held(
      [cobbDouglas(1, 3), cobbDouglas(0.5, 0.5)],
      { mode, tolerance: 1e-9 },
      { budgets: [100, 60] },
    );
    expect(result?.prices).toEqual([55, 105]);
    expect(result?.rounds).toBe(1);
    expect(result?.buyers[0]?.bids).toEqual([25, 75]);
  });

  it('serves complements and substitutes of every kind at once', async () => {
    const utilities = [
      linear(3, 1, 2, 0),
      cobbDouglas(1, 1, 0, 2),
      leontief(1, 2, 1, 1),
      ces(0.5, 1, 2, 3, 4),
      ces(-2, 4, 3, 2, 1),
    ];
    const { status, result } = await held(utilities, { mode, tolerance: 1e-4 });
    expect(status).toBe('decided');
    for (const [index, { shares, regret }] of (result?.buyers ?? []).entries()) {
      const own = utilities[index] ?? linear(1);
      const missing = 1 - Math.exp(lnUtility(own, shares) - lnBest(own, result?.prices ?? []));
      expect(missing).toBeCloseTo(regret, 9);
    }
  });

  it('leaves a good that nobody wants unsold, at no price', async () => {
    const { result } = await held([linear(1, 0, 1), linear(2, 0, 1)], { mode });
    expect(result?.prices[1]).toBe(0);
    expect(result?.buyers.map(({ shares }) => shares[1])).toEqual([0, 0]);
  });

  it('says how near it came when it does not converge, and gives no result', async () => {
    const outcome = await held([linear(2, 1), linear(1, 2)], {
      mode,
      tolerance: 1e-9,
      maxRounds: 4,
    });
    const { status, result, certificate } = outcome;
    expect([status, result]).toEqual(['not_converged', undefined]);
    expect(certificate?.gap).toBeGreaterThan(1e-9);
    expect(certificate?.gap).toBeLessThan(0.2);
    expect(certificate?.data?.['prices']).toEqual([1, 1]);
  });

  it('survives replay and JSON bit for bit', async () => {
    const outcome = await held([linear(0.1, 0.7), ces(-0.3, 0.3, 0.1)], { mode });
    expect(canonical(replay(fisherMarket, outcome.record))).toBe(canonical(outcome));
    const read: unknown = JSON.parse(canonical(outcome.result));
    expect(read).toEqual(outcome.result);
  });

  it('is no market when nobody answers', async () => {
    const { status, reasons } = await held(
      [linear(1), linear(1)],
      { mode },
      { answer: () => 'silent' },
    );
    expect(status).toBe('no_deal');
    expect(reasons).toEqual({ 'buyer-0': 'silent', 'buyer-1': 'silent' });
  });
});

describe('buyers who answer with bids', () => {
  const [one, other] = [linear(2, 1), linear(1, 2)];

  it('are told prices and shares, and move from ½, ½ to ⅔, ⅓ (E1)', async () => {
    const asked: unknown[] = [];
    await held(
      [one, other],
      { mode: 'bids' },
      {
        answer: ({ to, body }) => {
          if (to === 'buyer-0') asked.push(body);
          return undefined;
        },
      },
    );
    const terms = { goods: ['good-0', 'good-1'], budget: 1 };
    const half = { prices: [1, 1], bids: [0.5, 0.5], shares: [0.5, 0.5] };
    expect(asked.slice(0, 2)).toEqual([terms, { ...terms, last: half }]);
    expect(asked[2]).toMatchObject({ last: { bids: [2 / 3, 1 / 3] } });
  });

  it('keep their bids while they are silent, and have their budget back after three rounds', async () => {
    const prices: unknown[] = [];
    const { status, result, reasons } = await held(
      [cobbDouglas(1, 1), cobbDouglas(1, 3), cobbDouglas(1, 0)],
      { mode: 'bids' },
      {
        answer: ({ to, round, body }) => {
          if (to === 'buyer-0') prices[round] = Object(body).last?.prices;
          return to === 'buyer-2' && round > 1 ? 'silent' : undefined;
        },
      },
    );
    const [before, after] = [
      [1.75, 1.25],
      [0.75, 1.25],
    ];
    expect(prices).toEqual([undefined, undefined, before, before, before, after]);
    expect([status, result?.prices]).toEqual(['decided', after]);
    expect(result?.buyers.map(({ agent }) => agent)).toEqual(['buyer-0', 'buyer-1']);
    expect(reasons).toEqual({ 'buyer-0': 'won', 'buyer-1': 'won', 'buyer-2': 'silent' });
  });

  it('are back with the first answer, however late it comes', async () => {
    const { result } = await held(
      [cobbDouglas(1, 1), cobbDouglas(1, 3)],
      { mode: 'bids' },
      { answer: ({ to, round }) => (to === 'buyer-1' && round < 2 ? 'silent' : undefined) },
    );
    expect(result?.prices).toEqual([0.75, 1.25]);
    expect(result?.rounds).toBe(2);
  });

  it('leave at once when they decline', async () => {
    let times = 0;
    const decline: Answer = ({ to, budgetMs }) => {
      if (to !== 'buyer-1' || budgetMs === 0) return undefined;
      times++;
      return { decline: 'no' };
    };
    const { result, reasons } = await held([one, other], { mode: 'bids' }, { answer: decline });
    expect(times).toBe(1);
    expect(reasons).toEqual({ 'buyer-0': 'won', 'buyer-1': 'declined' });
    expect(result?.prices.reduce((all, price) => all + price, 0)).toBeCloseTo(1, 12);
  });

  it('cannot spend more or less than they have', async () => {
    for (const bids of [[0.6, 0.6], [0.1, 0.1], [1]]) {
      const { result, reasons } = await held(
        [one, other],
        { mode: 'bids' },
        { answer: ({ to }) => (to === 'buyer-1' ? { body: { bids, regret: 0 } } : undefined) },
      );
      expect(result?.buyers.map(({ agent }) => agent)).toEqual(['buyer-0']);
      expect(reasons['buyer-1']).toBe('invalid');
    }
  });

  it('keep a market from ending while one does not say that it is content', async () => {
    const grumble =
      (regret?: number): Answer =>
      ({ to }) =>
        to === 'buyer-1'
          ? { body: { bids: [0.5, 0.5], ...(regret === undefined ? {} : { regret }) } }
          : undefined;
    for (const regret of [undefined, 0.5, 1]) {
      const terms = { mode: 'bids', maxRounds: 6 } as const;
      const { status } = await held([one, other], terms, { answer: grumble(regret) });
      expect(status).toBe('not_converged');
    }
  });

  it('end at the deadline with what is known then', async () => {
    const answer: Answer = ({ to, round }) =>
      to === 'buyer-1' && round > 1 ? 'silent' : undefined;
    const { status } = await held(
      [one, other],
      { mode: 'bids', roundMs: 400 },
      { answer, deadlineMs: 900 },
    );
    expect(status).toBe('limit_reached');
  });
});

describe('a Fisher market that knows utilities', () => {
  it('asks each buyer once, and tells each what it has got', async () => {
    const sitting: Sitting = {
      spec: { goods: ['a', 'b'] },
      roster: ['x', 'y'],
      answer: ({ to }) => ({ body: to === 'x' ? linear(1, 0) : linear(0, 1) }),
    };
    const { sent } = await sit(fisherMarket, sitting);
    expect(sent.map(({ to, type, body }) => [to, type, body])).toEqual([
      ['x', 'get_utility', { goods: ['a', 'b'] }],
      ['y', 'get_utility', { goods: ['a', 'b'] }],
      ['x', 'shares', { goods: ['a', 'b'], prices: [1, 1], shares: [1, 0], paid: 1 }],
      ['y', 'shares', { goods: ['a', 'b'], prices: [1, 1], shares: [0, 1], paid: 1 }],
    ]);
  });

  it('can be gamed: who bids little for what only it wants has more left for the rest', async () => {
    const truth = linear(10, 9);
    const against = linear(1, 0);
    const worth = async (said: Utility): Promise<number> => {
      const { result } = await held([said, against], { tolerance: 1e-7 });
      return Math.exp(lnUtility(truth, result?.buyers[0]?.shares ?? []));
    };
    expect(await worth(linear(19, 1))).toBeGreaterThan((await worth(truth)) * 1.4);
    expect(fisherMarket.traits.dominantStrategyTruthful).toBe(false);
  });

  it('fails when a member of the roster has no budget, and for no inherited one', async () => {
    const { outcome } = await sit(fisherMarket, {
      spec: { goods: ['a'], budgets: { x: 1 } },
      roster: ['x', 'toString'],
      answer: () => ({ body: linear(1) }),
    });
    expect([outcome.status, outcome.detail]).toEqual([
      'failed',
      'budgets: there is none for toString',
    ]);
  });
});

/** Markets of up to six buyers and five goods, all of which are wanted. */
const markets = fc.integer({ min: 1, max: 5 }).chain((goods) => {
  const weight = fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 10, noNaN: true }));
  const weights = fc
    .array(weight, { minLength: goods, maxLength: goods })
    .map((all) => (all.every((each) => each === 0) ? all.map(() => 1) : all));
  const rho = fc.constantFrom(-8, -1, -0.2, 0.2, 0.7);
  const kind = fc.constantFrom('linear' as const, 'cobb_douglas' as const, 'leontief' as const);
  const utility: fc.Arbitrary<Utility> = fc.oneof(
    fc.record({ kind, weights }),
    fc.record({ kind: fc.constant('ces' as const), weights, rho }),
  );
  const budget = fc.double({ min: 0.1, max: 100, noNaN: true });
  return fc.array(fc.record({ utility, budget }), { minLength: 1, maxLength: 6 });
});

const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
};

describe('an equilibrium of a Fisher market', () => {
  it('spends every budget, sells what is wanted, and leaves nobody more regret than the gap allows', async () => {
    await fc.assert(
      fc.asyncProperty(markets, async (buyers) => {
        const tolerance = 1e-3;
        const { status, result, certificate } = await held(
          buyers.map(({ utility }) => utility),
          { tolerance, maxRounds: 20_000 },
          { budgets: buyers.map(({ budget }) => budget) },
        );
        expect(status).toBe('decided');
        const { prices, buyers: bought } = result ?? { prices: [], buyers: [] };
        const budgets = sum(buyers.map(({ budget }) => budget));
        expect(Math.abs(sum(prices) - budgets)).toBeLessThan(1e-9 * budgets);
        for (const [good, price] of prices.entries()) {
          const sold = sum(bought.map(({ shares }) => shares[good] ?? 0));
          expect(Math.abs(sold - (price > 0 ? 1 : 0))).toBeLessThan(1e-9);
        }
        const gap = (certificate?.gap ?? 1) * budgets;
        for (const { bids, budget, regret } of bought) {
          expect(Math.abs(sum(bids) - budget)).toBeLessThan(1e-9 * budget);
          expect(regret).toBeLessThanOrEqual(gap / budget + 1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('lets nobody envy another with the same budget, beyond its regret', () => {
    fc.assert(
      fc.property(markets, (buyers) => {
        const utilities = buyers.map(({ utility }) => utility);
        const equals = utilities.map((utility) => ({ utility, budget: 1 }));
        const goods = utilities[0]?.weights.length ?? 0;
        const limits = { tolerance: 1e-6, roundsMax: 100_000 };
        const { prices, purchase } = fisherEquilibrium(equals, goods, limits);
        const bids = purchase?.bids ?? new Float64Array(0);
        const bundles = utilities.map((_, buyer) =>
          Array.from(
            { length: goods },
            (__, good) => (bids[buyer * goods + good] ?? 0) / (prices[good] || 1),
          ),
        );
        for (const [index, utility] of utilities.entries()) {
          const own = lnUtility(utility, bundles[index] ?? []);
          const missing = purchase?.shortfalls[index] ?? 1;
          for (const other of bundles) {
            expect(lnUtility(utility, other)).toBeLessThanOrEqual(own + missing + 1e-9);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is the same when a buyer counts its utility in other units', () => {
    fc.assert(
      fc.property(markets, (buyers) => {
        const goods = buyers[0]?.utility.weights.length ?? 0;
        const limits = { tolerance: 1e-4, roundsMax: 2_000 };
        const scaled = buyers.map(({ budget, utility }) => {
          return {
            budget,
            utility: { ...utility, weights: utility.weights.map((each) => each * 1024) },
          };
        });
        const [here, there] = [buyers, scaled].map((all) => fisherEquilibrium(all, goods, limits));
        for (const [good, price] of (here?.prices ?? []).entries()) {
          expect(there?.prices[good]).toBeCloseTo(price, 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("never raises Shmyrev's potential on the way", () => {
    let largestRise = -Infinity;
    // 20 markets, 400 rounds each.
    for (let seed = 0; seed < 20; seed++) {
      const chance = (at: number): number =>
        ((seed * 7919 + at * 104_729 + 12_345) % 10_007) / 10_007;
      const utilities = Array.from({ length: 6 }, (_, buyer) =>
        linear(...Array.from({ length: 5 }, (__, good) => 0.01 + chance(buyer * 31 + good))),
      );
      let all = utilities.map((utility, buyer) => {
        const question = { goods: ['', '', '', '', ''], budget: 0.1 + chance(buyer), round: 1 };
        return { utility, question, bids: proportionalResponse(utility, question).bids };
      });
      let last = Infinity;
      for (let round = 0; round < 400; round++) {
        const prices = [0, 1, 2, 3, 4].map((good) => sum(all.map(({ bids }) => bids[good] ?? 0)));
        let potential = sum(prices.map((price) => price * Math.log(price)));
        for (const { bids, utility } of all) {
          for (const [good, bid] of bids.entries()) {
            if (bid > 0) potential -= bid * Math.log(utility.weights[good] ?? 0);
          }
        }
        largestRise = Math.max(largestRise, potential - last);
        last = potential;
        all = all.map((buyer) => {
          const shares = buyer.bids.map((bid, good) => bid / (prices[good] ?? 1));
          const told = { ...buyer.question, last: { prices, bids: buyer.bids, shares } };
          return { ...buyer, bids: proportionalResponse(buyer.utility, told).bids };
        });
      }
    }
    expect(largestRise).toBeLessThanOrEqual(1e-12);
  });

  it('is what the first-order conditions say: nobody buys what gives less for its money', () => {
    const buyers = [
      { budget: 3, utility: linear(5, 2, 7) },
      { budget: 2, utility: linear(4, 4, 1) },
      { budget: 4, utility: linear(1, 3, 3) },
    ];
    const { prices, purchase } = fisherEquilibrium(buyers, 3, { tolerance: 1e-9, roundsMax: 1e5 });
    for (const [buyer, { utility }] of buyers.entries()) {
      const perMoney = utility.weights.map((weight, good) => weight / (prices[good] ?? 0));
      for (const [good, gain] of perMoney.entries()) {
        const isBought = (purchase?.bids[buyer * 3 + good] ?? 0) > 1e-3;
        expect(isBought && gain < Math.max(...perMoney) * (1 - 1e-3)).toBe(false);
      }
    }
  });
});

describe('demand at prices', () => {
  it('is worth more than anything else that costs as much', () => {
    fc.assert(
      fc.property(markets, fc.integer(), (buyers, seed) => {
        const { utility } = buyers[0] ?? { utility: linear(1) };
        const prices = utility.weights.map(
          (_, good) => 0.1 + (((seed >>> 0) * 31 + good * 77) % 97) / 40,
        );
        const bundle = demandOf(utility, prices, 5);
        const cost = (x: readonly number[]): number =>
          sum(x.map((each, good) => each * (prices[good] ?? 0)));
        expect(cost(bundle)).toBeCloseTo(5, 9);
        expect(lnUtility(utility, bundle)).toBeCloseTo(Math.log(5) + lnBest(utility, prices), 9);
        const other = bundle.map((each, good) => each + (((seed >>> 3) + good * 13) % 7) / 10);
        const scaled = other.map((each) => (each * 5) / cost(other));
        expect(lnUtility(utility, scaled)).toBeLessThanOrEqual(lnUtility(utility, bundle) + 1e-9);
      }),
      { numRuns: 200 },
    );
  });
});

describe('an outcome of a Fisher market', () => {
  it.each<[string, (result: FisherResult, buyer: FisherBuyer) => object]>([
    ['a price', (result) => ({ ...result, prices: [2, 0.5] })],
    ['a share', (result, buyer) => changed(result, { ...buyer, shares: [0.5, 0.4] })],
    ['a bid', (result, buyer) => changed(result, { ...buyer, bids: [0.4, 0.4] })],
    ['a regret', (result, buyer) => changed(result, { ...buyer, regret: 0.2 })],
    ['a utility', (result, buyer) => changed(result, { ...buyer, utility: linear(1, 9) })],
  ])('with %s that is not so is found out', async (_what, change) => {
    const { result, certificate, status } = await held([cobbDouglas(1, 1), cobbDouglas(1, 1)], {});
    const [buyer] = result?.buyers ?? [];
    if (result === undefined || buyer === undefined) throw new Error('there is no result');
    const claim = {
      status,
      roster: [],
      certificate: certificate ?? { kind: 'equilibrium' as const },
    };
    const spec = { goods: ['good-0', 'good-1'] };
    expect(fisherMarket.verify?.(spec, { ...claim, result })).toEqual([]);
    const forged = { ...result, ...change(result, buyer) };
    expect(fisherMarket.verify?.(spec, { ...claim, result: forged })).not.toEqual([]);
  });
});

it('is checked against the gap it claims, and the tolerance of its spec', async () => {
  const { result, certificate, status } = await held([linear(2, 1), linear(1, 2)], {
    tolerance: 0.01,
  });
  if (result === undefined || certificate?.gap === undefined) throw new Error('there is no result');
  const problems = (gap: number, tolerance: number): unknown =>
    fisherMarket.verify?.(
      { goods: result.goods, tolerance },
      { status, roster: [], result, certificate: { ...certificate, gap } },
    );
  expect(problems(certificate.gap, 0.01)).toEqual([]);
  expect(problems(0, 0.01)).toEqual([expect.stringContaining('the gap is 0, not 0.00')]);
  expect(problems(certificate.gap, 1e-6)).toEqual([expect.stringContaining('is no equilibrium')]);
});

function changed(result: FisherResult, buyer: FisherBuyer): object {
  return { buyers: [buyer, ...result.buyers.slice(1)] };
}

describe('the spec of a Fisher market', () => {
  it.each<[string, unknown, string]>([
    ['nothing', 5, 'expected { goods, … }, got 5'],
    ['no goods', { goods: [] }, 'goods: expected 1 to 1000 names, got an array of 0'],
    ['goods of one name', { goods: ['a', 'a'] }, 'goods: expected names that differ'],
    [
      'a good without a name',
      { goods: ['a', ''] },
      'goods: expected names of 1 to 256 characters, got ""',
    ],
    ['a mode', { goods: ['a'], mode: 'x' }, 'mode: expected utility or bids, got "x"'],
    [
      'a budget',
      { goods: ['a'], budgets: { x: -1 } },
      'budgets.x: expected 1e-9 to 1000000000000, got -1',
    ],
    [
      'a tolerance',
      { goods: ['a'], tolerance: 0 },
      'tolerance: expected a number from 1e-9 to 0.1, got 0',
    ],
    [
      'rounds',
      { goods: ['a'], mode: 'bids', maxRounds: 1001 },
      'maxRounds: expected a whole number from 1 to 1000, got 1001',
    ],
    [
      'a misspelt field',
      { goods: ['a'], budget: {} },
      'unknown field "budget", did you mean "budgets"?',
    ],
  ])('is refused for %s', (_what, spec, reason) => {
    expect(fisherMarket.parseSpec(spec)).toEqual({ ok: false, reason });
  });

  it('is refused quickly when it is vast', () => {
    const goods = 'x'.repeat(1_000_000).split('');
    const before = performance.now();
    expect(fisherMarket.parseSpec({ goods }).ok).toBe(false);
    expect(performance.now() - before).toBeLessThan(50);
  });

  it('is accepted again as it was read', () => {
    const read = fisherMarket.parseSpec({ goods: ['a'], budgets: { x: 2 } });
    expect(read.ok && fisherMarket.parseSpec(read.value)).toEqual(read);
    expect(builtInProtocols).toContain(fisherMarket);
  });

  it.each<[string, unknown]>([
    ['utility: expected { kind, weights }, got null', null],
    [
      'utility.kind: expected linear, cobb_douglas, ces or leontief, got "x"',
      { kind: 'x', weights: [1] },
    ],
    ['utility.weights: expected at least one above 0', { kind: 'linear', weights: [0, 0] }],
    [
      'utility.weights[1]: expected a number of at least 0, got NaN',
      { kind: 'linear', weights: [1, Number.NaN] },
    ],
    [
      'utility.weights: expected numbers from 1e-9 to 1000000000, or 0, got 1e-300',
      { kind: 'linear', weights: [1e-300] },
    ],
    [
      'utility.rho: expected −20 to 0.9, at least 0.01 away from 0, got 0',
      { kind: 'ces', weights: [1], rho: 0 },
    ],
    ['utility: unknown field "rho"', { kind: 'linear', weights: [1], rho: 0.5 }],
  ])('takes no answer with %s', (reason, body) => {
    expect(fisherMarket.parseReply('get_utility', body)).toEqual({ ok: false, reason });
  });

  it('takes no bids that are none, and knows no −0', () => {
    const bids = (body: unknown): unknown => fisherMarket.parseReply('get_spending', body);
    expect(bids({ bids: [-1] })).toMatchObject({ ok: false });
    expect(bids({ bids: [1], regret: 2 })).toMatchObject({ ok: false });
    expect(bids({ bids: [-0], regret: -0 })).toEqual({ ok: true, value: { bids: [0], regret: 0 } });
  });
});
