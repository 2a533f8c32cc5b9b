import { eventually, storeConformance } from '@foundation/testing';
import {
  startNats,
  startTcpProxy,
  type NatsServers,
  type TcpProxy,
} from '@foundation/testing/servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { systemClock, type Clock } from '../clock.ts';
import type { Versioned } from '../cluster/store.ts';
import { isFoundationError } from '../errors.ts';
import { isAtLeast } from './jet-stream-setup.ts';
import { JetStreamStore, type JetStreamStoreOptions } from './jet-stream-store.ts';
import { NatsClient } from './nats-client.ts';
import type { NatsOptions } from './nats-options.ts';

type Given = Omit<JetStreamStoreOptions, 'nats' | 'cluster'>;

let clusters = 0;
const newCluster = (): string => `test-${++clusters}`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (found: Versioned | undefined): string => new TextDecoder().decode(found?.value);
const portOf = (url: string): number => Number(new URL(url).port);

function storeAt(
  nats: NatsOptions,
  cluster: string,
  given: Given = { replicas: 1 },
): JetStreamStore {
  return new JetStreamStore({ nats: new NatsClient(nats), cluster, ...given });
}

async function open(
  nats: NatsOptions,
  cluster: string,
  given?: Given,
): Promise<JetStreamStore & AsyncDisposable> {
  const store = storeAt(nats, cluster, given);
  await store.start();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() });
}

describe.each(['forky', 'own'] as const)('on the nats-server of %s', (version) => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await startNats({ version });
  });
  afterAll(() => servers[Symbol.asyncDispose]());

  storeConformance('JetStreamStore', async () => {
    const cluster = newCluster();
    return {
      connect: () => storeAt({ servers: servers.urls }, cluster),
      [Symbol.asyncDispose]: async () => {},
    };
  });
});

