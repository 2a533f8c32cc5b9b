import type { Store, Versioned } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * The store of one machine: a table in the cluster's SQLite file, opened by every process.
 *
 * Compare-and-set is one `UPDATE … WHERE version = ?`. Survives `kill -9` of any process. A process
 * that was stopped in the middle of a write makes the others' writes fail with `STORE_UNAVAILABLE`
 * after their deadline; reads go on.
 */
export class SqliteStore implements Store {
  readonly name = 'sqlite';
  readonly #database: SqliteDatabase;
  #isStarted = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async start(): Promise<void> {
    if (this.#isStarted) return;
    await this.#database.open();
    this.#isStarted = true;
  }

  get(key: string): Promise<Versioned | undefined> {
    return this.#database.ask('get', key);
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

  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    await this.#database.close();
  }
}
