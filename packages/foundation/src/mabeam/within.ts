import type { Clock } from '../clock.ts';

/**
 * What `work` comes to, unless it takes too long.
 *
 * @throws Error that names the milliseconds
 */
export async function within<T>(
  work: Promise<T>,
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.after(ms, () => reject(new Error(`not within ${ms} ms`)));
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
