import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { exp, ln, power } from './elementary.ts';

/** By how many units of the last place two numbers differ. */
function ulps(one: number, other: number): number {
  return Math.abs(one - other) / Math.max(Number.MIN_VALUE, Math.abs(other) * Number.EPSILON);
}

describe('elementary functions', () => {
  it('are within two units of the last place of what the machine has', () => {
    const sizes = fc.double({ min: -700, max: 700, noNaN: true });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0.9, max: 1.1, noNaN: true }), (size, near) => {
        expect(ulps(exp(size), Math.exp(size))).toBeLessThanOrEqual(2);
        const x = Math.exp(size);
        expect(ulps(ln(x), Math.log(x))).toBeLessThanOrEqual(2);
        expect(ulps(ln(near), Math.log(near))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 1_000 },
    );
    expect(ulps(ln(5e-324), Math.log(5e-324))).toBeLessThanOrEqual(2);
    expect(ulps(ln(1.7e308), Math.log(1.7e308))).toBeLessThanOrEqual(2);
    expect(ulps(power(3, -2.5), 3 ** -2.5)).toBeLessThan(16);
  });

  it('come to these bits on every machine', () => {
    expect([ln(3), ln(0.1), exp(0.7), exp(-20), power(3, 0.5)]).toEqual([
      1.0986122886681098, -2.3025850929940455, 2.0137527074704766, 2.061153622438558e-9,
      1.7320508075688774,
    ]);
  });

  it('know the ends', () => {
    expect([ln(0), ln(Infinity), ln(-1), ln(Number.NaN)]).toEqual([
      -Infinity,
      Infinity,
      Number.NaN,
      Number.NaN,
    ]);
    expect([exp(-Infinity), exp(Infinity), exp(0), ln(1)]).toEqual([0, Infinity, 1, 0]);
    expect([power(0, 2), power(0, -1)]).toEqual([0, Infinity]);
  });
});
