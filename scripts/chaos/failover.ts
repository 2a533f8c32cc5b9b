import type { NodeOptions } from '@foundation/core';
import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { median } from '../goals/median.ts';
import { LabCluster } from './lab-cluster.ts';
import { machineMs } from './machine-clock.ts';

const size = 4;
/** As on one machine. */
const options: NodeOptions = { detector: 'fast' };
const trials = 12;
const p50Ms = 3_000;
const maxMs = 5_000;
const giveUpMs = 60_000;
/** An answer is of now for so many milliseconds. */
const newMs = 200;
const name = 'singleton';

interface Loss {
  readonly kind: string;
  begin(cluster: LabCluster, victim: string): Promise<void>;
  end(cluster: LabCluster, victim: string): Promise<void>;
}

const losses: readonly Loss[] = [
  {
    kind: 'KILL',
    begin: (cluster, victim) => cluster.node(victim).kill(),
    end: (cluster, victim) => cluster.start(victim),
  },
  {
    kind: 'cut',
    begin: ({ lab, names }, victim) =>
      lab.cut(
        [victim],
        names.filter((each) => each !== victim),
      ),
    end: ({ lab }) => lab.heal(),
  },
  {
    kind: 'STOP',
    begin: async (cluster, victim) => cluster.node(victim).freeze(),
    end: async (cluster, victim) => cluster.node(victim).thaw(),
  },
];

/**
 * G7. The node of a singleton is killed, cut off or stopped. How long until the first call to it from one of the others
 * is answered, by another node?
 */
export const failover: Goal = async ({ report, seed, progress }) => {
  await using cluster = await LabCluster.open({ size, seed, options });
  await cluster.node('n0').ask('startSingleton', name);
  for (const each of cluster.names) await cluster.node(each).ask('callOn', [name]);
  const tookMs: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const loss = losses[trial % losses.length] as Loss;
    const victim = await hostOf(cluster);
    const lostAt = machineMs();
    await loss.begin(cluster, victim);
    const at = await backAt(cluster, { victim, lostAt });
    tookMs.push(at - lostAt);
    progress(`${loss.kind} of ${victim}: back after ${Math.round(at - lostAt)} ms`);
    await loss.end(cluster, victim);
    await cluster.formed();
    if (loss.kind === 'KILL') await cluster.node(victim).ask('callOn', [name]);
  }
  const p50 = Math.round(median(tookMs));
  const max = Math.round(Math.max(...tookMs));
  report.tell({
    goal: 'G7 failover of a singleton, p50',
    value: p50,
    limit: `<= ${p50Ms} ms`,
    ok: p50 <= p50Ms,
    seed,
  });
  report.tell({
    goal: `G7 failover of a singleton, longest of ${trials}`,
    value: max,
    limit: `<= ${maxMs} ms`,
    ok: max <= maxMs,
    seed,
  });
};

/** On which node it is, when all agree. */
function hostOf(cluster: LabCluster): Promise<string> {
  return eventually(
    'all reach the singleton on the same node',
    async () => {
      const moment = machineMs() - newMs;
      const asked = cluster.names.map((each) =>
        cluster.node(each).ask('answerAfter', name, moment),
      );
      const hosts = new Set((await Promise.all(asked)).map((answer) => answer?.by));
      const [host] = hosts;
      return hosts.size === 1 && host;
    },
    { timeoutMs: giveUpMs },
  );
}

interface Lost {
  readonly victim: string;
  readonly lostAt: number;
}

/** When it has answered one of the others again. */
async function backAt(cluster: LabCluster, { victim, lostAt }: Lost): Promise<number> {
  const others = cluster.names.filter((each) => each !== victim);
  return eventually(
    'the singleton is back',
    async () => {
      const asked = others.map((each) =>
        cluster.node(each).ask('answerAfter', name, lostAt, victim),
      );
      const found = (await Promise.all(asked)).filter((answer) => answer !== undefined);
      return found.length > 0 && Math.min(...found.map(({ at }) => at));
    },
    { timeoutMs: giveUpMs },
  );
}
