import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ExitReason } from './exit.ts';
import {
  admitRestart,
  backoffDefaults,
  backoffOf,
  restartsInARow,
  sharedFate,
  wantsRestart,
  type Intensity,
  type Strategy,
} from './restart-state.ts';

const gaps = fc.array(fc.nat(2_000), { maxLength: 60 });
const limits: fc.Arbitrary<Intensity> = fc.record({
  restartsMax: fc.nat(5),
  restartWindowMs: fc.integer({ min: 1, max: 5_000 }),
});

/** Moments of restarts that were admitted, until one was not. */
function admitted(
  given: readonly number[],
  limit: Intensity,
): { times: number[]; refusedAt: number | undefined } {
  let [now, recent]: [number, readonly number[]] = [0, []];
  const times: number[] = [];
  for (const gap of given) {
    now += gap;
    const next = admitRestart(recent, now, limit);
    if (next === undefined) return { times, refusedAt: now };
    recent = next;
    times.push(now);
  }
  return { times, refusedAt: undefined };
}

describe('restart intensity', () => {
  it('admits no more restarts than the limit in any window', () => {
    fc.assert(
      fc.property(gaps, limits, (given, limit) => {
        const { times } = admitted(given, limit);
        for (const end of times) {
          const inWindow = times.filter(
            (time) => time <= end && end - time <= limit.restartWindowMs,
          );
          expect(inWindow.length).toBeLessThanOrEqual(limit.restartsMax);
        }
      }),
    );
  });

  it('refuses only when the window is full', () => {
    fc.assert(
      fc.property(gaps, limits, (given, limit) => {
        const { times, refusedAt } = admitted(given, limit);
        if (refusedAt === undefined) return;
        const inWindow = times.filter((time) => refusedAt - time <= limit.restartWindowMs);
        expect(inWindow.length).toBe(limit.restartsMax);
      }),
    );
  });

  it('never ends a supervisor whose children fail rarely enough', () => {
    const limit = { restartsMax: 3, restartWindowMs: 5_000 };
    const given = Array.from({ length: 1_000 }, () => 5_001 / 3);
    expect(admitted(given, limit).refusedAt).toBeUndefined();
  });

  it('counts a restart that is as old as the window, and none that is older', () => {
    const limit = { restartsMax: 1, restartWindowMs: 5_000 };
    expect(admitRestart([1_000], 6_000, limit)).toBeUndefined();
    expect(admitRestart([1_000], 6_001, limit)).toEqual([6_001]);
  });

  it('begins a new row for a child that ran longer than the window', () => {
    const streak = { count: 3, startedAt: 1_000 };
    expect(restartsInARow(streak, 6_000, 5_000)).toBe(4);
    expect(restartsInARow(streak, 6_001, 5_000)).toBe(1);
  });

  it('keeps only times that still matter', () => {
    fc.assert(
      fc.property(gaps, limits, (given, limit) => {
        let [now, recent]: [number, readonly number[]] = [0, []];
        for (const gap of given) {
          now += gap;
          recent = admitRestart(recent, now, limit) ?? [];
          expect(recent.length).toBeLessThanOrEqual(limit.restartsMax);
        }
      }),
    );
  });
});

describe('the restart type', () => {
  const normal: readonly ExitReason[] = ['normal', 'shutdown'];
  const abnormal: readonly ExitReason[] = [
    'killed',
    'crash',
    'start_failed',
    'stuck',
    'thread_lost',
    'node_down',
  ];

  it('permanent starts again after any end, transient after an abnormal one, temporary never', () => {
    for (const reason of normal) {
      expect(wantsRestart('permanent', { reason })).toBe(true);
      expect(wantsRestart('transient', { reason })).toBe(false);
      expect(wantsRestart('temporary', { reason })).toBe(false);
    }
    for (const reason of abnormal) {
      expect(wantsRestart('permanent', { reason })).toBe(true);
      expect(wantsRestart('transient', { reason })).toBe(true);
      expect(wantsRestart('temporary', { reason })).toBe(false);
    }
  });

  it('starts nothing again whose name lives on elsewhere', () => {
    for (const restart of ['permanent', 'transient', 'temporary'] as const) {
      expect(wantsRestart(restart, { reason: 'name_conflict' })).toBe(false);
      expect(wantsRestart(restart, { reason: 'migrated' })).toBe(false);
    }
  });
});

describe('the strategy', () => {
  it('takes along nobody, everybody, or those that were started later', () => {
    expect(sharedFate('one-for-one', 4, 1)).toEqual([1]);
    expect(sharedFate('one-for-all', 4, 1)).toEqual([0, 1, 2, 3]);
    expect(sharedFate('rest-for-one', 4, 1)).toEqual([1, 2, 3]);
  });

  it('always includes the one that failed, in start order and without repeats', () => {
    const strategies = fc.constantFrom<Strategy>('one-for-one', 'one-for-all', 'rest-for-one');
    fc.assert(
      fc.property(
        strategies,
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        (strategy, count, seed) => {
          const fate = sharedFate(strategy, count, seed % count);
          expect(fate).toContain(seed % count);
          expect(fate).toEqual([...new Set(fate)].toSorted((a, b) => a - b));
        },
      ),
    );
  });
});

describe('a backoff', () => {
  it('has defaults; one bound that is given pulls that of the other along', () => {
    const { minMs, maxMs } = backoffDefaults;
    expect(backoffOf({})).toEqual(backoffDefaults);
    expect(backoffOf({ minMs: undefined, jitter: 0 })).toEqual({ ...backoffDefaults, jitter: 0 });
    expect(backoffOf({ maxMs: 50 })).toMatchObject({ minMs: 50, maxMs: 50 });
    expect(backoffOf({ maxMs: 0 })).toMatchObject({ minMs: 0, maxMs: 0 });
    expect(backoffOf({ minMs: 20_000 })).toMatchObject({ minMs: 20_000, maxMs: 20_000 });
    expect(backoffOf({ minMs: 5 })).toMatchObject({ minMs: 5, maxMs });
    expect(backoffOf({ maxMs: 500 })).toMatchObject({ minMs, maxMs: 500 });
    // That is for the check to refuse.
    expect(backoffOf({ minMs: 9, maxMs: 5 })).toMatchObject({ minMs: 9, maxMs: 5 });
  });
});
