import { eventually } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import { PressedCluster, seesAll } from './pressed-cluster.ts';
import { Silence } from './silence.ts';

const descriptors = 60;
const strangers = 200;
const recoverMaxMs = 5_000;

/**
 * G14. A node that may have few descriptors is connected to by many. It goes on working for those who are there, can
 * still open files and connections, and lets others in when they are gone.
 */
export const descriptorsGoal: Goal = async ({ report, seed, progress }) => {
  await using cluster = await PressedCluster.open();
  const through = ['prlimit', `--nofile=${descriptors}:${descriptors}`];
  const first = await cluster.start('first', { through });
  await cluster.start('second');
  await seesAll(first, 2);
  using silence = await Silence.begin(cluster.port, strangers);
  const added = await first.ask('add');
  const canDial = await first.ask('canDial', cluster.port);
  await cluster.start('third');
  await seesAll(first, 3);
  const { open } = silence;
  progress(
    `with ${open} of ${strangers} connections open it counts ${added}, can dial: ${canDial}, and one more has joined`,
  );
  const worked = added === 1 && canDial && open > 0;
  silence[Symbol.dispose]();
  const began = performance.now();
  await cluster.start('fourth');
  await seesAll(first, 4);
  await eventually('it counts on', async () => (await first.ask('add')) === 2);
  const recoverMs = Math.round(performance.now() - began);
  report.tell({
    goal: `G14 ${descriptors} descriptors and ${strangers} connections, until all is well again`,
    value: recoverMs,
    limit: `<= ${recoverMaxMs} ms, and it works meanwhile`,
    ok: recoverMs <= recoverMaxMs && worked && first.isRunning,
    seed,
  });
};
