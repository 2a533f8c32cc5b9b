import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { seededRandom, type Random } from '@foundation/core';

import type { GoalRun } from '../goals/goal-program.ts';
import { judgeHistory } from './history-verdict.ts';
import { readJournals } from './journal.ts';
import { machineMs } from './machine-clock.ts';
import { torment } from './nemesis.ts';
import type { StoreChoice } from './store-client.ts';
import { StoreClients } from './store-clients.ts';
import { clientFaults, type FaultMaker } from './store-faults.ts';

/** A store, who works on it, and what goes wrong meanwhile. */
export interface StoreTrial {
  readonly goal: string;
  readonly store: StoreChoice;
  /** What each process that works on it is started through. */
  readonly places: readonly (readonly string[])[];
  /** An empty directory, for what the clients write down. */
  readonly journals: string;
  /** Beside those of the clients. @defaultValue none */
  readonly faults?: (random: Random) => readonly FaultMaker[];
}

const reports = fileURLToPath(new URL('../../reports', import.meta.url));
const forMs = 45_000;
const operationsMin = 5_000;

/** Whether all that clients saw of a store under faults can have happened, and all faults were felt. */
export async function tryStore(trial: StoreTrial, run: GoalRun): Promise<void> {
  const { goal, store, places, journals, faults = () => [] } = trial;
  const { seed, report, progress } = run;
  const random = seededRandom(`${seed}/${store.kind}`);
  const endsAt = machineMs() + forMs;
  await using clients = await StoreClients.start({ store, journals, endsAt, seed, places });
  const all = [...clientFaults(clients, random), ...faults(random)];
  const spans = await torment({ faults: all, random, endsAt });
  await clients.done();
  const history = readJournals(journals);
  const { count, unknown, problems, unfelt } = judgeHistory(history, spans);
  progress(
    `${store.kind}: ${count} operations, ${unknown} of unknown outcome, ${spans.length} faults`,
  );
  for (const problem of problems.slice(0, 20)) progress(problem);
  if (problems.length > 0)
    progress(`all of it is in ${keep(`${goal}, ${seed}`, { spans, history })}`);
  const missed = [
    ...(problems.length > 0 ? [`${problems[0]}`] : []),
    ...unfelt.map((kind) => `nobody has felt ${kind}`),
    ...(count < operationsMin ? [`only ${count} operations`] : []),
  ];
  report.tell({
    goal,
    value: problems.length,
    limit: `0 bad or undecided, of >= ${operationsMin} operations`,
    ok: missed.length === 0,
    seed,
    because: missed.length === 0 ? undefined : missed.join('; '),
  });
}

/** Keeps what is needed to find out what was wrong. Returns where. */
function keep(name: string, found: object): string {
  const path = join(reports, `${name.replaceAll(/\W+/g, '-')}.json`);
  mkdirSync(reports, { recursive: true });
  writeFileSync(path, JSON.stringify(found));
  return path;
}
