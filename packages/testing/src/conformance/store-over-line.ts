import { FoundationError, type Random } from '@foundation/core';
import type { Store } from '@foundation/core/internal';

/** What becomes of a question to a store on its way, and of the answer. */
export type Line = <T>(ask: () => Promise<T>) => Promise<T>;

/** The same store at the other end of a line. */
export function storeOver(store: Store, line: Line): Store {
  return {
    name: store.name,
    promises: store.promises,
    start: () => store.start(),
    get: (key) => line(() => store.get(key)),
    compareAndSet: (key, version, value) => line(() => store.compareAndSet(key, version, value)),
    delete: (key, version) => line(() => store.delete(key, version)),
    list: (prefix) => line(() => store.list(prefix)),
    watch: (prefix, handlers) => store.watch(prefix, handlers),
    stop: () => store.stop(),
  };
}

/** How often something is lost in each direction, of 1. */
const lossShare = 0.15;

/** Now and then the question gets lost, or the acknowledgement of what was done. */
export function lossyLine(random: Random): Line {
  return async (ask) => {
    const chance = random.next();
    if (chance < lossShare) throw lost('the question');
    const answer = await ask();
    if (chance < 2 * lossShare) throw lost('the answer');
    return answer;
  };
}

function lost(what: string): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `${what} was lost`);
}

/** A line that can be cut: then no answer comes any more, and nobody is told. */
export class SeverableLine {
  isCut = false;

  readonly line: Line = (ask) => (this.isCut ? new Promise(() => {}) : ask());
}
