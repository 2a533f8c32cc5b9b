import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom, type Random } from '@foundation/core';
import { spawnNode, type TestProcess } from '@foundation/testing/lab';

import type { Goal, GoalRun } from '../goals/goal-program.ts';
import { judgeHistory } from './history-verdict.ts';
import { readJournals } from './journal.ts';
import { machineMs } from './machine-clock.ts';
import { torment, type Fault } from './nemesis.ts';
import type { StoreChoice, StoreClient, StoreClientOptions } from './store-client.ts';

const forMs = 45_000;
const operationsMin = 5_000;
const processes = 5;

/** G2. What many processes saw of a store while some were killed and stopped can have happened. */
export const register: Goal = async (run) => {
  const directory = mkdtempSync(join(tmpdir(), 'foundation-register-'));
  try {
    await registerOn({ kind: 'sqlite', path: join(directory, 'cluster.db') }, directory, run);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

async function registerOn(store: StoreChoice, journals: string, run: GoalRun): Promise<void> {
  const { seed, report, progress } = run;
  const random = seededRandom(`${seed}/${store.kind}`);
  const endsAt = machineMs() + forMs;
  await using clients = await Clients.start({ store, journals, endsAt, seed });
  const faults = [() => stopped(clients, random), () => killed(clients, random)];
  const spans = await torment({ faults, random, endsAt });
  await clients.done();
  const history = readJournals(journals);
  const { count, unknown, problems, unfelt } = judgeHistory(history, spans);
  progress(
    `${store.kind}: ${count} operations, ${unknown} of unknown outcome, ${spans.length} faults`,
  );
  for (const problem of problems.slice(0, 20)) progress(problem);
  for (const kind of unfelt) progress(`nobody has felt ${kind}`);
  report.tell({
    goal: `G2 register on ${store.kind}`,
    value: problems.length,
    limit: `0 bad or undecided, of >= ${operationsMin} operations`,
    ok: problems.length === 0 && unfelt.length === 0 && count >= operationsMin,
    seed,
  });
}

interface Client {
  readonly client: TestProcess<StoreClient>;
  /** What the names of all it has in its journal begin with. */
  readonly name: string;
  readonly worked: Promise<void>;
}

interface ClientsOptions extends Omit<StoreClientOptions, 'name'> {
  readonly endsAt: number;
  readonly seed: string;
}

/** Processes that work on a store, each again after it was killed. */
class Clients implements AsyncDisposable {
  readonly #options: ClientsOptions;
  readonly #running: Client[] = [];
  #lives = 0;

  private constructor(options: ClientsOptions) {
    this.#options = options;
  }

  static async start(options: ClientsOptions): Promise<Clients> {
    const clients = new Clients(options);
    for (let index = 0; index < processes; index++) await clients.startOne(index);
    return clients;
  }

  at(index: number): Client {
    const found = this.#running[index];
    if (found === undefined) throw new Error(`there is no client ${index}`);
    return found;
  }

  async startOne(index: number): Promise<void> {
    const { store, journals, endsAt, seed } = this.#options;
    const name = `p${this.#lives++}.`;
    const options: StoreClientOptions = { store, journals, name };
    const program = new URL('store-client.ts', import.meta.url);
    const client = await spawnNode<StoreClient>(program, { args: [JSON.stringify(options)] });
    // One that is killed has done what its journal says.
    const worked = client.ask('work', endsAt, seed).catch((error: Error) => {
      if (client.isRunning) throw error;
    });
    this.#running[index] = { client, name, worked };
  }

  /** Resolves when all have done their work. */
  async done(): Promise<void> {
    await Promise.all(this.#running.map(({ worked }) => worked));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map(({ client }) => client.kill()));
  }
}

function stopped(clients: Clients, random: Random): Fault {
  const { client, name } = clients.at(random.int(processes));
  return {
    kind: 'SIGSTOP of a client',
    silences: name,
    begin: async () => client.freeze(),
    end: async () => client.thaw(),
  };
}

function killed(clients: Clients, random: Random): Fault {
  const index = random.int(processes);
  const { client, name } = clients.at(index);
  return {
    kind: 'SIGKILL of a client',
    silences: name,
    begin: () => client.kill(),
    end: () => clients.startOne(index),
  };
}
