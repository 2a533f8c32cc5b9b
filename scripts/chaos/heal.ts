import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { median } from '../goals/median.ts';
import { LabCluster } from './lab-cluster.ts';
import { machineMs } from './machine-clock.ts';

/** Seconds that the cluster is cut for, one after the other. */
const cutsS = [2, 5, 10];
/** Times that each cut is made, an odd number. */
const trials = 3;
const limitMs = 1_000;
/** Milliseconds within which it must go on at all. */
const giveUpMs = 30_000;

/**
 * G8. One node of three is cut off, without a sign, and calls all others on, as they do it. How long after the end of
 * the cut has each call in either direction succeeded once? Of several trials the median counts, as the machine may be busy.
 */
export const heal: Goal = async ({ report, seed, progress }) => {
  await using cluster = await LabCluster.open({ size: 3, seed });
  const [alone, others] = [['n0'], ['n1', 'n2']];
  for (const name of cluster.names) {
    await cluster.node(name).ask(
      'callOn',
      cluster.names.filter((other) => other !== name),
    );
  }
  const ways = others.flatMap((other) => [['n0', other] as const, [other, 'n0'] as const]);
  await resumed(cluster, ways, machineMs());
  for (const seconds of cutsS) {
    const took: number[] = [];
    let kept = Infinity;
    for (let trial = 0; trial < trials; trial++) {
      const before = (await cluster.lab.traffic()).cut;
      await cluster.lab.cut(alone, others);
      await pause(1_000 * seconds);
      kept = Math.min(kept, (await cluster.lab.traffic()).cut - before);
      const healedAt = machineMs();
      await cluster.lab.heal();
      took.push(Math.round(await resumed(cluster, ways, healedAt)));
      await cluster.formed();
    }
    progress(`${took.join(', ')} ms after cuts of ${seconds} s; ${kept} frames or more kept off`);
    const value = median(took);
    report.tell({
      goal: `G8 heal, cut of ${seconds} s`,
      value,
      limit: `<= ${limitMs} ms until traffic resumes, median of ${trials}`,
      ok: value <= limitMs && kept > 0,
      seed,
    });
  }
};

type Way = readonly [from: string, to: string];

/** Milliseconds from a moment until each of some ways has been gone once. */
async function resumed(cluster: LabCluster, ways: readonly Way[], moment: number): Promise<number> {
  const took = ways.map(async ([from, to]) => {
    const { at } = await eventually(
      `${from} reaches ${to}`,
      () => cluster.node(from).ask('answerAfter', to, moment),
      { timeoutMs: giveUpMs },
    );
    return at - moment;
  });
  return Math.max(...(await Promise.all(took)));
}
