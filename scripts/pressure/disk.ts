import { mkdirSync } from 'node:fs';

import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { PressedCluster } from './pressed-cluster.ts';

const diskBytes = 4 * 2 ** 20;
/** Longer than a heartbeat of the node in the same file may be missing. */
const fullForMs = 6_000;
const recoverMaxMs = 5_000;

/** G14. The disk of a node is full. Writes are refused, the node stays, and goes on when there is room again. */
export const disk: Goal = async ({ report, seed, progress }) => {
  await using cluster = await PressedCluster.open();
  const { directory } = cluster.options('first');
  mkdirSync(directory ?? '', { recursive: true });
  // A disk of its own, which is gone with the program.
  const mount = `mount -t tmpfs -o size=${diskBytes},mode=700 tmpfs "$0" && exec "$@"`;
  const through = ['unshare', '--mount', 'sh', '-c', mount, directory ?? ''];
  const node = await cluster.start('first', { through });
  for (let left = 20; left > 0; left--) await node.ask('add');
  progress(await node.ask('fillDisk'));
  let acknowledged = 20;
  const refusals = new Map<string, number>();
  for (const endsAt = performance.now() + fullForMs; performance.now() < endsAt;) {
    await node.ask('add').then(
      (count) => (acknowledged = count),
      ({ code }: { code: string }) => refusals.set(code, (refusals.get(code) ?? 0) + 1),
    );
  }
  await node.ask('freeDisk');
  const began = performance.now();
  const count = await eventually('it counts on', () => node.ask('add').catch(() => undefined), {
    timeoutMs: 30_000,
  });
  const recoverMs = Math.round(performance.now() - began);
  const isRunning = node.isRunning && (await node.ask('members')).length === 1;
  const refused = refusals.size > 0;
  progress(
    `refused: ${JSON.stringify([...refusals])}; ${acknowledged} acknowledged, then ${count}`,
  );
  report.tell({
    goal: 'G14 full disk, until it writes again',
    value: recoverMs,
    limit: `<= ${recoverMaxMs} ms, no crash`,
    ok: recoverMs <= recoverMaxMs && isRunning && refused,
    seed,
  });
  const lost = Math.max(0, acknowledged + 1 - count);
  report.tell({
    goal: 'G14 full disk, acknowledged writes lost',
    value: lost,
    limit: '0',
    ok: lost === 0 && refused,
    seed,
  });
};
