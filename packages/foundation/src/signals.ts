/**
 * Makes one signal that aborts with the first of `sources`. Dispose it: unlike `AbortSignal.any`,
 * nothing stays attached to a long-lived source afterwards.
 */
export function linkSignals(
  ...sources: readonly (AbortSignal | undefined)[]
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const unlink: (() => void)[] = [];
  for (const source of sources) {
    if (source === undefined) continue;
    if (source.aborted) controller.abort(source.reason);
    const follow = (): void => controller.abort(source.reason);
    source.addEventListener('abort', follow, { once: true });
    unlink.push(() => source.removeEventListener('abort', follow));
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const off of unlink) off();
    },
  };
}
