import type { Clock } from '../clock.ts';
import type { Process } from './process.ts';

/** Milliseconds that processes may take to end when their node stops. */
export const shutdownMs = 5_000;

/**
 * Ends processes side by side, the youngest first: they have one limit, so one that is stuck does not
 * delay the others. What has not ended by then is killed with the reason `stuck`.
 */
export async function endAll(roots: readonly Process[], clock: Clock): Promise<void> {
  const ends = roots.toReversed().map((each) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    each.onEnded(resolve);
    each.stop({ reason: 'shutdown' });
    return promise;
  });
  const timer = clock.after(shutdownMs, () => {
    for (const each of roots) each.kill({ reason: 'stuck' });
  });
  await Promise.all(ends);
  timer.cancel();
}
