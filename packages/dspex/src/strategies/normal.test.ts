import { seededRandom } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { truncatedNormal } from './normal.ts';

const range = { low: -0.5, high: 20.5 };

describe('a truncated normal', () => {
  it('has a mass of 1 over its range, also when its mean is at the end', () => {
    for (const bell of [
      { mean: 0, deviation: 0.21 },
      { mean: 10, deviation: 21 },
      { mean: 20, deviation: 3 },
    ]) {
      const normal = truncatedNormal(bell, range);
      const cells = Array.from({ length: 21 }, (_, at) =>
        Math.exp(normal.logMass(at - 0.5, at + 0.5)),
      );
      expect(cells.reduce((sum, cell) => sum + cell, 0)).toBeCloseTo(1, 6);
    }
  });

  it('knows the standard normal by its table', () => {
    const wide = truncatedNormal({ mean: 0, deviation: 1 }, { low: -8, high: 8 });
    expect(Math.exp(wide.logMass(-1, 1))).toBeCloseTo(0.682_689_5, 6);
    expect(Math.exp(wide.logMass(1.96, 8))).toBeCloseTo(0.024_997_9, 6);
    expect(wide.logMass(6, 7)).toBeCloseTo(Math.log(9.865_876e-10 - 1.279_8e-12), 5);
    expect(wide.logDensity(0)).toBeCloseTo(-0.918_938_5, 6);
  });

  it('draws what its masses say', () => {
    const normal = truncatedNormal({ mean: 3, deviation: 4 }, range);
    const random = seededRandom('draws');
    const draws = Array.from({ length: 20_000 }, () => normal.draw(random));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(-0.5);
    expect(Math.max(...draws)).toBeLessThanOrEqual(20.5);
    const below = draws.filter((at) => at < 3).length / draws.length;
    expect(below).toBeCloseTo(Math.exp(normal.logMass(-0.5, 3)), 1.9);
  });
});
