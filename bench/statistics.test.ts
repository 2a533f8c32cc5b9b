import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { quantile, readable, summarize } from './statistics.ts';

// No -0: the mean of two rounds is 0, and nothing measured is either.
const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((each) => each + 0);
const values = fc.array(value, { minLength: 1 });

describe('statistics of rounds', () => {
  it('takes the middle round as the median, whatever the order of the rounds', () => {
    expect(summarize([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  });

  it('takes the mean of the two middle rounds when their number is even', () => {
    expect(summarize([4, 1, 3, 2]).median).toBe(2.5);
  });

  it('keeps the median between the slowest and the fastest round', () => {
    fc.assert(
      fc.property(values, (rounds) => {
        const { median, min, max } = summarize(rounds);
        expect(min).toBe(Math.min(...rounds));
        expect(max).toBe(Math.max(...rounds));
        expect(median).toBeGreaterThanOrEqual(min);
        expect(median).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('interpolates a quantile between neighbours', () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
  });

  it('refuses to summarize nothing, or a round without a number', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => summarize([1, Number.NaN])).toThrow(RangeError);
  });

  it('prints numbers with three digits', () => {
    expect([2_104_000, 812_345, 999.6, 41.27, 0.4823].map(readable)).toEqual([
      '2.10 M',
      '812 k',
      '1.00 k',
      '41.3',
      '0.482',
    ]);
  });
});
