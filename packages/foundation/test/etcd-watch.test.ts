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
import type { TcpProxy } from './tcp-proxy.ts';

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

/** How often all keys were listed, by what clients have sent. */
const listings = (proxy: TcpProxy): number => proxy.passedOn().match(/keys_only/g)?.length ?? 0;

describe('a watch of etcd', () => {
  it('goes on where it was when its connection breaks, and tells nothing twice', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'a', '1');
    await watched.until({ a: '1' });
    for (let round = 2; round < 6; round++) {
      proxy.cut();
      await write(writer, 'a', `${round}`);
      await write(writer, 'b', `${round}`);
      await watched.until({ a: `${round}`, b: `${round}` });
    }
    expect(watched.late).toEqual([]);
    expect(watched.count).toBe(9);
    expect(listings(proxy)).toBe(1);
  });

  it('tells of an outage once, and afterwards what was missed', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace, timeoutMs: 200 });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'kept', '1');
    await write(writer, 'gone', '1');
    await watched.until({ kept: '1', gone: '1' });
    proxy.mode = 'stall';
    proxy.cut();
    await write(writer, 'kept', '2');
    await writer.delete('gone', (await writer.get('gone'))?.version ?? 0);
    const { made } = proxy.connections();
    await eventually('it tries again and again', () => proxy.connections().made > made + 3);
    expect(watched.errors).toMatchObject([{ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' }]);
    await expect(store.watch('', new Watched())).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(watched.newest).toEqual({ kept: '1', gone: '1' });
    proxy.mode = 'pass';
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
    proxy.mode = 'stall';
    proxy.cut();
    for (const value of ['2', '3']) await write(writer, 'changed', value);
    await write(writer, 'new', '1');
    await writer.delete('gone', (await writer.get('gone'))?.version ?? 0);
    const { header } = await ask('/v3/kv/range', { key: 'bm9uZQ==' });
    await ask('/v3/kv/compaction', { revision: header.revision, physical: true });
    proxy.mode = 'pass';
    proxy.cut();
    await watched.until({ same: '1', changed: '3', new: '1' });
    expect(watched.late).toEqual([]);
    expect(watched.count).toBe(6);
    expect(listings(proxy)).toBe(2);
    await write(writer, 'same', '2');
    await watched.until({ same: '2', changed: '3', new: '1' });
  });

  it('moves on when its server keeps the connection and says nothing any more', async () => {
    await using silent = await proxyTo(endpoint);
    const endpoints = [silent.endpoint, endpoint];
    await using store = await started({
      endpoints,
      namespace,
      clock: fastClock(10),
      timeoutMs: 10_000,
    });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'a', '1');
    await watched.until({ a: '1' });
    silent.mode = 'stall';
    await write(writer, 'a', '2');
    await watched.until({ a: '2' });
    expect(watched.errors).toEqual([]);
  });

  it('notices a connection that is deaf while others to that server are not', async () => {
    await using proxy = await proxyTo(endpoint);
    const clock = fastClock(60);
    await using store = await started({
      endpoints: [proxy.endpoint],
      namespace,
      clock,
      timeoutMs: 120_000,
    });
    const watched = new Watched();
    using _watch = await store.watch('', watched);
    await write(writer, 'a', '1');
    await watched.until({ a: '1' });
    proxy.deafen('/v3/watch');
    await write(writer, 'a', '2');
    await watched.until({ a: '2' });
    expect(watched.errors).toEqual([]);
  });

  it('lists all keys instead of having etcd look through a long past', async () => {
    const header = { revision: '5' };
    const asked: unknown[] = [];
    await using gateway = await webServer((path) => {
      asked.push(path);
      if (path === '/version') return { etcdcluster: '3.5.0' };
      if (path === '/v3/cluster/member/list') return { header, members: [{}] };
      if (path !== '/v3/watch') return { header };
      return { result: { header: { revision: '20000' }, watch_id: '1', created: true } };
    });
    await using store = await started({ endpoints: [gateway.endpoint] });
    using _watch = await store.watch('', new Watched());
    const [, , , ...rest] = await eventually('it lists again', () => asked.length > 5 && asked);
    expect(rest.slice(0, 3)).toEqual(['/v3/kv/range', '/v3/watch', '/v3/kv/range']);
  });

  it('shares one connection with all others of its store', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint], namespace });
    const watched = Array.from({ length: 40 }, () => new Watched());
    const watches = await Promise.all(watched.map((each, index) => store.watch(`${index}/`, each)));
    for (const index of [0, 7, 39]) await write(writer, `${index}/key`, 'told');
    for (const index of [0, 7, 39]) await watched[index]?.until({ [`${index}/key`]: 'told' });
    for (const watch of watches.slice(8)) watch[Symbol.dispose]();
    await write(writer, '7/key', 'again');
    await write(writer, '39/key', 'not told');
    await watched[7]?.until({ '7/key': 'again' });
    expect(watched[39]?.newest).toEqual({ '39/key': 'told' });
    proxy.cut();
    await write(writer, '0/key', 'and on');
    await watched[0]?.until({ '0/key': 'and on' });
    expect(proxy.connections().open).toBe(1);
  });
});
