import { isFoundationError } from '@foundation/core';
import { JetStreamStore, NatsClient } from '@foundation/core/nats';
import { Lab } from '@foundation/testing/lab';
import { startNats } from '@foundation/testing/servers';

import type { Goal, GoalRun } from '../goals/goal-program.ts';
import { clientHosts, placesIn, serverHosts, withDirectory } from './register.ts';
import { networkFaults, serverFaults } from './store-faults.ts';
import { tryStore, type StoreTrial } from './store-trial.ts';

/**
 * G3. What many processes saw of strong variables on three servers of NATS can have happened; and a server that is known
 * to lose updates is not used at all.
 */
export const natsVariable: Goal = async (run) => {
  await oldIsRefused(run);
  await withDirectory((directory) => onJetStream(directory, run));
};

async function onJetStream(directory: string, run: GoalRun): Promise<void> {
  await using lab = await Lab.open({ hosts: [...serverHosts, ...clientHosts], seed: run.seed });
  await using nats = await startNats({ hosts: serverHosts.map((name) => lab.host(name)) });
  const trial = {
    goal: 'G3 strong variables on NATS',
    store: { kind: 'jetstream', servers: nats.urls },
    places: placesIn(lab),
    journals: directory,
    faults: (random) => [
      ...serverFaults(nats.members, random),
      ...networkFaults({ lab, servers: serverHosts, random }),
    ],
  } satisfies StoreTrial;
  await tryStore(trial, run);
}

/** Debian 12's own server is older than 2.11. */
async function oldIsRefused({ report, seed, progress }: GoalRun): Promise<void> {
  await using nats = await startNats({ version: 'own' });
  const client = new NatsClient({ servers: nats.urls });
  const store = new JetStreamStore({ nats: client, cluster: 'lab' });
  const error: unknown = await store.start().then(
    () => 'it was started',
    (reason: unknown) => reason,
  );
  progress(String(error));
  const isRefused = isFoundationError(error) && error.code === 'STORE_UNSUITABLE';
  report.tell({
    goal: 'G3 strong variables on NATS, an old server refused',
    value: isRefused ? 0 : 1,
    limit: '0 old servers used',
    ok: isRefused,
    seed,
  });
  await store.stop();
}
