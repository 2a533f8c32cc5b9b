import { seededRandom } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Path, type PathConditions } from './path.ts';

function pathWith(conditions: PathConditions): Path {
  const path = new Path(seededRandom(1));
  path.impair(conditions);
  return path;
}

describe('the way from one host to another', () => {
  it('lets frames pass at once when it is well, and after it was healed', () => {
    const path = new Path(seededRandom(1));
    expect(path.arrivals(100, 7)).toEqual([7]);
    path.impair({ isCut: true, delayMs: 5 });
    expect(path.arrivals(100, 8)).toEqual([]);
    path.heal();
    expect(path.arrivals(100, 9)).toEqual([9]);
    expect(path.traffic).toMatchObject({ sent: 3, cut: 1, delayed: 0 });
  });

  it('keeps the conditions that are not changed', () => {
    const path = pathWith({ delayMs: 5 });
    path.impair({ isCut: true });
    path.impair({ isCut: false });
    expect(path.arrivals(100, 0)).toEqual([5]);
  });

  it('delays by at least the delay, at most the jitter more, in the order in which frames were sent', () => {
    const moments = fc.array(fc.nat(50), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), moments, (delayMs, jitterMs, gaps) => {
        const path = pathWith({ delayMs, jitterMs });
        let nowMs = 0;
        const arrivals = gaps.map((gapMs) => {
          nowMs += gapMs;
          const [atMs = Number.NaN] = path.arrivals(100, nowMs);
          expect(atMs).toBeGreaterThanOrEqual(nowMs + delayMs);
          expect(atMs).toBeLessThanOrEqual(nowMs + delayMs + jitterMs);
          return atMs;
        });
        expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
      }),
    );
  });

  it('loses, doubles and holds back the share that is asked for, the same for the same seed', () => {
    const tried = (): Path => {
      const path = pathWith({ lossRatio: 0.1, duplicateRatio: 0.2, reorderRatio: 0.3 });
      for (let nowMs = 0; nowMs < 5_000; nowMs++) path.arrivals(100, nowMs);
      return path;
    };
    const { traffic } = tried();
    expect(traffic.sent).toBe(5_000);
    expect(traffic.lost / 5_000).toBeCloseTo(0.1, 1);
    expect(traffic.duplicated / 4_500).toBeCloseTo(0.2, 1);
    expect(traffic.reordered / 5_400).toBeCloseTo(0.3, 1);
    expect(tried().traffic).toEqual(traffic);
  });

  it('holds a frame back for longer than the next ones take', () => {
    const [atMs = 0] = pathWith({ reorderRatio: 1, delayMs: 20 }).arrivals(100, 0);
    const [nextMs = 0] = pathWith({ delayMs: 20 }).arrivals(100, 1);
    expect(atMs).toBeGreaterThan(nextMs);
  });

  it('passes as many bytes a second as it may, and loses what would wait too long', () => {
    const path = pathWith({ bytesPerSecond: 10_000 });
    const arrivals = Array.from({ length: 10 }, () => path.arrivals(1_000, 0));
    expect(arrivals).toEqual([[100], [200], [300], [400], [500], [], [], [], [], []]);
    expect(path.traffic).toMatchObject({ sent: 10, delayed: 5, lost: 5 });
    expect(path.arrivals(1_000, 600)).toEqual([700]);
  });
});
