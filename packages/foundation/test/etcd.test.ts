import { storeConformance } from '@foundation/testing';
import { freePorts, startEtcd, type EtcdServers } from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EtcdStore } from '../src/cluster/stores/etcd.ts';
import { bytes, newNamespace, proxyTo, started, textOf, webServer } from './etcd-stores.ts';

let etcd: EtcdServers;
let endpoint: string;

beforeAll(async () => {
  etcd = await startEtcd();
  [endpoint = ''] = etcd.endpoints;
});
afterAll(() => etcd[Symbol.asyncDispose]());

storeConformance('EtcdStore', async () => {
  const namespace = newNamespace();
  return {
    connect: () => new EtcdStore({ endpoints: etcd.endpoints, namespace }),
    [Symbol.asyncDispose]: async () => {},
  };
});

describe('an etcd store at its start', () => {
  it('says what it can promise here, and what is weaker than it could be', async () => {
    await using store = await started({ endpoints: [endpoint] });
    expect(store.promises).toEqual({
      scope: 'cluster',
      outlives: 'power-loss',
      voters: 1,
      leaseMs: 5_000,
      caveats: [
        'one etcd server: while it is down, nothing can be agreed',
        'etcd asks for no user: whoever reaches it may change everything',
      ],
    });
  });

  it('refuses servers before 3.4, and what is no etcd', async () => {
    let version = { etcdserver: '3.3.25', etcdcluster: '3.3.0' };
    await using old = await webServer((path) => (path === '/version' ? version : undefined));
    await expect(started({ endpoints: [old.endpoint] })).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: 'etcd 3.3.0 has no gateway under /v3',
    });
    version = { etcdserver: '3.5.0', etcdcluster: 'not_decided' };
    await expect(started({ endpoints: [old.endpoint] })).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      hint: expect.stringContaining('gateway on'),
    });
  });

  it('refuses servers of two etcds', async () => {
    await using other = await startEtcd();
    const endpoints = [endpoint, ...other.endpoints];
    await expect(started({ endpoints })).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringContaining('belongs to another etcd'),
    });
  });

  it('says so when nobody is there, and does not work before it has started', async () => {
    const [one = 0, other = 0] = await freePorts(2);
    const endpoints = [one, other].map((port) => `http://127.0.0.1:${port}`);
    await expect(started({ endpoints, timeoutMs: 300 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-executed',
      message: expect.stringMatching(`:${one}: .*ECONNREFUSED.*:${other}: .*ECONNREFUSED`),
    });
    const store = new EtcdStore({ endpoints: etcd.endpoints });
    await expect(store.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.start();
    const written = store.compareAndSet('key', 0, bytes('last'));
    await new Promise(setImmediate); // it is on its way
    await Promise.all([store.stop(), store.stop()]);
    expect(await written).toBeGreaterThan(0);
    await expect(store.compareAndSet('key', 0, bytes('late'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-executed',
    });
  });
});

describe('an etcd store', () => {
  it('refuses a value that etcd finds too large, and has not written it', async () => {
    await using store = await started({ endpoints: [endpoint] });
    for (const size of [1_700_000, 4_000_000]) {
      await expect(store.compareAndSet('key', 0, new Uint8Array(size))).rejects.toMatchObject({
        code: 'FRAME_TOO_LARGE',
        outcome: 'not-executed',
      });
    }
    expect(await store.get('key')).toBeUndefined();
  });

  it('keeps apart what namespaces hold, and takes any text for a key', async () => {
    await using store = await started({ endpoints: [endpoint], namespace: 'n' });
    await using longer = await started({ endpoints: [endpoint], namespace: 'no' });
    const keys = ['', '\0', 'a/\u{10ffff}', 'é'];
    for (const key of keys) await store.compareAndSet(key, 0, bytes(key));
    expect(await store.list('')).toEqual(['', '\0', 'a/\u{10ffff}', 'é']);
    expect(await store.list('a/')).toEqual(['a/\u{10ffff}']);
    expect(await longer.list('')).toEqual([]);
  });
});

describe('a lost acknowledgement', () => {
  it('leaves open whether a write was carried out, and is not asked for again', async () => {
    await using first = await proxyTo(endpoint);
    await using second = await proxyTo(endpoint);
    await using store = await started({ endpoints: [first.endpoint, second.endpoint] });
    const before = (await store.compareAndSet('key', 0, bytes('before'))) ?? 0;
    first.mode = 'lose-answers';
    await expect(store.compareAndSet('key', before, bytes('after'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'unknown',
      retryable: true,
      hint: 'It may have been carried out: read before you write again.',
    });
    // It was: by the first one, and no second time.
    expect(textOf((await store.get('key'))?.value)).toBe('after');
    expect(first.passedOn().match(/POST \/v3\/kv\/txn/g)).toHaveLength(3); // one at the start
    expect(second.passedOn()).not.toContain('/v3/kv/txn');
  });

  it('of a read does no harm', async () => {
    await using first = await proxyTo(endpoint);
    await using store = await started({ endpoints: [first.endpoint, endpoint] });
    await store.compareAndSet('key', 0, bytes('there'));
    first.mode = 'lose-answers';
    expect(textOf((await store.get('key'))?.value)).toBe('there');
  });
});

describe('a server that says nothing', () => {
  it('is left for another one, by reads at once and by writes the next time', async () => {
    await using first = await proxyTo(endpoint);
    await using second = await proxyTo(endpoint);
    const [down] = await freePorts(1);
    const endpoints = [first.endpoint, `http://127.0.0.1:${down}`, second.endpoint];
    await using store = await started({ endpoints, timeoutMs: 1_000 });
    const version = (await store.compareAndSet('key', 0, bytes('1'))) ?? 0;
    first.mode = 'stall';
    await expect(store.compareAndSet('key', version, bytes('2'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'unknown',
      message: expect.stringContaining('no answer within 500 ms'),
    });
    // The next one is down: it certainly has not got the write.
    expect(await store.compareAndSet('key', version, bytes('3'))).toBeGreaterThan(version);
    // Back to the silent one, for a read.
    second.mode = 'stall';
    first.mode = 'pass';
    expect(textOf((await store.get('key'))?.value)).toBe('3');
  });
});
