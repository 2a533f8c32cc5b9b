import { sit, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonical } from '../../canonical.ts';
import type { CoordinationRequest } from '../../message.ts';
import type { Outcome } from '../../outcome.ts';
import { replay } from '../../replay.ts';
import { verify } from '../../verify.ts';
import { builtInProtocols } from '../built-in.ts';
import { exchangeMarket } from './exchange-market.ts';
import { demandQuestion } from './exchange-questions.ts';
import type { ExchangeResult, ExchangeSpec } from './exchange-spec.ts';
import { excessOf, nextPrices, normalized, residualOf, worthAt } from './tatonnement.ts';
import { demandOf, lnUtility, type Utility } from './utility.ts';

/** What somebody would have at prices, given what it brings. */
type Demand = (prices: readonly number[], endowment: readonly number[]) => readonly number[];

const cobbDouglas = (...weights: number[]): Utility => ({ kind: 'cobb_douglas', weights });
const leontief = (...weights: number[]): Utility => ({ kind: 'leontief', weights });
const linear = (...weights: number[]): Utility => ({ kind: 'linear', weights });

function demandFor(utility: Utility): Demand {
  return (prices, endowment) => demandOf(utility, prices, worthAt(prices, endowment));
}

interface How {
  readonly answer?: (request: CoordinationRequest) => Scripted | undefined;
  readonly deadlineMs?: number;
}

/** What t0, t1, … come to; a utility answers in both modes. */
async function held(
  traders: readonly (Utility | Demand)[],
  spec: Partial<ExchangeSpec> & { readonly brings: readonly (readonly number[])[] },
  { answer = () => undefined, deadlineMs = 1e9 }: How = {},
): Promise<Outcome<ExchangeResult>> {
  const { brings, ...terms } = spec;
  const roster = traders.map((_, index) => `t${index}`);
  const sitting: Sitting = {
    spec: {
      goods: (brings[0] ?? []).map((_, good) => `good-${good}`),
      endowments: Object.fromEntries(roster.map((id, index) => [id, brings[index] ?? []])),
      ...terms,
    },
    roster,
    options: { deadlineMs },
    answer: (request) => {
      const trader = traders[roster.indexOf(request.to)] ?? linear(1);
      const asked = demandQuestion.parse(request);
      const scripted = answer(request);
      if (scripted !== undefined) return scripted;
      if (request.type === 'get_utility') return { body: trader };
      if (!asked.ok) return { body: {} };
      const demand = typeof trader === 'function' ? trader : demandFor(trader);
      return { body: { demand: demand(asked.value.prices, asked.value.endowment) } };
    },
  };
  const { outcome } = await sit(exchangeMarket, sitting);
  expect(verify(exchangeMarket, outcome)).toEqual([]);
  return outcome;
}

const ratio = (prices: readonly number[] = []): number => (prices[0] ?? 0) / (prices[1] ?? 0);
const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
};

describe.each(['utility', 'demand'] as const)('an exchange in the mode %s', (mode) => {
  const brings = [
    [1, 2],
    [2, 1],
  ];

  it('finds the prices of a Cobb–Douglas economy: α/(1 − α) (E4)', async () => {
    for (const alpha of [0.25, 0.5, 0.7]) {
      const both = [cobbDouglas(alpha, 1 - alpha), cobbDouglas(alpha, 1 - alpha)];
      const { status, result, certificate } = await held(both, { mode, brings, tolerance: 1e-9 });
      expect(status).toBe('decided');
      expect(ratio(result?.prices)).toBeCloseTo(alpha / (1 - alpha), 7);
      expect(certificate?.gap).toBeLessThanOrEqual(1e-9);
      expect(sum(result?.prices ?? [])).toBeCloseTo(1, 12);
    }
  });

  it('finds them by steps that add, too', async () => {
    const both = [cobbDouglas(1, 3), cobbDouglas(1, 3)];
    const { result } = await held(both, { mode, brings, rule: 'additive', tolerance: 1e-9 });
    expect(ratio(result?.prices)).toBeCloseTo(1 / 3, 7);
  });

  it('gives nobody more than there is', async () => {
    const both = [cobbDouglas(1, 3), cobbDouglas(1, 3)];
    const { result } = await held(both, { mode, brings, tolerance: 0.05 });
    for (const good of [0, 1]) {
      const given = sum((result?.traders ?? []).map(({ bundle }) => bundle[good] ?? 0));
      expect(given).toBeLessThanOrEqual(3 + 1e-9);
    }
    const short = (result?.traders ?? []).some(({ bundle, demand }) =>
      bundle.some((amount, good) => amount < (demand[good] ?? 0)),
    );
    expect(short).toBe(true);
  });

  it('says how near it came when it does not converge, and gives no result', async () => {
    const both = [cobbDouglas(1, 3), cobbDouglas(1, 3)];
    const { status, result, certificate } = await held(both, { mode, brings, maxRounds: 3 });
    expect([status, result]).toEqual(['not_converged', undefined]);
    // From 1 : 1 up: the third prices are the best.
    const prices = certificate?.data?.['prices'];
    expect(ratio(prices as number[])).toBeLessThan(0.9);
    expect(certificate?.gap).toBeGreaterThan(0.01);
    const excess = certificate?.data?.['excess'] as number[];
    expect(Math.abs(worthAt(prices as number[], excess))).toBeLessThan(1e-9);
  });

  it('survives replay and JSON bit for bit', async () => {
    const outcome = await held([cobbDouglas(0.1, 0.7), leontief(0.3, 0.1)], {
      mode,
      brings,
      tolerance: 0.01,
    });
    expect(canonical(replay(exchangeMarket, outcome.record))).toBe(canonical(outcome));
    const read: unknown = JSON.parse(canonical(outcome.result));
    expect(read).toEqual(outcome.result);
  });

  it('is no market when nobody answers', async () => {
    const both = [linear(1, 1), linear(1, 1)];
    const { status } = await held(both, { mode, brings }, { answer: () => 'silent' });
    expect(status).toBe('no_deal');
  });
});

