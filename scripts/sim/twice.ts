import { trapAmbient } from '@foundation/testing/simulation';

import type { Goal } from '../goals/goal-program.ts';
import { cluster, detector, lease, scenariosOf, singleton } from './plans.ts';

/** G18. The same seed does the same twice, and nothing that is simulated uses real time or real chance. */
export const twice: Goal = async (run) => {
  const { report, seed, progress } = run;
  const plays = [
    ...scenariosOf(cluster, 30, run).map((scenario) => () => cluster.play(scenario)),
    ...scenariosOf(detector, 10, run).map((scenario) => () => detector.play(scenario)),
    ...scenariosOf(lease, 40, run).map((scenario) => () => lease.play(scenario)),
    ...scenariosOf(singleton, 20, run).map((scenario) => () => singleton.play(scenario)),
  ];
  let equal = 0;
  const uses = new Map<string, number>();
  {
    using _trap = trapAmbient((_what, stack) => uses.set(stack, (uses.get(stack) ?? 0) + 1));
    for (const play of plays) {
      const [first, second] = [await play(), await play()];
      if (first.digest === second.digest) equal++;
    }
  }
  for (const [stack, count] of [...uses].slice(0, 5)) progress(`${count} times ${stack}`);
  const value = [...uses.values()].reduce((sum, count) => sum + count, 0);
  report.tell({
    goal: 'G18 determinism, the same seed twice',
    value: equal,
    limit: `${plays.length} of ${plays.length} digests equal`,
    ok: equal === plays.length,
    seed,
  });
  report.tell({
    goal: 'G18 determinism, real time and chance in simulations',
    value,
    limit: '0 uses',
    ok: value === 0,
    seed,
  });
};
