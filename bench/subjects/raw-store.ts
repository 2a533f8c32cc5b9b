import { DatabaseSync } from 'node:sqlite';

import type { CountStore } from './store.ts';

/** The bare baseline: `node:sqlite` in the process's own thread, a transaction for each write. */
export async function openRawStore(file: string): Promise<CountStore> {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  database.exec(
    'CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, version INTEGER, count INTEGER) STRICT',
  );
  const select = database.prepare('SELECT version, count FROM counts WHERE key = ?');
  const insert = database.prepare('INSERT INTO counts VALUES (?, 1, ?) ON CONFLICT DO NOTHING');
  const update = database.prepare(
    'UPDATE counts SET version = version + 1, count = ? WHERE key = ? AND version = ?',
  );
  return Promise.resolve({
    async read(key) {
      const row = select.get(key);
      return { version: Number(row?.['version'] ?? 0), count: Number(row?.['count'] ?? 0) };
    },
    async write(key, { version, count }) {
      const done = version === 0 ? insert.run(key, count) : update.run(count, key, version);
      return done.changes === 1;
    },
    close: async () => database.close(),
  });
}
