/** Casts of one burst; two bursts are on their way at a time, which the default mailbox can hold. */
const burstCount = 3_000;

/**
 * Keeps a number of callers busy, each with one call at a time, and counts the answers.
 *
 * @param call - Makes one call of a caller.
 * @param options.batchCount - Calls between two looks at the clock.
 */
export async function countCalls(
  call: (caller: number) => unknown,
  options: { readonly callers: number; readonly seconds: number; readonly batchCount: number },
): Promise<number> {
  const end = performance.now() + options.seconds * 1_000;
  async function loop(caller: number): Promise<number> {
    let answered = 0;
    while (performance.now() < end) {
      for (let index = 0; index < options.batchCount; index++) await call(caller);
      answered += options.batchCount;
    }
    return answered;
  }
  const counts = await Promise.all(Array.from({ length: options.callers }, (_, i) => loop(i)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Times single calls, one after the other, in µs. */
export async function timeCalls(
  call: () => Promise<unknown>,
  seconds: number,
): Promise<readonly number[]> {
  const end = performance.now() + seconds * 1_000;
  const times: number[] = [];
  let before = performance.now();
  while (before < end) {
    await call();
    const after = performance.now();
    times.push((after - before) * 1_000);
    before = after;
  }
  return times;
}

/**
 * Sends as many one-way messages as the receiver takes.
 *
 * After each burst it asks the receiver for its count, and does not begin the burst after the next
 * before that answer is there: a bound for every queue on the way.
 *
 * @returns how many were sent; the last answer has been waited for.
 */
export async function sendBursts(
  send: () => unknown,
  count: () => unknown,
  seconds: number,
): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let sent = 0;
  let previous: unknown;
  while (performance.now() < end) {
    for (let index = 0; index < burstCount; index++) send();
    sent += burstCount;
    const current = count();
    await previous;
    previous = current;
  }
  await previous;
  return sent;
}
