/**
 * What we all agree on: the contract. Adapters are in `stores/`; all pass the conformance suite of
 * `@foundation/testing`.
 *
 * Linearizable reads and compare-and-set on small keys. A store that cannot answer throws
 * `STORE_UNAVAILABLE` (or `NO_QUORUM`); it never guesses. The error's `outcome` says whether a write may
 * have been carried out.
 */
export interface Store {
  readonly name: string;
  /** What it promises here. Found out by `start`; before, what it promises at best. */
  readonly promises: StorePromises;
  /**
   * Connects, and finds out what the store can promise.
   *
   * @throws FoundationError `STORE_UNAVAILABLE`, or `STORE_UNSUITABLE` with the reason when it cannot
   * promise linearizable reads and compare-and-set.
   */
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
  /**
   * Tells what is under a prefix: first all there is, then what changes. Resolves when all there is has
   * been told.
   *
   * A change is told late and may be skipped when a newer one follows, never in the wrong order: the
   * versions told of a key only grow. After an outage the watch goes on by itself with what was missed.
   * That a key is gone is told of each that was told before, or that a `get` of this store has shown meanwhile: so
   * whoever has read a value hears of its end, also of what came and went between two looks. It may be told twice.
   * It is a reason to look, not a linearizable read.
   */
  watch(prefix: string, handlers: WatchHandlers): Promise<Disposable>;
  stop(): Promise<void>;
}

/** A value, and the version that a writer must name to replace it. */
export interface Versioned {
  readonly version: number;
  readonly value: Uint8Array;
}

/** What a watch tells. */
export interface WatchHandlers {
  /** A key's newest value; undefined when it is gone. */
  onChange(key: string, found: Versioned | undefined): void;
  /** Told once for each outage: until it is over, changes are not seen. */
  onError(error: unknown): void;
}

/** How far a store can be relied upon. */
export interface StorePromises {
  /** Whose nodes agree: those of one process, of one machine, or of a whole cluster. */
  readonly scope: 'process' | 'machine' | 'cluster';
  /** What an acknowledged write outlives. */
  readonly outlives: 'nothing' | 'process-crash' | 'power-loss';
  /** How many servers vote; the smaller half of them may fail. */
  readonly voters: number;
  /** How long a lease should last, in milliseconds: longer than the store takes to fail over. */
  readonly leaseMs: number;
  /** What is weaker here than it could be, a sentence each, for people. */
  readonly caveats: readonly string[];
}
