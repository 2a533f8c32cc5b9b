import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MemoryStore } from './memory.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteRequest } from './sqlite-protocol.ts';

const key = fc.constantFrom('a', 'a/b', 'b');
const version = fc.integer({ min: 0, max: 6 });
const value = fc.uint8Array({ maxLength: 4 });
type KeyRequest = SqliteRequest<'get' | 'list' | 'delete' | 'compareAndSet'>;
const request: fc.Arbitrary<KeyRequest> = fc.oneof(
  key.map((body) => ({ op: 'get' as const, body })),
  key.map((body) => ({ op: 'list' as const, body })),
  fc.record({ op: fc.constant('delete' as const), body: fc.record({ key, version }) }),
  fc.record({
    op: fc.constant('compareAndSet' as const),
    body: fc.record({ key, version, value }),
  }),
);

function askMemory(store: MemoryStore, { op, body }: KeyRequest): Promise<unknown> {
  switch (op) {
    case 'get':
      return store.get(body);
    case 'list':
      return store.list(body);
    case 'delete':
      return store.delete(body.key, body.version);
    case 'compareAndSet':
      return store.compareAndSet(body.key, body.version, body.value);
  }
}

describe('SqliteConnection', () => {
  it('answers whatever a memory store answers, in batches of any size', async () => {
    const law = fc.asyncProperty(
      fc.array(fc.array(request, { minLength: 1, maxLength: 8 }), { maxLength: 12 }),
      async (batches) => {
        const memory = new MemoryStore();
        const sqlite = new SqliteConnection({ path: ':memory:', synchronous: 'NORMAL', busyMs: 1 });
        for (const batch of batches) {
          const replies = await Promise.all(batch.map((one) => askMemory(memory, one)));
          expect(sqlite.run(batch)).toEqual({ kind: 'done', replies });
        }
        sqlite.close();
      },
    );
    await fc.assert(law);
  });

  it('writes all of a batch or nothing, and works on after a failure', () => {
    const directory = mkdtempSync(join(tmpdir(), 'foundation-connection-'));
    const path = join(directory, 'cluster.db');
    const sqlite = new SqliteConnection({ path, synchronous: 'NORMAL', busyMs: 1 });
    const write: SqliteRequest = {
      op: 'compareAndSet',
      body: { key: 'a', version: 0, value: new Uint8Array(1) },
    };
    const row = { node: 'n', incarnation: 1, address: '', osPid: 1.5, bootId: '', heartbeat: 0 };
    const limit = { bootId: '', now: 0, staleMs: 0 };
    const broken: SqliteRequest = { op: 'hold', body: { row, limit } };
    expect(sqlite.run([write, broken])).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('os_pid'),
    });
    expect(sqlite.run([{ op: 'get', body: 'a' }, write])).toEqual({
      kind: 'done',
      replies: [undefined, 1],
    });
    sqlite.close();
    rmSync(directory, { recursive: true });
  });
});
