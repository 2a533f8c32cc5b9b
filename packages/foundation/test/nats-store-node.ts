// A client of the JetStream store that nats-store.test.ts starts: `nats-store-node.ts <servers> <cluster> <client>`
import { seededRandom } from '@foundation/core';
import { exercise, recorded, type StoreOperation } from '@foundation/testing/history';
import { runTestProgram } from '@foundation/testing/program';

import { JetStreamStore } from '../src/nats/jet-stream-store.ts';
import { NatsClient } from '../src/nats/nats-client.ts';

const [, , servers = '', cluster = '', client = ''] = process.argv;
const store = new JetStreamStore({ nats: new NatsClient({ servers }), cluster });
const history: StoreOperation[] = [];
const keys = Array.from({ length: 12 }, (_, index) => `key${index}`);
let isRunning = false;
let running: Promise<unknown> = Promise.resolve();

/** Does at random what clients do, one operation after the other, until it is told to stop. */
async function work(name: string): Promise<void> {
  const random = seededRandom(name);
  for (let round = 0; isRunning; round++) {
    const who = `${name}/${round}`;
    await exercise(recorded(store, { client: who, history }), {
      client: who,
      operations: 20,
      keys,
      random,
    });
  }
}

await store.start();
export type StoreNodeCommands = typeof commands;
const commands = {
  start: (): void => {
    isRunning = true;
    running = Promise.all(['one', 'two'].map((name) => work(`${client}-${name}`)));
  },
  /** Operations that have ended. */
  count: (): number => history.length,
  stop: async (): Promise<readonly StoreOperation[]> => {
    isRunning = false;
    await running;
    await store.stop();
    return history;
  },
};
runTestProgram('ready', commands);