describe('an economy with three equilibria (Mas-Colell, Whinston and Green 15.B.2, E5)', () => {
  const r = 2 ** (8 / 9) - 2 ** (1 / 9);
  const brings = [
    [2, r],
    [r, 2],
  ];
  // u = own - other^-8/8: at an inside optimum other^-9 is the price of the other in terms of its own.
  const quasi =
    (own: number): Demand =>
    (prices, endowment) => {
      const [price = 1, other = 1] = own === 0 ? prices : prices.toReversed();
      const much = (price / other) ** (1 / 9);
      const bundle = [(worthAt(prices, endowment) - other * much) / price, much];
      return own === 0 ? bundle : bundle.toReversed();
    };
  const both = [quasi(0), quasi(1)];

  it.each([1 / 2, 1, 2])(
    'has one at %f, and each is reported as one with its certificate',
    async (p) => {
      const spec = { mode: 'demand', brings, start: [p, 1], tolerance: 1e-9 } as const;
      const { status, result, certificate } = await held(both, spec);
      expect(status).toBe('decided');
      expect(result?.rounds).toBe(1);
      expect(ratio(result?.prices)).toBeCloseTo(p, 12);
      expect(certificate?.gap).toBeLessThan(1e-15);
    },
  );

  it('ends at another, depending on where it starts', async () => {
    const ends = await Promise.all(
      [0.8, 1.25].map(async (p) => {
        const spec = { mode: 'demand', brings, start: [p, 1], step: 1, tolerance: 1e-5 } as const;
        return ratio((await held(both, spec)).result?.prices);
      }),
    );
    expect(ends[0]).toBeCloseTo(1 / 2, 1);
    expect(ends[1]).toBeCloseTo(2, 1);
  });
});

describe("Scarf's economy (1960, E6)", () => {
  const wants = [leontief(1, 1, 0), leontief(0, 1, 1), leontief(1, 0, 1)];
  const brings = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const start = [1.2, 1, 0.7];

  it('has not converged after 8,000 steps, and says so', async () => {
    const spec = { brings, start, step: 0.01, maxRounds: 8_000 };
    const { status, result, certificate } = await held(wants, spec);
    expect([status, result]).toEqual(['not_converged', undefined]);
    expect(certificate?.gap).toBeGreaterThan(0.05);
  });

  it('circles its only equilibrium, and drifts away from it', () => {
    const wishesAt = (prices: readonly number[]) =>
      wants.map((utility, index) => {
        const endowment = brings[index] ?? [];
        return { endowment, demand: demandFor(utility)(prices, endowment) };
      });
    let prices = normalized(start);
    const nearest: number[] = [];
    for (let step = 1; step <= 32_000; step++) {
      const excess = excessOf(wishesAt(prices), 3);
      prices = nextPrices(prices, excess, {
        rule: 'multiplicative',
        step: 0.01,
        supply: [1, 1, 1],
      });
      const away = Math.hypot(...prices.map((price) => price - 1 / 3));
      const epoch = Math.floor((step - 1) / 8_000);
      nearest[epoch] = Math.min(nearest[epoch] ?? Infinity, away);
    }
    expect(nearest[0]).toBeGreaterThan(0.1);
    expect(nearest).toEqual(nearest.toSorted((one, other) => one - other));
    const middle = [1 / 3, 1 / 3, 1 / 3];
    expect(residualOf(excessOf(wishesAt(middle), 3), wishesAt(middle))).toBeLessThan(1e-15);
  });

  it('has not converged in rounds of messages either', async () => {
    const spec = { mode: 'demand', brings, start, step: 0.01, maxRounds: 50 } as const;
    expect((await held(wants, spec)).status).toBe('not_converged');
  });
});

