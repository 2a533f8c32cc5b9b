import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  asRegisters,
  checkLinearizable,
  checkVersions,
  type StoreOperation,
} from '@foundation/testing/history';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RendezvousDiscovery } from '../src/cluster/discoveries/rendezvous.ts';
import { SqliteDatabase } from '../src/cluster/stores/sqlite-database.ts';
import { SqliteStore } from '../src/cluster/stores/sqlite.ts';

let directory: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'foundation-store-'));
  path = join(directory, 'cluster.db');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => end(child, 'SIGKILL')));
  rmSync(directory, { recursive: true });
});

/** Starts another process of the cluster. */
function start(what: string, argument = ''): ChildProcess {
  const child = fork(new URL('store-node.ts', import.meta.url), [what, path, argument], {
    execArgv: ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'],
  });
  children.push(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function firstMessage(child: ChildProcess): Promise<unknown> {
  const [message]: unknown[] = await once(child, 'message');
  return message;
}

async function openStore(deadlineMs = 2_000): Promise<SqliteStore & AsyncDisposable> {
  const store = new SqliteStore(new SqliteDatabase({ path, deadlineMs }));
  await store.start();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() });
}

describe('a store that several processes share', () => {
  it('loses no update of two processes that count at once', async () => {
    const finished = [start('increment', '2000'), start('increment', '2000')].map(firstMessage);
    expect(await Promise.all(finished)).toEqual(['done', 'done']);
    await using store = await openStore();
    expect(Buffer.from((await store.get('count'))?.value ?? []).toString()).toBe('4000');
  });

  it('does everything at one moment each, for three processes at once', async () => {
    const clients = ['a', 'b', 'c'].map((client) => firstMessage(start('exercise', client)));
    const history = (await Promise.all(clients)).flat() as StoreOperation[];
    expect(history).toHaveLength(9_000);
    expect(history.filter(({ reply }) => reply === 'unknown')).toEqual([]);
    // They have been in each other's way.
    const lost = history.filter(({ request, reply }) => {
      return request.kind === 'compareAndSet' && reply !== 'unknown' && reply.output === undefined;
    });
    expect(lost.length).toBeGreaterThan(100);
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
  });

  it('reads and writes variables at one moment each, in 50,000 operations of five processes', async () => {
    const clients = ['a', 'b', 'c', 'd', 'e'].map((client) =>
      firstMessage(start('variables', client)),
    );
    const history = (await Promise.all(clients)).flat() as StoreOperation[];
    expect(history).toHaveLength(50_000);
    expect(history.filter(({ reply }) => reply === 'unknown')).toEqual([]);
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
  }, 240_000);

  it('has every acknowledged write, whole, after a writer was killed', async () => {
    const writer = start('write');
    const acknowledged = new Map<string, number>();
    await new Promise<void>((resolve) => {
      writer.on('message', ({ key, version }: { key: string; version: number }) => {
        acknowledged.set(key, version);
        if (version === 30) resolve();
      });
    });
    await end(writer, 'SIGKILL');
    await using store = await openStore();
    expect(acknowledged.size).toBe(16);
    for (const [key, version] of acknowledged) {
      const found = await store.get(key);
      expect(found?.version).toBeGreaterThanOrEqual(version);
      expect(Buffer.from(found?.value ?? [])).toEqual(Buffer.alloc(4_096, String(found?.version)));
      expect(await store.compareAndSet(key, found?.version ?? 0, Buffer.from('on'))).toBeDefined();
    }
  });

  it('is unavailable for writes while a stopped process is in the middle of one', async () => {
    await using store = await openStore(500);
    await store.compareAndSet('key', 0, Buffer.from('before'));
    const writer = start('lock');
    await firstMessage(writer);
    writer.kill('SIGSTOP');

    let turns = 0;
    const turning = setInterval(() => turns++, 5);
    const refused = store.compareAndSet('key', 1, Buffer.from('refused'));
    await expect(refused).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: `the database ${path} did not answer "compareAndSet" within 500 ms`,
      hint: expect.stringContaining('stopped'),
    });
    clearInterval(turning);
    expect(turns).toBeGreaterThan(20); // of 100: the event loop went on
    expect(Buffer.from((await store.get('key'))?.value ?? []).toString()).toBe('before');

    await end(writer, 'SIGKILL');
    const version = (await store.get('key'))?.version ?? 0;
    expect(await store.compareAndSet('key', version, Buffer.from('after'))).toBe(version + 1);
  });

  it('lets a program end when everything is answered, and not before', async () => {
    const program = start('write-once');
    const exited = once(program, 'exit');
    expect(await firstMessage(program)).toEqual({ version: 1 });
    expect(await exited).toEqual([0, null]);
  });
});

describe('a rendezvous of several processes', () => {
  it('shows a new node to those that start later, and forgets it when it is killed', async () => {
    const other = start('join', 'other');
    const { incarnation } = Object(await firstMessage(other));
    const told: unknown[] = [];
    const discovery = new RendezvousDiscovery({ database: new SqliteDatabase({ path }) });
    const self = { node: 'self', incarnation: await discovery.reserve('self'), address: 'here' };
    expect(self.incarnation).toBeGreaterThan(incarnation);
    await discovery.start(self, { onPeers: (peers) => told.push(peers), onError: () => {} });
    expect(told).toEqual([[{ node: 'other', incarnation, address: 'address-of-other' }]]);

    await end(other, 'SIGKILL');
    await discovery.refresh();
    expect(told.at(-1)).toEqual([]);
    await discovery.stop();
  });

  it('refuses the name of a live process, and gives that of a killed one', async () => {
    const holder = start('join', 'a');
    await firstMessage(holder);
    const discovery = new RendezvousDiscovery({ database: new SqliteDatabase({ path }) });
    await expect(discovery.reserve('a')).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      details: { node: 'a', osPid: holder.pid },
    });
    await end(holder, 'SIGKILL');
    expect(await discovery.reserve('a')).toBeGreaterThan(0);
    await discovery.stop();
  });
});
