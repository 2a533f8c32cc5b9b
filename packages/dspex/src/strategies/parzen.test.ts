import { seededRandom } from '@foundation/core';
import type { Axis } from '@foundation/ml';
import { describe, expect, it } from 'vitest';

import { ageWeights, bellsOf, fitParzen } from './parzen.ts';

describe('a Parzen estimator', () => {
  it('weighs old observations less once there are more than 25', () => {
    expect(ageWeights(0)).toEqual([]);
    expect(ageWeights(25)).toEqual(Array.from({ length: 25 }, () => 1));
    const weights = ageWeights(28);
    expect(weights.slice(0, 4)).toEqual([1 / 28, 1 / 28 + 27 / 28 / 2, 1, 1]);
    expect(weights.slice(3)).toEqual(Array.from({ length: 25 }, () => 1));
  });

  it('makes a bell as wide as the larger gap to the next mean, within limits', () => {
    expect(bellsOf({ low: 0, high: 10 }, [])).toEqual([{ mean: 5, deviation: 10 }]);
    expect(bellsOf({ low: 0, high: 10 }, [1, 2, 9])).toEqual([
      { mean: 1, deviation: 2 }, // gap 1, but no narrower than 10 / (3 + 2)
      { mean: 2, deviation: 3 }, // gap 3 to the middle of the range
      { mean: 9, deviation: 4 },
      { mean: 5, deviation: 10 },
    ]);
  });

  it('is a probability over the whole product of axes', () => {
    const axes: readonly Axis[] = [
      { kind: 'nominal', count: 3 },
      { kind: 'ordinal', count: 4 },
    ];
    const estimator = fitParzen(axes, [
      [0, 1],
      [2, 3],
      [0, 1],
    ]);
    let total = 0;
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 4; b++) total += Math.exp(estimator.logDensity([a, b]));
    }
    expect(total).toBeCloseTo(1, 6);
  });

  it('draws together what was observed together', () => {
    const axes: readonly Axis[] = [
      { kind: 'nominal', count: 2 },
      { kind: 'continuous', min: 0, max: 1 },
    ];
    const pairs = Array.from({ length: 20 }, (_, index) => [
      index % 2,
      index % 2 === 0 ? 0.1 : 0.9,
    ]);
    const estimator = fitParzen(axes, pairs);
    const random = seededRandom('joint');
    const draws = Array.from({ length: 500 }, () => estimator.draw(random));
    const together = draws.filter(([side = 0, at = 0]) => (side === 0) === at < 0.5).length;
    expect(together / draws.length).toBeGreaterThan(0.85);
    expect(estimator.logDensity([0, 0.1])).toBeGreaterThan(estimator.logDensity([0, 0.9]) + 1);
  });
});
