import { AsyncLocalStorage } from 'node:async_hooks';

/** Somebody who waits: calls made on their behalf may not outlast them. */
export interface Waiting {
  /** Whether the caller still waits. Work that goes on afterwards serves nobody. */
  readonly isOpen: boolean;
  /** Milliseconds until the caller gives up. */
  remainingMs(): number;
}

const acrossAwaits = new AsyncLocalStorage<Waiting | undefined>();
// The handler that runs right now. Reading it costs nothing, unlike entering an async context.
let running: Waiting | undefined;

/** On whose behalf the code at hand runs. */
export function currentWaiting(): Waiting | undefined {
  const waiting = running ?? acrossAwaits.getStore();
  return waiting?.isOpen === true ? waiting : undefined;
}

/** From here on, this turn serves nobody: somebody who waits may have set it off, for others too. */
export function serveNobody(): void {
  if (acrossAwaits.getStore() !== undefined) acrossAwaits.enterWith(undefined);
}

/** Runs work that awaits for somebody. */
export function runAcrossAwaits<R>(waiting: Waiting, action: () => R): R {
  return acrossAwaits.run(waiting, action);
}

/** Runs work that goes on when those who set it off have given up. */
export function runForNobody<R>(action: () => R): R {
  const outer = serve(undefined);
  try {
    return acrossAwaits.run(undefined, action);
  } finally {
    serve(outer);
  }
}

/** Sets who is served by the synchronous code that follows; returns who was before, to be set again. */
export function serve(waiting: Waiting | undefined): Waiting | undefined {
  const outer = running;
  running = waiting;
  return outer;
}

/** Milliseconds that a new call may take: its own limit, or what its caller's leaves. */
export function budgetMs(timeoutMs: number): number {
  const waiting = currentWaiting();
  return waiting === undefined ? timeoutMs : Math.min(timeoutMs, waiting.remainingMs());
}
