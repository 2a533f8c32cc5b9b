import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { paretoFront, type CostAndScore } from './pareto.ts';

const level = fc.integer({ min: 0, max: 6 });
const anyItems = fc.array(fc.record({ cost: level, score: level }), { maxLength: 30 });

function beats(a: CostAndScore, b: CostAndScore): boolean {
  return a.cost <= b.cost && a.score >= b.score && (a.cost < b.cost || a.score > b.score);
}

describe('a Pareto front', () => {
  it('holds what nothing beats, and something that is at least as good as anything left out', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const front = paretoFront(items, (item) => item);
        for (const kept of front) expect(items.some((item) => beats(item, kept))).toBe(false);
        for (const item of items) {
          expect(front.some((kept) => kept.cost <= item.cost && kept.score >= item.score)).toBe(
            true,
          );
        }
      }),
    );
  });

  it('rises in cost and in score', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const front = paretoFront(items, (item) => item);
        front.slice(1).forEach((item, index) => {
          expect(item.cost).toBeGreaterThan(front[index]?.cost ?? Infinity);
          expect(item.score).toBeGreaterThan(front[index]?.score ?? Infinity);
        });
      }),
    );
  });

  it('keeps the first of equals', () => {
    const twins = [
      { name: 'a', cost: 1, score: 1 },
      { name: 'b', cost: 1, score: 1 },
    ];
    expect(paretoFront(twins, (item) => item)).toEqual([twins[0]]);
  });
});
