// What a simulated cluster keeps to after many plans of faults:
// `npm run sim -- [NAME …] [--seeds N] [--seed S]`; `--twice` is the same as the name `twice`.
import { runGoals } from './goals/goal-program.ts';
import { allWell, cluster, detector, lease, singleton } from './sim/plans.ts';
import { twice } from './sim/twice.ts';

process.exitCode = await runGoals(
  {
    name: 'sim',
    goals: {
      cluster: allWell(cluster, 3_000),
      detector: allWell(detector, 300),
      lease: allWell(lease, 4_700),
      singleton: allWell(singleton, 300),
      twice,
    },
  },
  process.argv.slice(2).map((word) => (word === '--twice' ? 'twice' : word)),
);