describe('traders who are asked at each price', () => {
  const brings = [
    [1, 2],
    [2, 1],
    [5, 0],
  ];
  const three = [cobbDouglas(1, 1), cobbDouglas(1, 1), cobbDouglas(0, 1)];

  it('keep what they have while they are silent, and for good after three rounds', async () => {
    const asked: number[] = [];
    const { status, result, reasons } = await held(
      three,
      { mode: 'demand', brings },
      {
        answer: ({ to, round }) => {
          if (to !== 't2') return undefined;
          asked.push(round);
          return 'silent';
        },
      },
    );
    expect(asked).toEqual([1, 2, 3]);
    expect(status).toBe('decided');
    expect(ratio(result?.prices)).toBeCloseTo(1, 5);
    expect(result?.traders.map(({ agent }) => agent)).toEqual(['t0', 't1']);
    expect(reasons).toEqual({ t0: 'won', t1: 'won', t2: 'silent' });
  });

  it('are waited for before an equilibrium of the others counts', async () => {
    const two = { mode: 'demand', brings: brings.slice(0, 2) } as const;
    const { result } = await held(three.slice(0, 2), two, {
      answer: ({ to, round }) => (to === 't1' && round < 3 ? 'silent' : undefined),
    });
    expect(result?.traders).toHaveLength(2);
  });

  it('cannot have more than what they bring is worth, nor throw some of it away', async () => {
    for (const demand of [[3, 3], [0.1, 0.1], [1.5]]) {
      const { result, reasons } = await held(
        three,
        { mode: 'demand', brings },
        { answer: ({ to }) => (to === 't2' ? { body: { demand } } : undefined) },
      );
      expect(result?.traders.map(({ agent }) => agent)).toEqual(['t0', 't1']);
      expect(reasons['t2']).toBe('over_budget');
    }
  });

  it('leave at once when they decline', async () => {
    let times = 0;
    const { result } = await held(
      three,
      { mode: 'demand', brings },
      {
        answer: ({ to }) => {
          if (to !== 't2') return undefined;
          times++;
          return { decline: 'no' };
        },
      },
    );
    expect(times).toBe(1);
    expect(result?.traders).toHaveLength(2);
  });

  it('are told prices and what they bring, and at the end what they have', async () => {
    const { sent } = await sit(exchangeMarket, {
      spec: { goods: ['a', 'b'], endowments: { x: [1, 0], y: [0, 1] }, mode: 'demand' },
      roster: ['x', 'y'],
      answer: () => ({ body: { demand: [0.5, 0.5] } }),
    });
    const prices = [0.5, 0.5];
    expect(sent.map(({ to, type, body }) => [to, type, body])).toEqual([
      ['x', 'get_demand', { goods: ['a', 'b'], prices, endowment: [1, 0] }],
      ['y', 'get_demand', { goods: ['a', 'b'], prices, endowment: [0, 1] }],
      ['x', 'trade', { goods: ['a', 'b'], prices, bundle: [0.5, 0.5] }],
      ['y', 'trade', { goods: ['a', 'b'], prices, bundle: [0.5, 0.5] }],
    ]);
  });
});

