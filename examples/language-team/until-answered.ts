import { FoundationError, isFoundationError, sleep, systemClock } from '@foundation/core';

/** Failures after which an idempotent call may simply be repeated: whoever answered is gone, or not there yet. */
const passing: ReadonlySet<string> = new Set([
  'NODE_DOWN',
  'PROCESS_DOWN',
  'NO_PROCESS',
  'OVERLOADED',
  'CALL_TIMEOUT',
]);
const pauseMs = 10;
const patienceMs = 60_000;

/** Repeats an idempotent call while its target is on the move to another node. */
export async function untilAnswered<T>(what: string, ask: () => Promise<T>): Promise<T> {
  const giveUpAt = systemClock.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isFoundationError(error) || !passing.has(error.code)) throw error;
      if (systemClock.now() > giveUpAt) {
        throw new FoundationError('CALL_TIMEOUT', `${what} gave no answer for ${patienceMs} ms`, {
          cause: error,
        });
      }
    }
    await sleep(systemClock, pauseMs);
  }
}
