/** How long to look, and what to show in the end. */
export interface EventuallyOptions {
  /** Milliseconds to wait. @defaultValue 10000 */
  readonly timeoutMs?: number;
  /** Milliseconds between two looks. @defaultValue 10 */
  readonly everyMs?: number;
  /** What to show when it does not happen, beside the last answer. */
  readonly view?: () => unknown;
}

type Falsy = false | 0 | '' | null | undefined;

/**
 * Looks again and again until `check` gives something truthy, and returns that. A check that throws
 * is a "not yet"; its last error is the cause of the failure.
 *
 * @param what - The condition in words, for the message of the failure.
 * @throws Error when it has not happened within `timeoutMs`.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, Falsy>> {
  const { timeoutMs = 10_000, everyMs = 10, view } = options;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      last = await check();
      if (last) return last as Exclude<T, Falsy>;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (performance.now() < deadline);
  const seen = view === undefined ? '' : `\n${JSON.stringify(await view(), undefined, 2)}`;
  throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${String(last)})${seen}`, {
    cause: last,
  });
}
