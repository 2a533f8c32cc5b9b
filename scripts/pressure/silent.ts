import { startNode } from '@foundation/core';
import { eventually } from '@foundation/testing/lab';

import type { Goal, GoalRun } from '../goals/goal-program.ts';
import { median } from '../goals/median.ts';
import { PressedCluster } from './pressed-cluster.ts';
import { Silence } from './silence.ts';

const count = 300;
const closedMaxMs = 5_500;
const joinMaxMs = 1_000;

interface Trial {
  readonly closedMs: number;
  readonly joinMs: number;
  /** Strangers that were still connected when the good one had joined. */
  readonly open: number;
}

/**
 * G13. Many connect and say nothing. All are hung up on, and one who has something to say gets in meanwhile. Of three
 * trials the median counts, as the machine may be busy.
 */
export const silent: Goal = async ({ report, seed, progress }) => {
  // The first node of a program takes what others need not: code is loaded and compiled.
  await using _ = await startNode({ cluster: 'off', profile: 'test', config: false });
  const trials: Trial[] = [];
  for (let index = 0; index < 3; index++) trials.push(await tryOnce(progress));
  const isFelt = trials.every(({ open }) => open > 0);
  const closedMs = median(trials.map((trial) => trial.closedMs));
  const joinMs = median(trials.map((trial) => trial.joinMs));
  report.tell({
    goal: `G13 ${count} silent handshakes, until the last is closed`,
    value: closedMs,
    limit: `<= ${closedMaxMs} ms, median of 3`,
    ok: closedMs <= closedMaxMs && isFelt,
    seed,
  });
  report.tell({
    goal: `G13 ${count} silent handshakes, until a good peer has joined`,
    value: joinMs,
    limit: `<= ${joinMaxMs} ms, median of 3`,
    ok: joinMs <= joinMaxMs && isFelt,
    seed,
  });
};

async function tryOnce(progress: GoalRun['progress']): Promise<Trial> {
  await using cluster = await PressedCluster.open();
  const first = await cluster.start('first');
  using silence = await Silence.begin(cluster.port, count);
  const began = performance.now();
  await using second = await startNode({ ...cluster.options('second'), config: false });
  const isJoined = (): boolean => second.cluster.members().length === 2;
  await eventually('it has joined', isJoined, { timeoutMs: 20_000 });
  const joinMs = Math.round(performance.now() - began);
  const { open } = silence;
  await eventually('all are hung up on', () => silence.open === 0, { timeoutMs: 20_000 });
  const closedMs = Math.round(silence.longestMs);
  const { refused } = await first.ask('counters');
  progress(
    `joined after ${joinMs} ms, with ${open} of ${count} open; all closed after ${closedMs} ms; ${JSON.stringify(refused)}`,
  );
  return { closedMs, joinMs, open };
}
