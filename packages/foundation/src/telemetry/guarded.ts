import { messageOf } from '../errors.ts';

let isWarned = false;

/**
 * Does something with OpenTelemetry, which is made of plugins. What they throw must not disturb the calls
 * that they look at: it is warned of, once.
 *
 * @param otherwise - What is given instead.
 */
export function guarded<R>(action: () => R, otherwise: R): R {
  try {
    return action();
  } catch (error) {
    if (!isWarned)
      process.emitWarning(`OpenTelemetry threw: ${messageOf(error)}`, 'FoundationWarning');
    isWarned = true;
    return otherwise;
  }
}
