import type { Store, StorePromises, Versioned, WatchHandlers } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { SqliteWatches } from './sqlite-watches.ts';

/**
 * The store of one machine: a table in the cluster's SQLite file, opened by every process.
 *
 * Compare-and-set is one `UPDATE … WHERE version = ?`. Survives `kill -9` of any process. A process
 * that was stopped in the middle of a write makes the others' writes fail with `STORE_UNAVAILABLE`
 * after their deadline; reads go on.
 */
export class SqliteStore implements Store {
  readonly name = 'sqlite';
  readonly promises: StorePromises;
  readonly #database: SqliteDatabase;
  readonly #watches: SqliteWatches;
  #isStarted = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#watches = new SqliteWatches(database);
    const isSynced = database.synchronous === 'FULL';
    this.promises = {
      scope: 'machine',
      outlives: isSynced ? 'power-loss' : 'process-crash',
      voters: 1,
      leaseMs: 3_000,
      caveats: isSynced ? [] : ['the newest writes may be lost with the power'],
    };
  }

  async start(): Promise<void> {
    if (this.#isStarted) return;
    await this.#database.open();
    this.#isStarted = true;
  }

  async get(key: string): Promise<Versioned | undefined> {
    const found = await this.#database.ask('get', key);
    if (found !== undefined) this.#watches.saw(key);
    return found;
  }

  compareAndSet(key: string, version: number, value: Uint8Array): Promise<number | undefined> {
    // A copy: the caller may reuse its bytes, and a view of a pool would be sent with all of it.
    return this.#database.ask('compareAndSet', { key, version, value: new Uint8Array(value) });
  }

  delete(key: string, version: number): Promise<boolean> {
    return this.#database.ask('delete', { key, version });
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#database.ask('list', prefix);
  }

  watch(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    return this.#watches.add(prefix, handlers);
  }

  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#watches.stop();
    await this.#database.close();
  }
}