describe('JetStreamStore at its start', () => {
  it('refuses three replicas on a server whose leader may let two writers win, and says what to do', async () => {
    await using old = await startNats({ version: 'own' });
    const refusal = storeAt({ servers: old.urls }, newCluster(), {}).start();
    await expect(refusal).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringMatching(/^nats-server 2\.9\..* 3 replicas$/),
      hint: expect.stringContaining('2.11 or later'),
    });
    await using single = await open({ servers: old.urls }, newCluster());
    expect(single.promises).toMatchObject({ voters: 1, scope: 'cluster' });
    expect(single.promises.caveats).toContainEqual(expect.stringContaining('nats-server 2.9'));
    expect(single.promises.caveats).toContainEqual(expect.stringContaining('one server'));
  });

  it('refuses a server without JetStream', async () => {
    await using plain = await startNats({ jetstream: false });
    await expect(storeAt({ servers: plain.urls }, newCluster()).start()).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      hint: expect.stringContaining('jetstream {'),
    });
  });

  it('says that no server answers', async () => {
    const store = storeAt({ servers: 'nats://127.0.0.1:1' }, newCluster());
    await expect(store.start()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1'),
      hint: expect.stringContaining('NATS_URL'),
    });
    await expect(store.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it.each([
    [{ cluster: '' }, 'cluster'],
    [{ replicas: 2 }, 'replicas'],
    [{ deadlineMs: 0 }, 'deadlineMs'],
    [{ retries: 3 }, 'retries'],
  ])('refuses the options %j', (wrong, name) => {
    const options = { nats: new NatsClient({ servers: 'nats://host' }), cluster: 'a', ...wrong };
    expect(() => new JetStreamStore(Object(options))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });

  it('compares versions as numbers', () => {
    expect(isAtLeast('2.11.0', '2.11')).toBe(true);
    expect(isAtLeast('2.9.21', '2.11')).toBe(false);
    expect(isAtLeast('3.0.0', '2.12.3')).toBe(true);
    expect(isAtLeast('2.12.0-RC.1', '2.12.3')).toBe(false);
  });
});

describe('JetStreamStore', () => {
  let servers: NatsServers;
  let proxy: TcpProxy;
  /** What is between this client and its server. */
  let behindProxy: NatsOptions;
  let direct: NatsOptions;
  beforeAll(async () => {
    servers = await startNats();
    proxy = await startTcpProxy(portOf(servers.urls[0] ?? ''));
    direct = { servers: servers.urls };
    behindProxy = { servers: `nats://127.0.0.1:${proxy.port}`, pingEveryMs: 100 };
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await servers[Symbol.asyncDispose]();
  });

  afterEach(() => proxy.release());

  /** Does something to "key" whose acknowledgement gets lost: the server has carried it out. */
  async function unacknowledged<T>(
    other: JetStreamStore,
    action: () => Promise<T>,
  ): Promise<{ readonly done: Promise<T> }> {
    const before = (await other.get('key'))?.version;
    proxy.hold('to-client');
    const done = action();
    done.catch(() => {});
    await eventually('the server has it', async () => (await other.get('key'))?.version !== before);
    return { done };
  }

  function healed(): void {
    proxy.cut();
    proxy.release();
  }

  it('finds out by itself that a write was carried out whose acknowledgement got lost', async () => {
    const cluster = newCluster();
    await using store = await open(behindProxy, cluster);
    await using other = await open(direct, cluster);
    const first = (await store.compareAndSet('key', 0, bytes('a'))) ?? 0;
    const write = await unacknowledged(other, () => store.compareAndSet('key', first, bytes('b')));
    healed();
    const second = (await write.done) ?? 0;
    expect(await store.get('key')).toEqual({ version: second, value: bytes('b') });
    const deletion = await unacknowledged(other, () => store.delete('key', second));
    healed();
    expect(await deletion.done).toBe(true);
    expect(await store.get('key')).toBeUndefined();
  });

  it.each([
    ['finds it out also', 2, (version: number) => version],
    ['says that the outcome is unknown', 4, () => 'unknown'],
  ])('%s when others have written over it %i times since', async (_, rounds, outcome) => {
    const cluster = newCluster();
    await using store = await open(behindProxy, cluster);
    await using other = await open(direct, cluster);
    const first = (await store.compareAndSet('key', 0, bytes('a'))) ?? 0;
    const write = await unacknowledged(other, () => store.compareAndSet('key', first, bytes('b')));
    const written = (await other.get('key'))?.version ?? 0;
    for (let round = 0, version = written; round < rounds; round++) {
      version = (await other.compareAndSet('key', version, bytes('c'))) ?? 0;
    }
    healed();
    const told = write.done.catch((error: unknown) => isFoundationError(error) && error.outcome);
    expect(await told).toBe(outcome(written));
  });

  it('writes once what did not get through at first', async () => {
    const cluster = newCluster();
    await using store = await open(behindProxy, cluster);
    proxy.hold('to-server');
    const written = store.compareAndSet('key', 0, bytes('a'));
    healed();
    const version = await written;
    expect(await store.get('key')).toEqual({ version, value: bytes('a') });
    expect(await store.compareAndSet('key', version ?? 0, bytes('b'))).toBeGreaterThan(
      version ?? 0,
    );
  });

  it('says whether anything was written when nobody answers until the deadline', async () => {
    await using store = await open(behindProxy, newCluster(), { replicas: 1, deadlineMs: 300 });
    const version = (await store.compareAndSet('key', 0, bytes('a'))) ?? 0;
    proxy.hold();
    const unavailable = { code: 'STORE_UNAVAILABLE', retryable: true };
    const [read, write] = await Promise.allSettled([
      store.get('key'),
      store.compareAndSet('key', version, bytes('b')),
    ]);
    expect(read).toMatchObject({ reason: { ...unavailable, outcome: 'not-executed' } });
    expect(write).toMatchObject({ reason: { ...unavailable, outcome: 'unknown' } });
    healed();
  });

  it('goes on telling a watch what it has missed, and says once that it was out', async () => {
    const cluster = newCluster();
    await using store = await open(behindProxy, cluster);
    await using other = await open(direct, cluster);
    const versions = [
      await other.compareAndSet('w/a', 0, bytes('1')),
      await other.compareAndSet('w/b', 0, bytes('1')),
    ];
    const now = new Map<string, string>();
    const errors: unknown[] = [];
    using _watch = await store.watch('w/', {
      onChange: (key, found) =>
        void (found === undefined ? now.delete(key) : now.set(key, text(found))),
      onError: (error) => errors.push(error),
    });
    for (const round of ['2', '3']) {
      proxy.hold();
      versions[0] = await other.compareAndSet('w/a', versions[0] ?? 0, bytes(round));
      if (round === '2') await other.delete('w/b', versions[1] ?? 0);
      await eventually('the watch is out', () => errors.length === Number(round) - 1);
      healed();
      await eventually('it has caught up', () => now.get('w/a') === round && !now.has('w/b'));
    }
    expect(errors).toHaveLength(2);
  });

  it('finishes what was asked before it stops, and tries nothing again', async () => {
    const name = newCluster();
    const store = await open(behindProxy, name);
    const written = store.compareAndSet('key', 0, bytes('last'));
    await Promise.all([store.stop(), store.stop()]);
    expect(await written).toBeGreaterThan(0);
    await expect(store.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });

    await store.start();
    proxy.hold();
    const hanging = store.get('key').catch((error: unknown) => error);
    proxy.cut();
    await store.stop();
    expect(await hanging).toMatchObject({
      message: expect.stringContaining('before the store stopped'),
    });
  });

  it('has everything when the server was killed and started again', async () => {
    await using own = await startNats();
    await using store = await open({ servers: own.urls }, newCluster());
    const version = await store.compareAndSet('key', 0, bytes('kept'));
    await own.members[0]?.kill();
    const asked = store.get('key');
    await own.members[0]?.restart();
    expect(await asked).toEqual({ version, value: bytes('kept') });
  });

  it('takes any key, and refuses what cannot be one or is too large, before anything is sent', async () => {
    await using store = await open(direct, newCluster());
    const keys = ['a.b', 'a.*', '>', '', ' ', '=2E', '.', '$sync', 'ä/€'];
    for (const key of keys) await store.compareAndSet(key, 0, bytes(key));
    for (const key of keys) expect(text(await store.get(key))).toBe(key);
    expect(new Set(await store.list(''))).toEqual(new Set(keys));
    await expect(store.get('x'.repeat(1_025))).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(store.get('\u{d800}')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    const large = new Uint8Array(8 * 2 ** 20);
    await expect(store.compareAndSet('large', 0, large)).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
      hint: expect.stringContaining('max_payload'),
    });
  });

  it('refuses a stream that is not as it must be, and names what is wrong', async () => {
    const name = newCluster();
    const connection = await connect({ servers: [...servers.urls] });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: `foundation-${name}`,
      subjects: [`foundation.${name}.store.>`],
      max_age: 1e9,
    });
    await connection.close();
    await expect(storeAt(direct, name).start()).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringMatching(/max_age is 1000000000, not 0.*max_msgs_per_subject/),
    });
  });

  it('refuses three replicas where there is one server', async () => {
    await expect(storeAt(direct, newCluster(), {}).start()).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      hint: expect.stringContaining('replicas: 1'),
    });
  });

  it('forgets after a day that a key was deleted', async () => {
    const name = newCluster();
    let sweep = (): void => {};
    let shiftMs = 0;
    const clock: Clock = {
      ...systemClock,
      wallNow: () => systemClock.wallNow() + shiftMs,
      every: (periodMs, action) => {
        if (periodMs < 3_600_000) return systemClock.every(periodMs, action);
        sweep = action;
        return { cancel: () => {} };
      },
    };
    await using store = await open({ ...direct, clock }, name);
    const deleted = (await store.compareAndSet('deleted', 0, bytes('a'))) ?? 0;
    await store.compareAndSet('living', 0, bytes('a'));
    await store.delete('deleted', deleted);
    expect(await store.list('')).toEqual(['living']);
    const subjects = async (): Promise<readonly string[]> => {
      const connection = await connect({ servers: [...servers.urls] });
      const manager = await jetstreamManager(connection);
      const { state } = await manager.streams.info(`foundation-${name}`, { subjects_filter: '>' });
      await connection.close();
      return Object.keys(state.subjects ?? {}).map((subject) => subject.split('.').at(-1) ?? '');
    };
    sweep();
    expect(await subjects()).toContain('deleted');
    shiftMs = 25 * 3_600_000;
    sweep();
    await eventually('its mark is gone', async () => !(await subjects()).includes('deleted'));
    expect(await subjects()).toContain('living');
    expect(await store.compareAndSet('deleted', 0, bytes('b'))).toBeGreaterThan(deleted);
  });
});
