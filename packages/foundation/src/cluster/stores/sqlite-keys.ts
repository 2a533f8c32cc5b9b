import type { DatabaseSync } from 'node:sqlite';

import type { Versioned } from '../store.ts';
import type { KeyAtVersion, KeyWrite, Overview, SqliteHandlers } from './sqlite-protocol.ts';

/**
 * `floor` is the highest version that any deleted key had. A new key starts above it, so that the
 * versions of a key grow across a delete and no tombstone has to be kept.
 */
export const keysSchema = `
  CREATE TABLE keys (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE TABLE keys_floor (version INTEGER NOT NULL) STRICT;
  INSERT INTO keys_floor VALUES (0);
`;

type KeyHandlers = Pick<SqliteHandlers, 'get' | 'compareAndSet' | 'delete' | 'list' | 'survey'>;

/** Answers the requests of the store. */
export function keyHandlers(database: DatabaseSync): KeyHandlers {
  const select = database.prepare('SELECT version, value FROM keys WHERE key = ?');
  const insert = database.prepare(
    'INSERT INTO keys SELECT ?, version + 1, ? FROM keys_floor WHERE true ON CONFLICT DO NOTHING RETURNING version',
  );
  const update = database.prepare(
    'UPDATE keys SET version = version + 1, value = ? WHERE key = ? AND version = ?',
  );
  const remove = database.prepare('DELETE FROM keys WHERE key = ? AND version = ?');
  const raiseFloor = database.prepare('UPDATE keys_floor SET version = max(version, ?)');
  const selectFrom = database.prepare('SELECT key, version FROM keys WHERE key >= ? ORDER BY key');
  // The first counts the writes of other connections, the second those of this one.
  const selectState = database.prepare(
    'SELECT data_version, total_changes() AS changes FROM pragma_data_version',
  );

  function keysUnder(prefix: string): [key: string, version: number][] {
    const found: [string, number][] = [];
    for (const row of selectFrom.iterate(prefix)) {
      const key = String(row['key']);
      if (!key.startsWith(prefix)) break;
      found.push([key, Number(row['version'])]);
    }
    return found;
  }

  return {
    get(key: string): Versioned | undefined {
      const row = select.get(key);
      if (row === undefined || !(row['value'] instanceof Uint8Array)) return undefined;
      return { version: Number(row['version']), value: row['value'] };
    },
    compareAndSet({ key, version, value }: KeyWrite): number | undefined {
      if (version === 0) {
        const row = insert.get(key, value);
        return row && Number(row['version']);
      }
      return update.run(value, key, version).changes === 1 ? version + 1 : undefined;
    },
    delete({ key, version }: KeyAtVersion): boolean {
      if (remove.run(key, version).changes === 0) return false;
      raiseFloor.run(version);
      return true;
    },
    list: (prefix: string) => keysUnder(prefix).map(([key]) => key),
    survey({ prefixes, state: seen }): Overview | undefined {
      const state = JSON.stringify(selectState.get());
      return state === seen ? undefined : { state, found: prefixes.map(keysUnder) };
    },
  };
}
