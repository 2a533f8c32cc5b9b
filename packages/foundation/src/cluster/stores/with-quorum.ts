import type { Quorum } from '../quorum.ts';
import type { Store } from '../store.ts';

/**
 * A store as those see it who must do nothing on the smaller side of a split, although the store may answer there.
 * Each operation fails with `NO_QUORUM` then; a watch goes on.
 */
export function withQuorum(store: Store, quorum: Quorum): Store {
  const checked = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    quorum.check(what);
    return ask();
  };
  return {
    name: store.name,
    get promises() {
      return store.promises;
    },
    start: () => store.start(),
    stop: () => store.stop(),
    get: (key) => checked(`a read of "${key}"`, () => store.get(key)),
    compareAndSet: (key, version, value) =>
      checked(`a write of "${key}"`, () => store.compareAndSet(key, version, value)),
    delete: (key, version) => checked(`a removal of "${key}"`, () => store.delete(key, version)),
    list: (prefix) => checked(`a list of "${prefix}"`, () => store.list(prefix)),
    watch: (prefix, handlers) => store.watch(prefix, handlers),
  };
}
