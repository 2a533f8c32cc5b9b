import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { storeConformance } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { SqliteDatabase } from './sqlite-database.ts';
import { SqliteStore } from './sqlite.ts';

/** A directory with a database file in it, removed in the end. */
function temporaryFile(): Disposable & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'foundation-sqlite-'));
  return {
    path: join(directory, 'cluster.db'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

function storeAt(path: string, deadlineMs?: number): SqliteStore {
  return new SqliteStore(
    new SqliteDatabase({ path, ...(deadlineMs !== undefined && { deadlineMs }) }),
  );
}

async function eventLoopTurnsUntil(settled: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  await settled.catch(() => undefined);
  clearInterval(timer);
  return turns;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const unavailable = { code: 'STORE_UNAVAILABLE', retryable: true, outcome: 'unknown' };

storeConformance('SqliteStore', async () => {
  const file = temporaryFile();
  return {
    connect: () => storeAt(file.path),
    [Symbol.asyncDispose]: async () => file[Symbol.dispose](),
  };
});

describe('SqliteStore', () => {
  it('still has everything when it is opened again', async () => {
    using file = temporaryFile();
    const first = storeAt(file.path);
    await first.start();
    const version = await first.compareAndSet('key', 0, bytes('kept'));
    await first.stop();
    const second = storeAt(file.path);
    await second.start();
    expect(await second.get('key')).toEqual({ version, value: bytes('kept') });
    await second.stop();
  });

  it('says so, and does not block, while another program holds the write lock', async () => {
    using file = temporaryFile();
    const store = storeAt(file.path, 300);
    await store.start();
    await store.compareAndSet('key', 0, bytes('before'));
    const other = new DatabaseSync(file.path);
    other.exec('BEGIN IMMEDIATE');

    const refused = store.compareAndSet('key', 1, bytes('refused'));
    const turns = eventLoopTurnsUntil(refused);
    expect((await store.get('key'))?.version).toBe(1); // reads go on
    await expect(refused).rejects.toMatchObject({ ...unavailable, details: { path: file.path } });
    expect(await turns).toBeGreaterThan(10);

    other.exec('ROLLBACK');
    const version = (await store.get('key'))?.version ?? 0;
    expect(await store.compareAndSet('key', version, bytes('after'))).toBe(version + 1);
    other.close();
    await store.stop();
  });

  it('writes when the lock is released before the deadline', async () => {
    using file = temporaryFile();
    const store = storeAt(file.path, 30_000);
    await store.start();
    const other = new DatabaseSync(file.path);
    other.exec('BEGIN IMMEDIATE');
    const written = store.compareAndSet('key', 0, bytes('patient'));
    setTimeout(() => other.exec('ROLLBACK'), 150);
    expect(await written).toBe(1);
    other.close();
    await store.stop();
  });

  it('does not start on a directory that is missing or a file of something else', async () => {
    using file = temporaryFile();
    await expect(storeAt(`${file.path}/missing/cluster.db`).start()).rejects.toMatchObject({
      ...unavailable,
      hint: expect.stringContaining('can be written'),
    });
    writeFileSync(
      file.path,
      'this is certainly not a database, and it is longer than its header'.repeat(20),
    );
    await expect(storeAt(file.path).start()).rejects.toMatchObject(unavailable);
  });

  it('does not start on a file that a newer version has made', async () => {
    using file = temporaryFile();
    const other = new DatabaseSync(file.path);
    other.exec('PRAGMA user_version = 99');
    other.close();
    await expect(storeAt(file.path).start()).rejects.toThrow('the file has version 99, not 1');
  });

  it('refuses to work before its start and after its stop', async () => {
    using file = temporaryFile();
    const store = storeAt(file.path);
    await expect(store.get('key')).rejects.toMatchObject(unavailable);
    await store.start();
    await store.stop();
    await expect(store.compareAndSet('key', 0, bytes('late'))).rejects.toMatchObject(unavailable);
  });

  it('finishes what was asked before it stops', async () => {
    using file = temporaryFile();
    const store = storeAt(file.path);
    await store.start();
    const written = store.compareAndSet('key', 0, bytes('last'));
    await Promise.all([store.stop(), store.stop()]);
    expect(await written).toBe(1);
  });

  it('works on for one user of a shared database when another one stops', async () => {
    using file = temporaryFile();
    const database = new SqliteDatabase({ path: file.path });
    const [one, other] = [new SqliteStore(database), new SqliteStore(database)];
    await Promise.all([one.start(), other.start()]);
    await one.stop();
    await one.stop();
    expect(await other.compareAndSet('key', 0, bytes('on'))).toBe(1);
    await other.stop();
  });

  it('starts many times at once on a file that does not exist yet', async () => {
    using file = temporaryFile();
    const stores = Array.from({ length: 4 }, () => storeAt(file.path));
    await Promise.all(stores.map((store) => store.start()));
    const created = await Promise.all(
      stores.map((store) => store.compareAndSet('key', 0, bytes('mine'))),
    );
    expect(created.filter((version) => version !== undefined)).toEqual([1]);
    await Promise.all(stores.map((store) => store.stop()));
  });
});
