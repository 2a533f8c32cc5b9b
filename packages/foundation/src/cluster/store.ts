/**
 * What we all agree on: the contract. Adapters are in `stores/`; all pass the conformance suite of
 * `@foundation/testing`.
 *
 * Linearizable reads and compare-and-set on small keys. A store that cannot answer throws
 * `STORE_UNAVAILABLE` (or `NO_QUORUM`); it never guesses.
 */
export interface Store {
  readonly name: string;
  start(): Promise<void>;
  /** The newest value, or undefined. */
  get(key: string): Promise<Versioned | undefined>;
  /**
   * Writes if the key is still at `version`; 0 means "must not exist". Versions of a key only grow,
   * also across a delete.
   *
   * @returns the new version, or undefined when another writer was first (nothing was changed).
   */
  compareAndSet(key: string, version: number, value: Uint8Array): Promise<number | undefined>;
  /** Removes the key if it is still at `version`. */
  delete(key: string, version: number): Promise<boolean>;
  /** Keys that begin with `prefix`, in order. */
  list(prefix: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** A value, and the version that a writer must name to replace it. */
export interface Versioned {
  readonly version: number;
  readonly value: Uint8Array;
}
