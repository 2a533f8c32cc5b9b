import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { votingPower } from './voting-power.ts';
import { weigh } from './weighing.ts';

const named = (weights: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries(weights.map((weight, index) => [`v${index}`, weight]));

function cut(weights: readonly number[], cap?: `${number}/${number}`): number[] | undefined {
  const spec = { weights: named(weights), ...(cap === undefined ? {} : { cap }) };
  const weighing = weigh(Object.keys(spec.weights), spec);
  return weighing && [...weighing.weights.values()].map((units) => units / weighing.scale);
}

describe('weights', () => {
  it('are 1 unless given', () => {
    expect([...(weigh(['a', 'b'], { weights: { b: 5 } })?.weights ?? [])]).toEqual([
      ['a', 1],
      ['b', 5],
    ]);
  });

  it('are cut so that the cap still holds after the cut', () => {
    expect(cut([10, 1, 1], '1/2')).toEqual([2, 1, 1]);
    expect(cut([3, 1, 1], '2/5')).toEqual([4 / 3, 1, 1]);
    expect(cut([50, 30, 10, 10], '1/3')).toEqual([20, 20, 10, 10]);
    expect(cut([3, 3, 3], '1/3')).toEqual([3, 3, 3]);
    expect(cut([9, 3, 3], '1/3')).toEqual([3, 3, 3]);
  });

  it('cannot keep a cap that is smaller than an even share', () => {
    expect(cut([5, 5], '1/3')).toBeUndefined();
    expect(cut([5, 1, 0], '1/3')).toBeUndefined();
  });

  it('keep the cap exactly, change for nobody below it, and are cut no more than need be', () => {
    const weights = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 8 });
    const caps = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(weights, caps, (given, [one, other]) => {
        const [part, whole] = [Math.min(one, other), Math.max(one, other)];
        const weighing = weigh(Object.keys(named(given)), {
          weights: named(given),
          cap: `${part}/${whole}`,
        });
        const positive = given.filter((weight) => weight > 0).length;
        expect(weighing === undefined).toBe(positive > 0 && positive * part < whole);
        if (weighing === undefined) return;
        const { scale, total } = weighing;
        const units = [...weighing.weights.values()];
        expect(units.reduce((sum, each) => sum + each, 0)).toBe(total);
        const isCut = units.map((each, index) => each < (given[index] ?? 0) * scale);
        for (const [index, each] of units.entries()) {
          expect(each * whole).toBeLessThanOrEqual(total * part);
          expect(each).toBeLessThanOrEqual((given[index] ?? 0) * scale);
        }
        // Those who were cut are equals at the top, and one unit more for each of them would break the cap.
        const most = Math.max(...units);
        const count = isCut.filter(Boolean).length;
        expect(units.every((each, index) => isCut[index] !== true || each === most)).toBe(true);
        expect(count === 0 || (most + 1) * whole > (total + count) * part).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('that are all c times as large are cut c times as high', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(100), { minLength: 3, maxLength: 6 }),
        fc.integer({ min: 2, max: 9 }),
        (given, c) => {
          const scaled = cut(
            given.map((weight) => weight * c),
            '2/5',
          );
          const base = cut(given, '2/5');
          expect(scaled === undefined).toBe(base === undefined);
          for (const [index, weight] of (base ?? []).entries()) {
            expect(scaled?.[index]).toBeCloseTo(weight * c, 9);
          }
        },
      ),
    );
  });
});

describe('voting power', () => {
  it('E5: Luxembourg never decided in the EEC of 1958', () => {
    const power = votingPower([4, 4, 4, 2, 2, 1], 12);
    expect(power.map(({ swings }) => swings)).toEqual([10, 10, 10, 6, 6, 0]);
    const sixtieths = power.map(({ shapleyShubik }) => Math.round(shapleyShubik * 60_000) / 1_000);
    expect(sixtieths).toEqual([14, 14, 14, 9, 9, 0]);
  });

  it('adds up to one whenever everybody together reaches the quota', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 20 }),
        (weights, quota) => {
          const all = weights.reduce((sum, weight) => sum + weight, 0);
          const shares = votingPower(weights, quota).reduce(
            (sum, { shapleyShubik }) => sum + shapleyShubik,
            0,
          );
          expect(shares).toBeCloseTo(all >= quota ? 1 : 0, 9);
        },
      ),
    );
  });

  it('refuses what it cannot count exactly', () => {
    expect(() => votingPower([0.5], 1)).toThrow('whole weights');
    expect(() =>
      votingPower(
        Array.from({ length: 41 }, () => 1),
        1,
      ),
    ).toThrow('at most 40');
  });
});
