import { withDefaults } from '../options.ts';
import type { Random } from '../random.ts';
import { isNormal, type Exit } from './exit.ts';

/** When a child is started again: always, after an abnormal end, never. */
export const restarts = ['permanent', 'transient', 'temporary'] as const;
export type Restart = (typeof restarts)[number];

/** Which children a failing one takes along: none, all, those started after it. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface Intensity {
  /** Restarts allowed within `restartWindowMs` before the supervisor gives up. @defaultValue 3 */
  readonly restartsMax: number;
  /** Length of the sliding window, in milliseconds. @defaultValue 5000 */
  readonly restartWindowMs: number;
}

/** How long a supervisor waits before it starts a child again that keeps failing. */
export interface Backoff {
  /** Milliseconds before the second restart in a row; the first is at once. @defaultValue 100 */
  readonly minMs: number;
  /** Milliseconds at most. @defaultValue 10000 */
  readonly maxMs: number;
  /** How much longer each wait is than the one before. @defaultValue 2 */
  readonly factor: number;
  /** Share of each wait that is left to chance, so that many do not come back together. @defaultValue 0.5 */
  readonly jitter: number;
}

/** The waits of a supervisor unless told otherwise. */
export const backoffDefaults: Backoff = { minMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5 };

/** A backoff with its defaults; one bound that is given pulls the default of the other along. */
export function backoffOf(given: {
  readonly [Key in keyof Backoff]?: Backoff[Key] | undefined;
}): Backoff {
  const { minMs, maxMs } = given;
  const all = withDefaults(backoffDefaults, given);
  if (minMs === undefined) return { ...all, minMs: Math.min(all.minMs, all.maxMs) };
  return maxMs === undefined ? { ...all, maxMs: Math.max(all.minMs, all.maxMs) } : all;
}

/** What a supervisor does when a child fails too often. */
export const onExceededChoices = ['stop', 'quarantine'] as const;
export type OnExceeded = (typeof onExceededChoices)[number];

/** The restarts of one child in a row. */
export interface Streak {
  readonly count: number;
  /** When it was last started, or was not, in milliseconds. */
  readonly startedAt: number;
}

/** Whether a child that ended like this is started again. */
export function wantsRestart(restart: Restart, exit: Exit): boolean {
  // Its name lives on elsewhere: another one here would lose it again.
  if (exit.reason === 'name_conflict' || exit.reason === 'migrated') return false;
  switch (restart) {
    case 'permanent':
      return true;
    case 'transient':
      return !isNormal(exit);
    case 'temporary':
      return false;
  }
}

/**
 * Restart times still inside the window with this one, oldest first; `undefined` when the limit is
 * passed. Source: OTP's `supervisor:add_restart`, with milliseconds for seconds.
 */
export function admitRestart(
  restartTimes: readonly number[],
  now: number,
  limit: Intensity,
): readonly number[] | undefined {
  if (limit.restartsMax === Infinity) return restartTimes;
  const recent = restartTimes.filter((time) => now - time <= limit.restartWindowMs);
  return recent.length < limit.restartsMax ? [...recent, now] : undefined;
}

/** Restarts in a row, with the one at hand: a child that ran for a whole window begins anew. */
export function restartsInARow(
  { count, startedAt }: Streak,
  now: number,
  windowMs: number,
): number {
  return now - startedAt > windowMs ? 1 : count + 1;
}

/**
 * Milliseconds to wait before a restart: none before the first in a row, then exponentially more, of
 * which a share is drawn. Source: exponential backoff with equal jitter.
 *
 * @param inARow - From 1.
 */
export function backoffMs(inARow: number, backoff: Backoff | 'off', random: Random): number {
  if (backoff === 'off' || inARow <= 1) return 0;
  const { minMs, maxMs, factor, jitter } = backoff;
  return Math.min(maxMs, minMs * factor ** (inARow - 2)) * (1 - jitter * random.next());
}

/** Indexes of the children that share the fate of the one at `failed`, in start order. */
export function sharedFate(
  strategy: Strategy,
  childCount: number,
  failed: number,
): readonly number[] {
  const all = Array.from({ length: childCount }, (_, index) => index);
  switch (strategy) {
    case 'one-for-one':
      return [failed];
    case 'one-for-all':
      return all;
    case 'rest-for-one':
      return all.slice(failed);
  }
}
