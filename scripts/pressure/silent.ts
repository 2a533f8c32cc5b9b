import { startNode } from '@foundation/core';
import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { PressedCluster } from './pressed-cluster.ts';
import { Silence } from './silence.ts';

const count = 300;
const closedMaxMs = 5_500;
const joinMaxMs = 1_000;

/** G13. Many connect and say nothing. All are hung up on, and one who has something to say gets in meanwhile. */
export const silent: Goal = async ({ report, seed, progress }) => {
  await using cluster = await PressedCluster.open();
  const first = await cluster.start('first');
  // The first node of a program takes what others need not: code is loaded and compiled.
  await using _ = await startNode({ cluster: 'off', profile: 'test', config: false });
  using silence = await Silence.begin(cluster.port, count);
  const began = performance.now();
  await using second = await startNode({ ...cluster.options('second'), config: false });
  const isJoined = (): boolean => second.cluster.members().length === 2;
  await eventually('it has joined', isJoined, { timeoutMs: 20_000 });
  const joinMs = Math.round(performance.now() - began);
  const open = silence.open;
  await eventually('all are hung up on', () => silence.open === 0, { timeoutMs: 20_000 });
  const { refused } = await first.ask('counters');
  const closedMs = Math.round(silence.longestMs);
  progress(
    `${open} of ${count} were still open when the good one had joined; ${JSON.stringify(refused)}`,
  );
  report.tell({
    goal: `G13 ${count} silent handshakes, until the last is closed`,
    value: closedMs,
    limit: `<= ${closedMaxMs} ms`,
    ok: closedMs <= closedMaxMs && open > 0,
    seed,
  });
  report.tell({
    goal: `G13 ${count} silent handshakes, until a good peer has joined`,
    value: joinMs,
    limit: `<= ${joinMaxMs} ms`,
    ok: joinMs <= joinMaxMs && open > 0,
    seed,
  });
};
