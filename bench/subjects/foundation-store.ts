import { SqliteDatabase, SqliteStore } from '@foundation/core/internal';

import type { CountStore } from './store.ts';

/** Foundation's store of one machine. */
export async function openCountStore(path: string): Promise<CountStore> {
  const store = new SqliteStore(new SqliteDatabase({ path }));
  await store.start();
  return {
    async read(key) {
      const found = await store.get(key);
      if (found === undefined) return { version: 0, count: 0 };
      return { version: found.version, count: Buffer.from(found.value).readDoubleLE() };
    },
    async write(key, { version, count }) {
      const value = Buffer.alloc(8);
      value.writeDoubleLE(count);
      return (await store.compareAndSet(key, version, value)) !== undefined;
    },
    close: () => store.stop(),
  };
}