describe('an exchange that knows utilities', () => {
  it('leaves out weights that are not one for each good', async () => {
    const two = {
      brings: [
        [1, 2],
        [2, 1],
      ],
    };
    const { reasons, result } = await held([cobbDouglas(1, 1), cobbDouglas(1)], two);
    expect(reasons).toEqual({ t0: 'won', t1: 'invalid' });
    expect(result?.traders[0]?.bundle[0]).toBeCloseTo(1, 5);
  });

  it('can be gamed by who brings much of one good', async () => {
    const two = {
      brings: [
        [10, 0],
        [0, 10],
      ],
      tolerance: 1e-8,
    };
    const worth = async (said: Utility): Promise<number> => {
      const { result } = await held([said, cobbDouglas(1, 1)], two);
      return lnUtility(cobbDouglas(1, 1), result?.traders[0]?.bundle ?? []);
    };
    // Who says that it wants more of its own good makes that dear.
    expect(await worth(cobbDouglas(2, 1))).toBeGreaterThan((await worth(cobbDouglas(1, 1))) + 0.01);
    expect(exchangeMarket.traits.dominantStrategyTruthful).toBe(false);
  });

  it('leaves a good that nobody wants at next to no price', async () => {
    const two = {
      brings: [
        [1, 2],
        [2, 1],
      ],
    };
    const { status, result } = await held([cobbDouglas(1, 0), cobbDouglas(1, 0)], two);
    expect(status).toBe('decided');
    expect(result?.prices[1]).toBeLessThan(1e-4);
  });

  it('fails when a member of the roster has no endowment', async () => {
    const { outcome } = await sit(exchangeMarket, {
      spec: { goods: ['a'], endowments: { x: [1] } },
      roster: ['x', 'toString'],
      answer: () => ({ body: linear(1) }),
    });
    expect(outcome.detail).toBe('endowments: there is none for toString');
  });
});

/** Economies of up to five traders and four goods. */
const economies = fc.integer({ min: 1, max: 4 }).chain((goods) => {
  const list = (least: number): fc.Arbitrary<number[]> =>
    fc.array(fc.double({ min: least, max: 5, noNaN: true }), {
      minLength: goods,
      maxLength: goods,
    });
  const utility: fc.Arbitrary<Utility> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('linear' as const, 'cobb_douglas' as const, 'leontief' as const),
      weights: list(0.1),
    }),
    fc.record({
      kind: fc.constant('ces' as const),
      weights: list(0.1),
      rho: fc.constantFrom(-2, 0.5),
    }),
  );
  const trader = fc.record({ utility, endowment: list(0.01) });
  return fc.record({
    traders: fc.array(trader, { minLength: 1, maxLength: 5 }),
    prices: list(1e-3),
  });
});

describe('prices that move', () => {
  const how = { step: 0.2, supply: [1, 2] };
  const isNear = (found: readonly number[], due: readonly number[]): boolean =>
    due.every((price, good) => Math.abs((found[good] ?? 0) - price / sum(due)) < 1e-14);

  it('go by a factor, or by a sum, and add up to 1', () => {
    const factors = nextPrices([0.5, 0.5], [1, -1], { ...how, rule: 'multiplicative' });
    expect(isNear(factors, [0.5 * Math.exp(0.2), 0.5 * Math.exp(-0.1)])).toBe(true);
    const sums = nextPrices([0.5, 0.5], [1, -1], { ...how, rule: 'additive' });
    expect(isNear(sums, [0.7, 0.4])).toBe(true);
  });

  it('rise by a factor of e at most, and never fall to nothing', () => {
    const far = nextPrices([0.5, 0.5], [1e9, -1e9], { ...how, rule: 'multiplicative' });
    expect(isNear(far, [0.5 * Math.E, 0.5 / Math.E])).toBe(true);
    const floor = nextPrices([0.5, 0.5], [0, -9], { ...how, rule: 'additive' });
    expect(floor[1]).toBeCloseTo(2e-12, 20);
  });
});

