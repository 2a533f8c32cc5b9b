// A process whose clients work on a store: `store-client.ts <StoreClientOptions as JSON>`.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { seededRandom, systemClock, systemRandom, type Random } from '@foundation/core';
import {
  Codec,
  EtcdStore,
  SqliteDatabase,
  SqliteStore,
  Variables,
  type Store,
} from '@foundation/core/internal';
import { JetStreamStore, NatsClient } from '@foundation/core/nats';
import {
  exercise,
  exerciseVariables,
  recorded,
  recordedVariable,
  type Recording,
} from '@foundation/testing/history';
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
export type StoreChoice =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'etcd'; readonly endpoints: readonly string[] }
  | { readonly kind: 'jetstream'; readonly servers: readonly string[] };

/** All clients work on a few names at a time, by the clock: a search over more operations on one might not end. */
const namesAtOnce = 4;
const namesForMs = 300;
/** Operations that a client does without a pause; then it rests for as long, but not longer than that. */
const operations = 30;
const restMaxMs = 50;
/** A client that waits for an answer does nothing else. */
const jetStreamDeadlineMs = 4_000;

const { name, store: choice, journals } = JSON.parse(process.argv[2] ?? '') as StoreClientOptions;
const store = storeOf(choice);
await store.start();
const room = new Variables({
  node: name,
  store,
  codec: new Codec(),
  clock: systemClock,
  random: systemRandom,
});
const journal = new Journal(join(journals, `${name}journal`));

/** One client of the store, and one of strong variables in it. */
const clients: Readonly<Record<string, (work: Work) => Promise<void>>> = {
  [`${name}store`]: ({ recording, names, ...how }) =>
    exercise(recorded(store, recording), { ...how, keys: names }),
  [`${name}variables`]: ({ recording, names, ...how }) =>
    exerciseVariables(
      names.map((each) => recordedVariable(room.strong<string>(`variable-${each}`), recording)),
      how,
    ),
};

interface Work {
  readonly recording: Recording;
  readonly names: readonly string[];
  readonly client: string;
  readonly operations: number;
  readonly random: Random;
}

const commands = {
  /** Works on the store until a moment, by the machine's clock. */
  async work(endsAt: number, seed: string): Promise<void> {
    const working = Object.entries(clients).map(async ([client, work]) => {
      const random = seededRandom(`${seed}/${client}`);
      for (let began = machineMs(); began < endsAt; began = machineMs()) {
        // Each time it is another one: it may have left something behind of which it does not know what became.
        const who = `${client}@${began}`;
        const recording = { client: who, history: journal, onBegin: journal.begin.bind(journal) };
        await work({ recording, names: namesAt(began), client: who, operations, random });
        await pause(Math.min(machineMs() - began, restMaxMs));
      }
    });
    await Promise.all(working);
  },
};
function storeOf(chosen: StoreChoice): Store {
  switch (chosen.kind) {
    case 'sqlite':
      return new SqliteStore(new SqliteDatabase({ path: chosen.path }));
    case 'etcd':
      return new EtcdStore({ endpoints: chosen.endpoints });
    case 'jetstream': {
      const nats = new NatsClient({ servers: chosen.servers, plaintext: 'anywhere' });
      return new JetStreamStore({ nats, cluster: 'lab', deadlineMs: jetStreamDeadlineMs });
    }
  }
}

function namesAt(moment: number): readonly string[] {
  const period = Math.floor(moment / namesForMs);
  return Array.from({ length: namesAtOnce }, (_, index) => `${period}-${index}`);
}

export type StoreClient = typeof commands;

runTestProgram(process.pid, commands, () => store.stop());
