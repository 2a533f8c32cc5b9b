// What a cluster keeps to while its network and its processes fail, in a lab: `npm run chaos -- [NAME …] [--seed S]`.
import { labHindrance } from '@foundation/testing/lab';

import { detector } from './chaos/detector.ts';
import { failover } from './chaos/failover.ts';
import { gray } from './chaos/gray.ts';
import { heal } from './chaos/heal.ts';
import { natsVariable } from './chaos/nats-variable.ts';
import { register } from './chaos/register.ts';
import { runGoals } from './goals/goal-program.ts';

process.exitCode = await runGoals(
  {
    name: 'chaos',
    hindrance: labHindrance(),
    goals: { register, 'nats-variable': natsVariable, detector, failover, gray, heal },
  },
  process.argv.slice(2),
);
