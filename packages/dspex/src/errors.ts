import { defineErrors, type ErrorTraits } from '@foundation/core';

const never: ErrorTraits = { retryable: false, outcome: 'not-executed' };

/** Every code that `@foundation/dspex` adds. */
export const dspexErrors = {
  /** An option of a run or a strategy makes no sense. */
  DSPEX_INVALID_OPTION: never,
  /** A measurement without its score, or with a number that is not finite; the candidate counts as failed. */
  DSPEX_INVALID_MEASUREMENT: never,
  /** A history to resume from belongs to another run: other seed, strategy, round size or space. */
  DSPEX_HISTORY_MISMATCH: never,
} as const satisfies Record<string, ErrorTraits>;

/** Makes an error of this package. */
export const dspexError = defineErrors(dspexErrors);

/** Refuses an option that is not a whole number of at least `min`. */
export function checkWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw dspexError(
    'DSPEX_INVALID_OPTION',
    `expected \`${name}\` to be a whole number of at least ${min}, got: ${value}`,
  );
}
