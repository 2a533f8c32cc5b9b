// A process of a cluster that store.test.ts starts, stops and kills: `store-node.ts <what> <file> [arguments]`
import { DatabaseSync } from 'node:sqlite';

import { seededRandom, systemClock, systemRandom } from '@foundation/core';
import { Codec, Variables } from '@foundation/core/internal';
import {
  exercise,
  exerciseVariables,
  recorded,
  recordedVariable,
  type StoreOperation,
} from '@foundation/testing/history';

import { RendezvousDiscovery } from '../src/cluster/discoveries/rendezvous.ts';
import { SqliteDatabase } from '../src/cluster/stores/sqlite-database.ts';
import { SqliteStore } from '../src/cluster/stores/sqlite.ts';

const [, , what = '', path = '', argument = ''] = process.argv;
const database = new SqliteDatabase({ path });
const store = new SqliteStore(database);
const tell = (message: unknown): void => void process.send?.(message);

/** Adds one to the count until it was done `count` times. */
async function increment(count: number): Promise<void> {
  await store.start();
  for (let done = 0; done < count;) {
    const found = await store.get('count');
    const next = Number(found === undefined ? 0 : Buffer.from(found.value).toString()) + 1;
    const version = await store.compareAndSet('count', found?.version ?? 0, Buffer.from(`${next}`));
    if (version !== undefined) done++;
  }
  tell('done');
  await store.stop();
}

/** Writes for ever, in 16 places at once, and tells each version when it was acknowledged. */
async function write(): Promise<void> {
  await store.start();
  const writeOne = async (key: string): Promise<void> => {
    for (let version = 0; ;) {
      const value = Buffer.alloc(4_096, String(version + 1));
      version = (await store.compareAndSet(key, version, value)) ?? Number.NaN;
      tell({ key, version });
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, index) => writeOne(`key${index}`)));
}

/** Does at random what clients do, and tells what came of it. */
async function exerciseStore(client: string): Promise<void> {
  await store.start();
  const history: StoreOperation[] = [];
  const keys = Array.from({ length: 30 }, (_, index) => `key${index}`);
  const clients = ['one', 'two'].map((name) => `${client}-${name}`);
  await Promise.all(
    clients.map((each) =>
      exercise(recorded(store, { client: each, history }), {
        client: each,
        operations: 1_500,
        keys,
        random: seededRandom(each),
      }),
    ),
  );
  tell(history);
  await store.stop();
}

/** The same with variables, of which two clients a program do 10,000 operations together. */
async function exerciseAll(client: string): Promise<void> {
  await store.start();
  const parts = { codec: new Codec(), clock: systemClock, random: systemRandom };
  const room = new Variables({ node: client, store, ...parts });
  const history: StoreOperation[] = [];
  const names = Array.from({ length: 60 }, (_, index) => `variable-${index}`);
  const clients = ['one', 'two'].map((name) => `${client}-${name}`);
  await Promise.all(
    clients.map((each) => {
      const variables = names.map((name) =>
        recordedVariable(room.strong<string>(name), { client: each, history }),
      );
      const options = { client: each, operations: 5_000, random: seededRandom(each) };
      return exerciseVariables(variables, options);
    }),
  );
  tell(history);
  await store.stop();
}

/** Stays in the middle of a write. */
function lock(): void {
  const raw = new DatabaseSync(path);
  raw.exec("BEGIN IMMEDIATE; UPDATE keys SET value = x'00'");
  tell('locked');
  process.once('message', () => process.exit(0));
}

/** Writes once, and neither stops its store nor waits for anything. */
async function writeOnce(): Promise<void> {
  await store.start();
  void store.compareAndSet('key', 0, Buffer.from('a')).then((version) => tell({ version }));
}

/** Joins the rendezvous until its parent is gone. */
async function join(node: string): Promise<void> {
  const discovery = new RendezvousDiscovery({ database });
  const incarnation = await discovery.reserve(node);
  await discovery.start(
    { node, incarnation, address: `address-of-${node}` },
    { onPeers: () => {}, onError: () => {} },
  );
  tell({ incarnation });
  process.once('message', () => process.exit(0));
}

// `write-once` must end by itself, and this listener would keep it alive.
if (what !== 'write-once') process.on('disconnect', () => process.exit(0));
if (what === 'increment') await increment(Number(argument));
if (what === 'write') await write();
if (what === 'exercise') await exerciseStore(argument);
if (what === 'variables') await exerciseAll(argument);
if (what === 'lock') lock();
if (what === 'write-once') await writeOnce();
if (what === 'join') await join(argument);
