import type { Store, StorePromises, Versioned, WatchHandlers } from '../store.ts';

/**
 * The store of one process. Several nodes of it agree when they are given the same one; what it
 * holds is gone with the process.
 */
export class MemoryStore implements Store {
  readonly name = 'memory';
  readonly promises: StorePromises = {
    scope: 'process',
    outlives: 'nothing',
    voters: 1,
    leaseMs: 3_000,
    caveats: ['what it holds is gone with the process'],
  };
  readonly #entries = new Map<string, Versioned>();
  readonly #watches = new Set<(key: string) => void>();
  /** The highest version that any deleted key had. A new key starts above it. */
  #floor = 0;

  async start(): Promise<void> {}

  async get(key: string): Promise<Versioned | undefined> {
    return this.#copyOf(key);
  }

  async compareAndSet(
    key: string,
    version: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    if (!this.#isAt(key, version)) return undefined;
    const next = (version === 0 ? this.#floor : version) + 1;
    this.#entries.set(key, { version: next, value: new Uint8Array(value) });
    this.#changed(key);
    return next;
  }

  async delete(key: string, version: number): Promise<boolean> {
    if (version === 0 || !this.#isAt(key, version)) return false;
    this.#floor = Math.max(this.#floor, version);
    this.#entries.delete(key);
    this.#changed(key);
    return true;
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).toSorted(byBytes);
  }

  async watch(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    for (const key of await this.list(prefix)) handlers.onChange(key, this.#copyOf(key));
    // Told in a turn of its own, as a store that is elsewhere would.
    const watch = (key: string): void => {
      if (!key.startsWith(prefix)) return;
      const found = this.#copyOf(key);
      queueMicrotask(() => {
        if (this.#watches.has(watch)) handlers.onChange(key, found);
      });
    };
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  async stop(): Promise<void> {}

  #changed(key: string): void {
    for (const watch of this.#watches) watch(key);
  }

  #copyOf(key: string): Versioned | undefined {
    const entry = this.#entries.get(key);
    return entry && { version: entry.version, value: new Uint8Array(entry.value) };
  }

  #isAt(key: string, version: number): boolean {
    return (this.#entries.get(key)?.version ?? 0) === version;
  }
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
