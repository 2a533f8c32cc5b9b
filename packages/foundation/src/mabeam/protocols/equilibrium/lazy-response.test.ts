import { sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Outcome } from '../../outcome.ts';
import { verify } from '../../verify.ts';
import { exchangeMarket } from './exchange-market.ts';
import type { ExchangeResult, ExchangeSpec } from './exchange-spec.ts';
import { worthAt } from './tatonnement.ts';
import type { Utility } from './utility.ts';

const method = 'lazy_proportional_response';
const linear = (...weights: number[]): Utility => ({ kind: 'linear', weights });

interface Economy {
  readonly utilities: readonly Utility[];
  readonly brings: readonly (readonly number[])[];
}

function specOf({ brings }: Economy, terms: Partial<ExchangeSpec> = {}): ExchangeSpec {
  return {
    goods: (brings[0] ?? []).map((_, good) => `good-${good}`),
    endowments: Object.fromEntries(brings.map((own, index) => [`t${index}`, own])),
    method,
    ...terms,
  };
}

async function held(
  economy: Economy,
  terms: Partial<ExchangeSpec> = {},
): Promise<Outcome<ExchangeResult>> {
  const roster = economy.brings.map((_, index) => `t${index}`);
  const { outcome } = await sit(exchangeMarket, {
    spec: specOf(economy, terms),
    roster,
    answer: ({ to }) => ({ body: economy.utilities[roster.indexOf(to)] }),
  });
  expect(verify(exchangeMarket, outcome)).toEqual([]);
  return outcome;
}

const near = (numbers: readonly number[], digits = 5): readonly unknown[] =>
  numbers.map((each) => expect.closeTo(each, digits) as unknown);

/** Budgets of 3 and 1 as parts of everything (E2). */
const unequal: Economy = {
  utilities: [linear(2, 1), linear(1, 1)],
  brings: [
    [0.75, 0.75],
    [0.25, 0.25],
  ],
};

/** The first wants what the others bring, and they want what it brings: who spends all sends money to and fro. */
const swinging: Economy = {
  utilities: [linear(0, 1, 1), linear(1, 0, 0), linear(1, 0, 0)],
  brings: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
};