describe('an economy', () => {
  it("keeps Walras' law at every price", () => {
    fc.assert(
      fc.property(economies, ({ traders, prices: given }) => {
        const prices = normalized(given);
        const wishes = traders.map(({ utility, endowment }) => {
          return { endowment, demand: demandFor(utility)(prices, endowment) };
        });
        const excess = excessOf(wishes, prices.length);
        expect(Math.abs(worthAt(prices, excess))).toBeLessThan(1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('ends with an equilibrium that leaves nobody worse off, or says that it found none', async () => {
    let decided = 0;
    await fc.assert(
      fc.asyncProperty(economies, async ({ traders }) => {
        const brings = traders.map(({ endowment }) => endowment);
        const utilities = traders.map(({ utility }) => utility);
        const { status, result, certificate } = await held(utilities, { brings, tolerance: 1e-4 });
        expect(['decided', 'not_converged']).toContain(status);
        expect(result === undefined).toBe(status === 'not_converged');
        if (result === undefined) return;
        decided++;
        const worths = result.traders.map(({ bundle, endowment }, index) => {
          const utility = utilities[index] ?? linear(1);
          return lnUtility(utility, bundle) - lnUtility(utility, endowment);
        });
        expect(Math.min(...worths)).toBeGreaterThan(-1e-3);
        const excess = certificate?.data?.['excess'] as number[];
        expect(Math.abs(worthAt(result.prices, excess))).toBeLessThan(1e-9);
      }),
      { numRuns: 30 },
    );
    expect(decided).toBeGreaterThan(5);
  });
});

describe('an outcome of an exchange', () => {
  it.each<[string, (result: ExchangeResult) => object]>([
    ['prices', () => ({ prices: [0.6, 0.4] })],
    ['a sum of prices', () => ({ prices: [1, 1] })],
    ['a demand', (result) => first(result, { demand: [2, 1] })],
    ['a bundle', (result) => first(result, { bundle: [2, 1] })],
    ['an endowment', (result) => first(result, { endowment: [2, 1] })],
    ['a utility', (result) => first(result, { utility: cobbDouglas(1, 2) })],
  ])('with %s that is not so is found out', async (_what, change) => {
    const brings = [
      [1, 2],
      [2, 1],
    ];
    const both = [cobbDouglas(1, 1), cobbDouglas(1, 1)];
    const { result, certificate, status } = await held(both, { brings });
    if (result === undefined || certificate === undefined) throw new Error('there is no result');
    const spec = { goods: result.goods, endowments: { t0: [1, 2], t1: [2, 1] } };
    const problems = (claimed: ExchangeResult, terms: ExchangeSpec = spec): unknown =>
      exchangeMarket.verify?.(terms, { status, roster: [], certificate, result: claimed });
    expect(problems(result)).toEqual([]);
    expect(problems({ ...result, ...change(result) })).not.toEqual([]);
  });

  it('is checked against the gap it claims, and the tolerance of its spec', async () => {
    const brings = [
      [1, 2],
      [2, 1],
    ];
    const both = [cobbDouglas(1, 3), cobbDouglas(1, 3)];
    const { result, certificate, status } = await held(both, { brings, tolerance: 0.05 });
    if (result === undefined || certificate?.gap === undefined) throw new Error('no result');
    const spec = { goods: result.goods, endowments: { t0: [1, 2], t1: [2, 1] } };
    const problems = (gap: number, tolerance: number): unknown =>
      exchangeMarket.verify?.(
        { ...spec, tolerance },
        { status, roster: [], result, certificate: { ...certificate, gap } },
      );
    expect(problems(certificate.gap, 0.05)).toEqual([]);
    expect(problems(0, 0.05)).toHaveLength(1);
    expect(problems(certificate.gap, 1e-4)).toHaveLength(1);
  });
});

function first(result: ExchangeResult, change: object): object {
  const [one, ...others] = result.traders;
  return { traders: [{ ...one, ...change }, ...others] };
}

describe('the spec of an exchange', () => {
  const good = { goods: ['a'], endowments: { x: [1] } };
  it.each<[string, unknown, string]>([
    ['nothing', null, 'expected { goods, endowments, … }, got null'],
    [
      'a good of which nobody brings any',
      { goods: ['a', 'b'], endowments: { x: [1, 0] } },
      'endowments: nobody brings any "b"',
    ],
    [
      'an endowment of another length',
      { goods: ['a'], endowments: { x: [1, 2] } },
      'endowments.x: expected an amount up to 1e9 for each of 1 goods',
    ],
    [
      'a negative endowment',
      { goods: ['a'], endowments: { x: [-1] } },
      'endowments.x[0]: expected a number of at least 0, got -1',
    ],
    ['a rule', { ...good, rule: 'x' }, 'rule: expected multiplicative or additive, got "x"'],
    ['a mode', { ...good, mode: 'bids' }, 'mode: expected utility or demand, got "bids"'],
    ['a step', { ...good, step: 2 }, 'step: expected a number from 1e-6 to 1, got 2'],
    [
      'first prices',
      { ...good, start: [0] },
      'start: expected a price from 1e-6 to 1e6 for each good, got 0',
    ],
    [
      'rounds of messages',
      { ...good, mode: 'demand', maxRounds: 5_000 },
      'maxRounds: expected a whole number from 1 to 1000, got 5000',
    ],
    ['a misspelt field', { ...good, budgets: {} }, 'unknown field "budgets"'],
  ])('is refused for %s', (_what, spec, reason) => {
    expect(exchangeMarket.parseSpec(spec)).toEqual({ ok: false, reason });
  });

  it('is accepted again as it was read', () => {
    const read = exchangeMarket.parseSpec(good);
    expect(read.ok && exchangeMarket.parseSpec(read.value)).toEqual(read);
    expect(builtInProtocols).toContain(exchangeMarket);
  });
});
