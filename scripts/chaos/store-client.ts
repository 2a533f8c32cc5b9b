// A process whose clients work on a store: `store-client.ts <StoreClientOptions as JSON>`.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { seededRandom } from '@foundation/core';
import { SqliteDatabase, SqliteStore, type Store } from '@foundation/core/internal';
import { exercise, recorded } from '@foundation/testing/history';
import { runTestProgram } from '@foundation/testing/program';

import { Journal } from './journal.ts';
import { machineMs } from './machine-clock.ts';

export interface StoreClientOptions {
  /** Unlike that of any other process, or of an earlier life of this one; ends with a dot. */
  readonly name: string;
  readonly store: StoreChoice;
  /** Where what it does is written down. */
  readonly journals: string;
}

/** Which store, and where. */
export interface StoreChoice {
  readonly kind: 'sqlite';
  readonly path: string;
}

/** Clients of one process. */
const clientsEach = 2;
/** All clients work on a few keys at a time, by the clock: a search over more operations on one key might not end. */
const keys = 4;
const keysForMs = 300;
/** Operations that a client does without a pause; then it rests for as long. */
const operations = 30;

const { name, store: choice, journals } = JSON.parse(process.argv[2] ?? '') as StoreClientOptions;
const store: Store = new SqliteStore(new SqliteDatabase({ path: choice.path }));
await store.start();
const journal = new Journal(join(journals, `${name}journal`));

const clients = Array.from({ length: clientsEach }, (_, index) => {
  const client = `${name}${index}`;
  const onBegin = journal.begin.bind(journal);
  return { client, store: recorded(store, { client, history: journal, onBegin }) };
});

const commands = {
  /** Works on the store until a moment, by the machine's clock. */
  async work(endsAt: number, seed: string): Promise<void> {
    const working = clients.map(async ({ client, store: own }) => {
      const random = seededRandom(`${seed}/${client}`);
      for (let began = machineMs(); began < endsAt; began = machineMs()) {
        await exercise(own, {
          client: `${client}@${began}`,
          keys: keysAt(began),
          operations,
          random,
        });
        await pause(machineMs() - began);
      }
    });
    await Promise.all(working);
  },
};
export type StoreClient = typeof commands;

function keysAt(moment: number): readonly string[] {
  const period = Math.floor(moment / keysForMs);
  return Array.from({ length: keys }, (_, index) => `${period}-${index}`);
}

runTestProgram(process.pid, commands, () => store.stop());
