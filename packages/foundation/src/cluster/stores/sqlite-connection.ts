import { DatabaseSync } from 'node:sqlite';

import { messageOf } from '../../errors.ts';
import { keyHandlers, keysSchema } from './sqlite-keys.ts';
import { nodeHandlers, nodesSchema } from './sqlite-nodes.ts';
import {
  isRead,
  type BatchAnswer,
  type SqliteHandlers,
  type SqliteOperation,
  type SqliteRequest,
  type SqliteSettings,
} from './sqlite-protocol.ts';

/** Counts changes of the tables; kept in the file's `user_version`. */
const schemaVersion = 1;

interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly handlers: SqliteHandlers;
}

/**
 * One process's connection to the cluster's file. Synchronous: it blocks its thread for the time of
 * a transaction, and for `busyMs` when another process holds the lock.
 */
export class SqliteConnection {
  readonly #settings: SqliteSettings;
  #opened: OpenDatabase | undefined;

  constructor(settings: SqliteSettings) {
    this.#settings = settings;
  }

  /** Carries out a batch as one transaction: all of it is done, or nothing was written. */
  run(batch: readonly SqliteRequest[]): BatchAnswer {
    try {
      return { kind: 'done', replies: this.#transact(batch) };
    } catch (error) {
      if (isBusy(error)) return { kind: 'busy', reads: this.#readsOf(batch) };
      this.close();
      return { kind: 'failed', message: messageOf(error) };
    }
  }

  close(): void {
    this.#opened?.database.close();
    this.#opened = undefined;
  }

  /** In WAL mode a held write lock does not stop readers. */
  #readsOf(batch: readonly SqliteRequest[]): readonly unknown[] | undefined {
    try {
      return this.#transact(batch.filter(isRead));
    } catch {
      return undefined;
    }
  }

  #transact(batch: readonly SqliteRequest[]): readonly unknown[] {
    const { database, handlers } = (this.#opened ??= openDatabase(this.#settings));
    return inTransaction(database, batch.every(isRead) ? 'DEFERRED' : 'IMMEDIATE', () =>
      batch.map((request) => answer(handlers, request)),
    );
  }
}

function answer<Op extends SqliteOperation>(
  handlers: SqliteHandlers,
  request: SqliteRequest<Op>,
): unknown {
  return handlers[request.op](request.body);
}

function openDatabase({ path, synchronous, busyMs }: SqliteSettings): OpenDatabase {
  const database = new DatabaseSync(path, { timeout: busyMs });
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
    if (versionOf(database) === 0) createTables(database);
    if (versionOf(database) !== schemaVersion) {
      throw new Error(`the file has version ${versionOf(database)}, not ${schemaVersion}`);
    }
    const handlers = { open: () => null, ...keyHandlers(database), ...nodeHandlers(database) };
    return { database, handlers };
  } catch (error) {
    database.close();
    throw error;
  }
}

function createTables(database: DatabaseSync): void {
  inTransaction(database, 'IMMEDIATE', () => {
    if (versionOf(database) !== 0) return; // another process was first
    database.exec(`${keysSchema} ${nodesSchema} PRAGMA user_version = ${schemaVersion};`);
  });
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

function inTransaction<T>(database: DatabaseSync, mode: 'DEFERRED' | 'IMMEDIATE', run: () => T): T {
  database.exec(`BEGIN ${mode}`);
  try {
    const result = run();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** SQLITE_BUSY (5) or SQLITE_LOCKED (6), also in their extended forms: see sqlite.org/rescode.html. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  const primary = Number(error.errcode) & 0xff;
  return primary === 5 || primary === 6;
}
