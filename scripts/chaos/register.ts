import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Lab } from '@foundation/testing/lab';
import { startEtcd } from '@foundation/testing/servers';

import type { Goal, GoalRun } from '../goals/goal-program.ts';
import { networkFaults, serverFaults } from './store-faults.ts';
import { tryStore, type StoreTrial } from './store-trial.ts';

/** Processes that work on a store. */
export const processes = 5;
export const serverHosts = ['s0', 's1', 's2'] as const;
export const clientHosts = ['c0', 'c1'] as const;

/** G2. What many processes saw of a store can have happened: on one machine, and on three servers of etcd in a lab. */
export const register: Goal = async (run) => {
  await withDirectory((directory) => onSqlite(directory, run));
  await withDirectory((directory) => onEtcd(directory, run));
};

function onSqlite(directory: string, run: GoalRun): Promise<void> {
  const store = { kind: 'sqlite', path: join(directory, 'cluster.db') } as const;
  const places = Array.from({ length: processes }, () => []);
  return tryStore({ goal: 'G2 register on sqlite', store, places, journals: directory }, run);
}

async function onEtcd(directory: string, run: GoalRun): Promise<void> {
  await using lab = await Lab.open({ hosts: [...serverHosts, ...clientHosts], seed: run.seed });
  await using etcd = await startEtcd({ hosts: serverHosts.map((name) => lab.host(name)) });
  const trial = {
    goal: 'G2 register on etcd',
    store: { kind: 'etcd', endpoints: etcd.endpoints },
    places: placesIn(lab),
    journals: directory,
    faults: (random) => [
      ...serverFaults(etcd.members, random),
      ...networkFaults({ lab, servers: serverHosts, random }),
    ],
  } satisfies StoreTrial;
  await tryStore(trial, run);
}

/** On which hosts of a lab the processes are. */
export function placesIn(lab: Lab): readonly (readonly string[])[] {
  return Array.from({ length: processes }, (_, index) => {
    return lab.host(clientHosts[index % clientHosts.length] ?? '').through;
  });
}

export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'foundation-register-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
