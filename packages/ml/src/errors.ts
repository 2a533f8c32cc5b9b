import { defineErrors, type ErrorTraits } from '@foundation/core';

const never: ErrorTraits = { retryable: false, outcome: 'not-executed' };

/** Every code that `@foundation/ml` adds. */
export const mlErrors = {
  /** A variable was declared with bounds, a step or values that make no sense. */
  ML_INVALID_VARIABLE: never,
  /** A configuration does not belong to its space; `details.issues` lists every reason. */
  ML_INVALID_CONFIGURATION: never,
  /** An infinite space cannot be enumerated. */
  ML_INFINITE_SPACE: never,
} as const satisfies Record<string, ErrorTraits>;

/** Makes an error of this package. */
export const mlError = defineErrors(mlErrors);
