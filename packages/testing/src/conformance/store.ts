import { seededRandom } from '@foundation/core';
import type { Store, Versioned, WatchHandlers } from '@foundation/core/internal';
import { describe, expect, it, vi } from 'vitest';

import {
  asRegisters,
  checkLinearizable,
  checkVersions,
  exercise,
  recorded,
  type StoreOperation,
} from '../history/index.ts';
import { describeLeases } from './store-leases.ts';
import { describeVariables } from './store-variables.ts';
import type { WithStores } from './with-stores.ts';

/** One set of data, and as many nodes' views of it as a test wants. */
export interface StoreUnderTest extends AsyncDisposable {
  /** A store as one more node has it, not started. May be the same one each time. */
  connect(): Store;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/**
 * What every {@link Store} promises, as vitest tests.
 *
 * @param make - makes an empty set of data; disposed of after each test
 */
export function storeConformance(name: string, make: () => Promise<StoreUnderTest>): void {
  const withStores: WithStores = async (count, test) => {
    await using data = await make();
    const first = data.connect();
    const others = Array.from({ length: count - 1 }, () => data.connect());
    await Promise.all([first, ...others].map((store) => store.start()));
    try {
      await test(first, ...others);
    } finally {
      await Promise.all([first, ...others].map((store) => store.stop()));
    }
  };

  describe(`${name} as a store`, () => {
    describeVersions(withStores);
    describeValues(withStores);
    describeAgreement(withStores);
    describeHistories(withStores);
    describeWatches(withStores);
    describeLeases(withStores);
    describeVariables(withStores);
  });
}

function describeVersions(withStores: WithStores): void {
  it('knows nothing of a key that was never written', () =>
    withStores(1, async (store) => {
      expect(await store.get('key')).toBeUndefined();
      expect(await store.delete('key', 0)).toBe(false);
      expect(await store.delete('key', 1)).toBe(false);
      expect(await store.compareAndSet('key', 1, bytes('a'))).toBeUndefined();
    }));

  it('creates a key once', () =>
    withStores(1, async (store) => {
      const version = await store.compareAndSet('key', 0, bytes('first'));
      expect(version).toBeGreaterThan(0);
      expect(await store.compareAndSet('key', 0, bytes('second'))).toBeUndefined();
      expect(await store.get('key')).toEqual({ version, value: bytes('first') });
    }));

  it('writes only over the version that the writer has seen', () =>
    withStores(1, async (store) => {
      const first = (await store.compareAndSet('key', 0, bytes('1'))) ?? 0;
      const second = (await store.compareAndSet('key', first, bytes('2'))) ?? 0;
      expect(second).toBeGreaterThan(first);
      expect(await store.compareAndSet('key', first, bytes('late'))).toBeUndefined();
      expect(text((await store.get('key'))?.value)).toBe('2');
    }));

  it('deletes only the version that the writer has seen', () =>
    withStores(1, async (store) => {
      const first = (await store.compareAndSet('key', 0, bytes('1'))) ?? 0;
      const second = (await store.compareAndSet('key', first, bytes('2'))) ?? 0;
      expect(await store.delete('key', first)).toBe(false);
      expect(await store.delete('key', second)).toBe(true);
      expect(await store.delete('key', second)).toBe(false);
      expect(await store.get('key')).toBeUndefined();
    }));

  it('never gives a version of a key twice, also after a delete', () =>
    withStores(1, async (store) => {
      let last = 0;
      for (let round = 0; round < 3; round++) {
        const created = (await store.compareAndSet('key', 0, bytes('a'))) ?? 0;
        expect(created).toBeGreaterThan(last);
        last = (await store.compareAndSet('key', created, bytes('b'))) ?? 0;
        expect(await store.delete('key', last)).toBe(true);
        expect(await store.compareAndSet('key', last, bytes('late'))).toBeUndefined();
      }
    }));
}

function describeValues(withStores: WithStores): void {
  it('lists the keys that begin with a prefix, in the order of their bytes', () =>
    withStores(1, async (store) => {
      const keys = ['a/1', 'a/10', 'a/2', 'a/%', 'a/\u{ff5e}', 'a/\u{1f600}', 'a', 'A/1', 'b/1'];
      for (const key of keys) await store.compareAndSet(key, 0, bytes(key));
      expect(await store.list('a/')).toEqual([
        'a/%',
        'a/1',
        'a/10',
        'a/2',
        'a/\u{ff5e}',
        'a/\u{1f600}',
      ]);
      expect(await store.list('a/%')).toEqual(['a/%']);
      expect(await store.list('c')).toEqual([]);
      expect(await store.list('')).toHaveLength(keys.length);
    }));

  it('keeps any bytes, none and many', () =>
    withStores(1, async (store) => {
      const values = [new Uint8Array(0), Uint8Array.from({ length: 1_048_576 }, (_, i) => i % 251)];
      for (const [index, value] of values.entries()) {
        await store.compareAndSet(`key${index}`, 0, value);
        const found = await store.get(`key${index}`);
        expect(Buffer.compare(found?.value ?? bytes('none'), value)).toBe(0);
      }
    }));

  it('keeps a value apart from the bytes that came in and went out', () =>
    withStores(1, async (store) => {
      const value = Buffer.from('kept');
      const written = store.compareAndSet('key', 0, value);
      value.fill(0);
      await written;
      (await store.get('key'))?.value.fill(0);
      expect(text((await store.get('key'))?.value)).toBe('kept');
    }));
}

function describeAgreement(withStores: WithStores): void {
  it('shows a node what another one has written before', () =>
    withStores(2, async (one, other = one) => {
      const version = (await one.compareAndSet('key', 0, bytes('1'))) ?? 0;
      expect(await other.get('key')).toEqual({ version, value: bytes('1') });
      await other.delete('key', version);
      expect(await one.get('key')).toBeUndefined();
      expect(await one.list('')).toEqual([]);
    }));

  it('lets one of many win when they write at once', () =>
    withStores(4, async (...stores) => {
      const versions = await Promise.all(
        stores.map((store, index) => store.compareAndSet('key', 0, bytes(String(index)))),
      );
      const winners = versions.flatMap((version, index) => (version === undefined ? [] : [index]));
      expect(winners).toHaveLength(1);
      expect(text((await stores[0].get('key'))?.value)).toBe(String(winners[0]));
    }));

  it('loses no update of nodes that count together', () =>
    withStores(4, async (...stores) => {
      await Promise.all(stores.map((store) => incrementBy(store, 25)));
      expect(text((await stores[0].get('count'))?.value)).toBe('100');
    }));
}

function describeHistories(withStores: WithStores): void {
  it('does everything at one moment each, whatever clients do at once', () =>
    withStores(4, async (...stores) => {
      const history: StoreOperation[] = [];
      const clients = stores.map((store, index) => {
        const client = `client-${index}`;
        const options = { client, operations: 150, keys: ['a', 'b', 'c'] };
        return exercise(recorded(store, { client, history }), {
          ...options,
          random: seededRandom(client),
        });
      });
      await Promise.all(clients);
      expect(history).toHaveLength(600);
      expect(checkVersions(history)).toEqual([]);
      expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
    }));
}

function describeWatches(withStores: WithStores): void {
  it('says what it promises', () =>
    withStores(1, async ({ promises }) => {
      expect(promises.voters).toBeGreaterThanOrEqual(1);
      expect(promises.leaseMs).toBeGreaterThan(0);
    }));

  it('tells a watch what is there, before it resolves', () =>
    withStores(1, async (store) => {
      await store.compareAndSet('w/a', 0, bytes('1'));
      await store.compareAndSet('w/b', 0, bytes('2'));
      await store.compareAndSet('other', 0, bytes('3'));
      const seen = new Watched();
      using _watch = await store.watch('w/', seen);
      expect(seen.now()).toEqual({ 'w/a': '1', 'w/b': '2' });
    }));

  it('tells a watch what another node creates, changes and deletes', () =>
    withStores(2, async (one, other = one) => {
      const seen = new Watched();
      using _watch = await one.watch('w/', seen);
      const first = (await other.compareAndSet('w/a', 0, bytes('1'))) ?? 0;
      await seen.until({ 'w/a': '1' });
      const second = (await other.compareAndSet('w/a', first, bytes('2'))) ?? 0;
      await other.compareAndSet('elsewhere', 0, bytes('3'));
      await one.compareAndSet('w/own', 0, bytes('4'));
      await seen.until({ 'w/a': '2', 'w/own': '4' });
      await other.delete('w/a', second);
      await seen.until({ 'w/own': '4' });
      await other.compareAndSet('w/a', 0, bytes('5'));
      await seen.until({ 'w/a': '5', 'w/own': '4' });
      expect(seen.disorder).toEqual([]);
    }));

  it('ends up with the newest value, however fast others write, and never goes back', () =>
    withStores(3, async (one, ...others) => {
      const seen = new Watched();
      using _watch = await one.watch('count', seen);
      await Promise.all(others.map((store) => incrementBy(store, 40)));
      await seen.until({ count: '80' });
      expect(seen.disorder).toEqual([]);
    }));

  it('tells that a key is gone whose value was read, also of one that came and went fast', () =>
    withStores(2, async (one, other = one) => {
      const seen = new Watched();
      using _watch = await one.watch('w/', seen);
      const keys = Array.from({ length: 100 }, (_, index) => `w/${index}`);
      const comeAndGo = async (key: string): Promise<void> => {
        const version = (await other.compareAndSet(key, 0, bytes('1'))) ?? 0;
        expect((await one.get(key))?.version).toBe(version);
        await other.delete(key, version);
      };
      await Promise.all(keys.map(comeAndGo));
      await vi.waitFor(() => expect(seen.gone).toEqual(new Set(keys)), { timeout: 10_000 });
    }));

  it('tells nothing any more once a watch is disposed of, and goes on telling others', () =>
    withStores(1, async (store) => {
      const [early, late] = [new Watched(), new Watched()];
      const watch = await store.watch('w', early);
      using _other = await store.watch('w', late);
      watch[Symbol.dispose]();
      await store.compareAndSet('w', 0, bytes('1'));
      await late.until({ w: '1' });
      expect(early.now()).toEqual({});
    }));
}

/** What a watch has told. */
class Watched implements WatchHandlers {
  readonly disorder: string[] = [];
  readonly gone = new Set<string>();
  readonly #newest = new Map<string, string>();
  readonly #versions = new Map<string, number>();

  onChange(key: string, found: Versioned | undefined): void {
    if (found === undefined) {
      this.#newest.delete(key);
      this.gone.add(key);
      return;
    }
    const { version, value } = found;
    const last = this.#versions.get(key) ?? 0;
    if (version <= last) this.disorder.push(`${key}: ${version} after ${last}`);
    this.#versions.set(key, version);
    this.#newest.set(key, text(value));
  }

  onError(error: unknown): void {
    throw error;
  }

  now(): Record<string, string> {
    return Object.fromEntries(this.#newest);
  }

  until(state: Record<string, string>): Promise<void> {
    return vi.waitFor(() => expect(this.now()).toEqual(state), { timeout: 10_000, interval: 5 });
  }
}

async function incrementBy(store: Store, count: number): Promise<void> {
  for (let done = 0; done < count;) {
    const found = await store.get('count');
    const next = Number(text(found?.value) || 0) + 1;
    const written = await store.compareAndSet('count', found?.version ?? 0, bytes(String(next)));
    if (written !== undefined) done++;
  }
}
