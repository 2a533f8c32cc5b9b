import { eventually } from '@foundation/testing';
import { startEtcd, type EtcdServers } from '@foundation/testing/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  fastClock,
  newNamespace,
  proxyTo,
  started,
  Watched,
  webServer,
  write,
  type StartedStore,
} from './etcd-stores.ts';

let etcd: EtcdServers;
let endpoint: string;
let namespace: string;
let writer: StartedStore;

beforeAll(async () => {
  etcd = await startEtcd();
  [endpoint = ''] = etcd.endpoints;
});
beforeEach(async () => {
  namespace = newNamespace();
  writer = await started({ endpoints: [endpoint], namespace });
});
afterEach(() => writer.stop());
afterAll(() => etcd[Symbol.asyncDispose]());

/** Asks etcd itself. */
async function ask(path: string, body: object): Promise<{ header: { revision: string } }> {
  const response = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return (await response.json()) as { header: { revision: string } };
}

async function metric(name: string): Promise<number> {
  const metrics = await (await fetch(`${endpoint}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

/** What a gateway says that stands in for etcd's. */
const header = { revision: '5' };
const created = { result: { header, watch_id: '1', created: true } };

describe('a watch of etcd', () => {
  it('goes on where it was when its connection breaks, and tells nothing twice', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    for (let round = 1; round < 6; round++) {
      proxy.hold();
      for (const step of ['x', 'y', 'z']) await write(writer, 'a', `${round}${step}`);
      proxy.cut();
      proxy.release();
      await watched.until({ a: `${round}z` });
    }
    // A listing would have told no more than the newest of each round.
    expect(watched.count).toBe(15);
    expect(watched.late).toEqual([]);
  });

  it('tells of an outage once, and afterwards what was missed', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace, timeoutMs: 200 });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'kept', '1');
    await write(writer, 'gone', '1');
    await watched.until({ kept: '1', gone: '1' });
    proxy.hold();
    proxy.cut();
    await write(writer, 'kept', '2');
    await writer.delete('gone', (await writer.get('gone'))?.version ?? 0);
    await eventually('it tells of the outage', () => watched.errors.length > 0);
    expect(watched.errors).toMatchObject([{ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' }]);
    // Meanwhile it tries again, some times.
    for (let tries = 0; tries < 3; tries++) {
      const other = store.watch('', new Watched());
      await expect(other).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    expect(watched.newest).toEqual({ kept: '1', gone: '1' });
    proxy.cut();
    proxy.release();
    await watched.until({ kept: '2' });
    expect(watched.late).toEqual([]);
    expect(watched.errors).toHaveLength(1);
  });

  it('lists all keys when what it missed has been compacted away', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace });
    const watched = new Watched();
    for (const key of ['same', 'changed', 'gone']) await write(writer, key, '1');
    using _watch = await store.watch('', watched);
    proxy.hold();
    for (const value of ['2', '3']) await write(writer, 'changed', value);
    await write(writer, 'new', '1');
    await writer.delete('gone', (await writer.get('gone'))?.version ?? 0);
    const { revision } = (await ask('/v3/kv/range', { key: 'bm9uZQ==' })).header;
    await ask('/v3/kv/compaction', { revision, physical: true });
    proxy.cut();
    proxy.release();
    await watched.until({ same: '1', changed: '3', new: '1' });
    expect(watched.late).toEqual([]);
    // Three at first; then the two that are newer, and the one that is gone.
    expect(watched.count).toBe(6);
    await write(writer, 'same', '2');
    await watched.until({ same: '2', changed: '3', new: '1' });
  });

  it('moves on when its server keeps the connection and says nothing any more', async () => {
    await using silent = await proxyTo(endpoint);
    await using store = await started({
      endpoints: [silent.endpoint, endpoint],
      namespace,
      clock: fastClock(10),
      timeoutMs: 10_000,
    });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'a', '1');
    await watched.until({ a: '1' });
    silent.hold();
    await write(writer, 'a', '2');
    await watched.until({ a: '2' });
    expect(watched.errors).toEqual([]);
  });

  it('is opened anew after a minute of silence, in case that its connection is deaf', async () => {
    await using gateway = await webServer((path) => {
      if (path === '/version') return { etcdcluster: '3.5.0' };
      if (path === '/v3/cluster/member/list') return { header, members: [{}] };
      return path === '/v3/watch' ? [created] : { header };
    });
    const { endpoint: at } = gateway;
    await using store = await started({
      endpoints: [at],
      clock: fastClock(60),
      timeoutMs: 120_000,
    });
    const begun = performance.now();
    using _watch = await store.watch('', new Watched());
    const streams = (): number => gateway.asked.filter((path) => path === '/v3/watch').length;
    await eventually('it is opened for the third time', () => streams() === 3);
    expect(performance.now() - begun).toBeGreaterThan(1_900);
  });

  it('lists all keys instead of having etcd look through a long past', async () => {
    const late = { result: { ...created.result, header: { revision: '20000' } } };
    await using gateway = await webServer((path) => {
      if (path === '/version') return { etcdcluster: '3.5.0' };
      if (path === '/v3/cluster/member/list') return { header, members: [{}] };
      return path === '/v3/watch' ? [late] : { header };
    });
    await using store = await started({ endpoints: [gateway.endpoint] });
    gateway.asked.length = 0;
    using _watch = await store.watch('', new Watched());
    await eventually('it is opened again', () => gateway.asked.length > 3);
    const [list, open] = ['/v3/kv/range', '/v3/watch'];
    expect(gateway.asked.slice(0, 4)).toEqual([list, open, list, open]);
  });

  it('shares one stream with all others of its store', async () => {
    await using store = await started({ endpoints: [endpoint], namespace });
    const watched = Array.from({ length: 40 }, () => new Watched());
    const watches = await Promise.all(watched.map((each, index) => store.watch(`${index}/`, each)));
    for (const index of [0, 7, 39]) {
      await write(writer, `${index}/key`, 'told');
      await watched[index]?.until({ [`${index}/key`]: 'told' });
    }
    expect(await metric('etcd_debugging_mvcc_watch_stream_total')).toBe(1);
    expect(await metric('etcd_debugging_mvcc_watcher_total')).toBe(40);
    for (const watch of watches.slice(8)) watch[Symbol.dispose]();
    await write(writer, '39/key', 'not told');
    await write(writer, '7/key', 'again');
    await watched[7]?.until({ '7/key': 'again' });
    expect(watched[39]?.newest).toEqual({ '39/key': 'told' });
  });
});
