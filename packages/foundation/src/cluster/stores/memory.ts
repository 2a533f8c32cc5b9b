import type { Store, Versioned } from '../store.ts';

/**
 * The store of one process. Several nodes of it agree when they are given the same one; what it
 * holds is gone with the process.
 */
export class MemoryStore implements Store {
  readonly name = 'memory';
  readonly #entries = new Map<string, Versioned>();
  /** The highest version that any deleted key had. A new key starts above it. */
  #floor = 0;

  async start(): Promise<void> {}

  async get(key: string): Promise<Versioned | undefined> {
    const entry = this.#entries.get(key);
    return entry && { version: entry.version, value: new Uint8Array(entry.value) };
  }

  async compareAndSet(
    key: string,
    version: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    if (!this.#isAt(key, version)) return undefined;
    const next = (version === 0 ? this.#floor : version) + 1;
    this.#entries.set(key, { version: next, value: new Uint8Array(value) });
    return next;
  }

  async delete(key: string, version: number): Promise<boolean> {
    if (version === 0 || !this.#isAt(key, version)) return false;
    this.#floor = Math.max(this.#floor, version);
    return this.#entries.delete(key);
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).toSorted(byBytes);
  }

  async stop(): Promise<void> {}

  #isAt(key: string, version: number): boolean {
    return (this.#entries.get(key)?.version ?? 0) === version;
  }
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
