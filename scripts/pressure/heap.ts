import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { median } from '../goals/median.ts';
import { PressedCluster, type Pressed } from './pressed-cluster.ts';

const heapMib = 64;
const restartMaxMs = 3_000;
const trials = 3;

/**
 * G14. A node runs out of memory and is ended by the system; its parent starts it again, as a supervisor of the operating
 * system would. What it has acknowledged is there.
 */
export const heap: Goal = async ({ report, seed, progress }) => {
  await using cluster = await PressedCluster.open();
  const start = (): Promise<Pressed> =>
    cluster.start('first', { env: { NODE_OPTIONS: `--max-old-space-size=${heapMib}` } });
  let node = await start();
  const tookMs: number[] = [];
  let [acknowledged, lost] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    acknowledged = await countUntilItEnds(node, acknowledged);
    const began = performance.now();
    node = await start();
    const count = await node.ask('count');
    tookMs.push(Math.round(performance.now() - began));
    lost += Math.max(0, acknowledged - count);
    progress(`${acknowledged} acknowledged, ${count} found ${tookMs.at(-1)} ms after its end`);
    acknowledged = count;
  }
  const restartMs = median(tookMs);
  report.tell({
    goal: `G14 a heap of ${heapMib} MiB, until it is back, median of ${trials}`,
    value: restartMs,
    limit: `<= ${restartMaxMs} ms`,
    ok: restartMs <= restartMaxMs,
    seed,
  });
  const ok = lost === 0 && acknowledged > 0;
  const goal = `G14 a heap of ${heapMib} MiB, acknowledged writes lost`;
  report.tell({ goal, value: lost, limit: '0', ok, seed });
};

/** @returns the last count that was acknowledged */
async function countUntilItEnds(node: Pressed, from: number): Promise<number> {
  let acknowledged = from;
  await node.ask('hoard');
  const count = async (): Promise<void> => {
    while (node.isRunning) acknowledged = Math.max(acknowledged, await node.ask('add'));
  };
  await Promise.all([1, 2, 3, 4].map(() => count().catch(() => {})));
  await eventually('it has ended', () => !node.isRunning, { timeoutMs: 20_000 });
  return acknowledged;
}
