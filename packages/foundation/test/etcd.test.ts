import { eventually, storeConformance } from '@foundation/testing';
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
  it('refuses a value that is too large for etcd, or for anybody, and has not written it', async () => {
    await using store = await started({ endpoints: [endpoint], timeoutMs: 20_000 });
    const tooLarge = { code: 'FRAME_TOO_LARGE', outcome: 'not-executed', retryable: false };
    await expect(store.compareAndSet('key', 0, new Uint8Array(1_700_000))).rejects.toMatchObject({
      ...tooLarge,
      hint: expect.stringContaining('--max-request-bytes'),
    });
    await expect(store.compareAndSet('key', 0, new Uint8Array(9_000_000))).rejects.toMatchObject({
      ...tooLarge,
      details: { key: 'key', bytes: 9_000_000, bytesMax: 8_388_608 },
    });
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
    const namespace = newNamespace();
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint, endpoint], namespace });
    await using other = await started({ endpoints: [endpoint], namespace });
    const before = (await store.compareAndSet('key', 0, bytes('before'))) ?? 0;
    proxy.hold('to-client');
    const writing = store.compareAndSet('key', before, bytes('after'));
    writing.catch(() => {});
    const version = await eventually('etcd has it', async () => {
      const found = await other.get('key');
      return found?.version !== before && found?.version;
    });
    proxy.cut();
    // Asked for again, it would be told that another was first.
    await expect(writing).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'unknown',
      retryable: true,
      hint: 'It may have been carried out: read before you write again.',
    });
    expect(await store.get('key')).toEqual({ version, value: bytes('after') });
  });

  it('of a read does no harm', async () => {
    await using proxy = await proxyTo(endpoint);
    await using store = await started({ endpoints: [proxy.endpoint, endpoint] });
    await store.compareAndSet('key', 0, bytes('there'));
    proxy.hold('to-client');
    const reading = store.get('key');
    await new Promise(setImmediate);
    proxy.cut();
    expect(textOf((await reading)?.value)).toBe('there');
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
    first.hold();
    await expect(store.compareAndSet('key', version, bytes('2'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'unknown',
      message: expect.stringContaining('no answer within 500 ms'),
    });
    // The next one is down: it certainly has not got the write.
    expect(await store.compareAndSet('key', version, bytes('3'))).toBeGreaterThan(version);
    // For a read, back to the first one.
    second.hold();
    first.cut();
    first.release();
    expect(textOf((await store.get('key'))?.value)).toBe('3');
  });
});
