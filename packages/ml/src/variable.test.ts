import { isFoundationError } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { boolean, choice, float, integer } from './variable.ts';

function codeOf(make: () => unknown): string | undefined {
  try {
    make();
  } catch (error) {
    return isFoundationError(error) ? error.code : undefined;
  }
  return undefined;
}

describe('a variable', () => {
  it('has canonical decimals when it goes in steps', () => {
    const threshold = float(0, 1, { step: 0.05 });
    const values = Array.from({ length: 21 }, (_, index) => threshold.decode(index));
    expect(values.slice(0, 4)).toEqual([0, 0.05, 0.1, 0.15]);
    expect(values.at(-1)).toBe(1);
    expect(threshold.encode(3 * 0.05)).toBe(3);
    expect(threshold.encode(0.12)).toBeUndefined();
    expect(threshold.encode(1.05)).toBeUndefined();
  });

  it('reads back every value it gives', () => {
    const start = fc.integer({ min: -50, max: 50 });
    const shape = {
      start,
      step: fc.constantFrom(0.001, 0.05, 0.1, 0.25, 1, 3),
      count: fc.integer({ min: 2, max: 40 }),
    };
    fc.assert(
      fc.property(fc.record(shape), ({ start: min, step, count }) => {
        const stepped = float(min, min + step * (count - 1), { step });
        expect(stepped.axis).toEqual({ kind: 'ordinal', count });
        for (let index = 0; index < count; index++) {
          expect(stepped.encode(stepped.decode(index))).toBe(index);
        }
      }),
    );
  });

  it('keeps a float without steps as it is', () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (value) => {
        const free = float(-2, 2);
        expect(free.decode(free.encode(value) ?? Number.NaN)).toBe(value + 0);
      }),
    );
  });

  it('takes only values of its kind', () => {
    for (const stranger of [undefined, null, '1', Number.NaN, Infinity, [], {}, 1n]) {
      expect(float(0, 2).encode(stranger)).toBeUndefined();
      expect(integer(0, 2).encode(stranger)).toBeUndefined();
      expect(choice(['a', 'b']).encode(stranger)).toBeUndefined();
      expect(boolean().encode(stranger)).toBeUndefined();
    }
    expect(integer(0, 4, { step: 2 }).encode(3)).toBeUndefined();
    expect(choice(['a', null, 3]).encode(null)).toBe(1);
    expect(boolean().encode(true)).toBe(1);
  });

  it('refuses a declaration that makes no sense', () => {
    const senseless = [
      () => float(1, 0),
      () => float(0, Infinity),
      () => float(0, 1, { step: 0.3 }),
      () => float(0, 1, { step: 0 }),
      () => float(0, 1, { step: -0.1 }),
      () => float(0, 1, { step: Number.NaN }),
      () => float(0, 1, { step: 2 }),
      () => integer(0.5, 3),
      () => integer(0, 10, { step: 3 }),
      () => choice(['a', 'a']),
      () => choice([Number.NaN, 1]),
    ];
    expect(senseless.filter((make) => codeOf(make) !== 'ML_INVALID_VARIABLE').map(String)).toEqual(
      [],
    );
  });
});
