// What a node keeps to when others, or the machine, give it too much or too little: `npm run pressure -- [NAME …]`.
import { labHindrance } from '@foundation/testing/lab';

import { runGoals } from './goals/goal-program.ts';
import { descriptorsGoal } from './pressure/descriptors.ts';
import { disk } from './pressure/disk.ts';
import { heap } from './pressure/heap.ts';
import { silent } from './pressure/silent.ts';
import { slow } from './pressure/slow.ts';

process.exitCode = await runGoals(
  {
    name: 'pressure',
    hindrance: labHindrance(),
    goals: { slow, silent, descriptors: descriptorsGoal, disk, heap },
  },
  process.argv.slice(2),
);
