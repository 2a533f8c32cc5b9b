// A process that etcd-faults.test.ts starts: `etcd-node.ts <what> <name> <endpoints>`
import { seededRandom } from '@foundation/core';
import { exercise, recorded, type StoreOperation } from '@foundation/testing/history';

import { EtcdStore } from '../src/cluster/stores/etcd.ts';

const [, , what = '', name = '', endpoints = ''] = process.argv;
const store = new EtcdStore({
  endpoints: endpoints.split(','),
  namespace: `${what}/`,
  timeoutMs: 2_000,
});
const tell = (message: unknown): void => void process.send?.(message);

/** Does at random what clients do until it is told to stop, then tells what came of it. */
async function exerciseStore(): Promise<void> {
  let isOver = false;
  process.once('message', () => (isOver = true));
  process.on('disconnect', () => process.exit(0));
  const keys = Array.from({ length: 40 }, (_, index) => `key${index}`);
  const history: StoreOperation[] = [];
  const client = async (who: string): Promise<void> => {
    const random = seededRandom(who);
    const own = recorded(store, { client: who, history });
    for (let round = 0; !isOver; round++) {
      await exercise(own, { client: `${who}:${round}`, operations: 10, keys, random });
    }
  };
  await store.start();
  tell('started');
  await Promise.all(['one', 'two'].map((each) => client(`${name}-${each}`)));
  tell(history);
}

/** Watches and writes once, and neither stops its store nor waits for anything. */
async function once(): Promise<void> {
  await store.start();
  await store.watch('', { onChange: () => {}, onError: () => {} });
  void store.compareAndSet('key', 0, Buffer.from('a')).then((version) => tell({ version }));
}

if (what === 'exercise') await exerciseStore();
if (what === 'once') await once();
