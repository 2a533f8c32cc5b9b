import { isNormal, type Exit } from './exit.ts';

/** When a child is started again: always, after an abnormal end, never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** Which children a failing one takes along: none, all, those started after it. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface Intensity {
  /** Restarts allowed within `restartWindowMs` before the supervisor gives up. @defaultValue 3 */
  readonly restartsMax: number;
  /** Length of the sliding window, in milliseconds. @defaultValue 5000 */
  readonly restartWindowMs: number;
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
  const recent = restartTimes.filter((time) => now - time <= limit.restartWindowMs);
  return recent.length < limit.restartsMax ? [...recent, now] : undefined;
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