describe('a lazy proportional response', () => {
  it('finds prices and allocation of the worked examples (E1, E2)', async () => {
    const halves = [
      [0.5, 0.5],
      [0.5, 0.5],
    ];
    const first = await held({ utilities: [linear(2, 1), linear(1, 2)], brings: halves });
    expect(first.status).toBe('decided');
    expect(first.result?.prices).toEqual(near([0.5, 0.5]));
    expect(first.result?.traders.map(({ bundle }) => bundle)).toEqual([near([1, 0]), near([0, 1])]);
    const second = await held(unequal);
    expect(second.result?.prices).toEqual(near([2 / 3, 1 / 3]));
    expect(second.result?.traders.map(({ bundle }) => bundle)).toEqual([
      near([1, 0.25], 4),
      near([0, 0.75], 4),
    ]);
    expect(second.certificate?.gap).toBeLessThanOrEqual(1e-6);
  });

  it('does so where a tâtonnement jumps from good to good', async () => {
    const { status } = await held(unequal, { method: 'tatonnement', maxRounds: 200 });
    expect(status).toBe('not_converged');
  });

  it('comes to rest where prices would swing if everything was spent', async () => {
    const { status, result } = await held(swinging);
    expect(status).toBe('decided');
    expect(result?.prices).toEqual(near([0.5, 0.25, 0.25]));
    // Bids of 0.5 by each at first; then t0 has 0.5 + 1, and the others 0.5 + 0.25.
    expect(result?.rounds).toBe(2);
    expect(result?.traders.map(({ bundle }) => bundle)).toEqual([
      near([0, 1, 1]),
      near([0.5, 0, 0]),
      near([0.5, 0, 0]),
    ]);
  });

  const amounts = (n: number): fc.Arbitrary<readonly number[]> =>
    fc.array(fc.integer({ min: 1, max: 10 }), { minLength: n, maxLength: n });
  const economies = fc
    .integer({ min: 1, max: 4 })
    .chain((goods) =>
      fc.array(fc.tuple(amounts(goods), amounts(goods)), { minLength: 1, maxLength: 5 }),
    )
    .map((traders): Economy => ({
      utilities: traders.map(([weights]) => linear(...weights)),
      brings: traders.map(([, brings]) => brings),
    }));

  it('shares out all there is, to nobody for more than it brings, and leaves nobody worse off', () =>
    fc.assert(
      fc.asyncProperty(economies, async (economy) => {
        const tolerance = 1e-4;
        const { status, result } = await held(economy, { tolerance, maxRounds: 5_000 });
        expect(status).toBe('decided');
        const { prices = [], traders = [] } = result ?? {};
        for (const good of prices.keys()) {
          const given = traders.reduce((sum, { bundle }) => sum + (bundle[good] ?? 0), 0);
          const supply = economy.brings.reduce((sum, own) => sum + (own[good] ?? 0), 0);
          expect(given).toBeLessThanOrEqual(supply * (1 + 1e-9));
        }
        for (const { endowment, demand, bundle, utility } of traders) {
          const { weights = [] } = utility ?? {};
          expect(worthAt(prices, demand)).toBeCloseTo(worthAt(prices, endowment), 9);
          const had = worthAt(weights, endowment);
          expect(worthAt(weights, bundle)).toBeGreaterThanOrEqual(had * (1 - 3 * tolerance));
        }
      }),
      { numRuns: 25 },
    ));

  it('gives no result when its rounds are over, or somebody wants what nobody there brings', async () => {
    const short = await held(unequal, { maxRounds: 10 });
    expect([short.status, short.result]).toEqual(['not_converged', undefined]);
    expect(short.certificate?.gap).toBeGreaterThan(1e-6);
    const nobody = { kind: 'linear', weights: [] } as const;
    const brings = [
      [1, 0],
      [0, 1],
    ];
    const absent = await held({ utilities: [linear(0, 1), nobody], brings });
    expect(absent.reasons).toMatchObject({ t1: 'invalid' });
    expect([absent.status, absent.result]).toEqual(['not_converged', undefined]);
  });

  it('gives nothing to who brings nothing', async () => {
    const { utilities, brings } = unequal;
    const idle = { utilities: [...utilities, linear(5, 5)], brings: [...brings, [0, 0]] };
    const { status, result } = await held(idle);
    expect(status).toBe('decided');
    expect(result?.prices).toEqual(near([2 / 3, 1 / 3]));
    expect(result?.traders.at(-1)?.bundle).toEqual([0, 0]);
  });

  it('is for linear utilities, told once', async () => {
    const [one = linear(1)] = unequal.utilities;
    const mixed = { ...unequal, utilities: [one, { kind: 'leontief' as const, weights: [1, 1] }] };
    const { reasons, result } = await held(mixed);
    expect(reasons).toMatchObject({ t0: 'won', t1: 'not_eligible' });
    expect(result?.traders).toHaveLength(1);
    for (const [terms, reason] of [
      [{ mode: 'demand' }, `method: expected tatonnement, got "${method}"`],
      [{ method: 'x' }, `method: expected tatonnement or ${method}, got "x"`],
    ] as const) {
      const spec: object = { ...specOf(unequal), ...terms };
      expect(exchangeMarket.parseSpec(spec)).toEqual({ ok: false, reason });
    }
  });

  it('is refuted when somebody could have had more, or the gap is made up', async () => {
    const { result, certificate, status } = await held(unequal);
    if (result === undefined || certificate === undefined) throw new Error('no result');
    const problems = (changed: object, proof: object = {}): readonly string[] =>
      exchangeMarket.verify?.(specOf(unequal), {
        status,
        roster: [],
        result: { ...result, ...changed },
        certificate: { ...certificate, ...proof },
      }) ?? [];
    expect(problems({})).toEqual([]);
    expect(problems({}, { gap: 0 })).toHaveLength(1);
    const [first, second] = result.traders;
    const other = { ...second, utility: linear(9, 1) };
    expect(problems({ traders: [first, other] })).not.toEqual([]);
    const leontief = { ...second, utility: { kind: 'leontief', weights: [1, 1] } };
    expect(problems({ traders: [first, leontief] })).toContain('t1 has no linear utility');
  });
});
