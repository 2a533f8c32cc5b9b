import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { taskAssignment } from './task-assignment.ts';

const cost = fc.option(fc.bigInt({ min: 0n, max: 6n }), { freq: 5 });
const agent = fc.record({
  costs: fc.array(cost, { minLength: 3, maxLength: 3 }),
  loads: fc.array(fc.bigInt({ min: 1n, max: 3n }), { minLength: 3, maxLength: 3 }),
  capacity: fc.bigInt({ min: 0n, max: 6n }),
});
const rule = fc.constantFrom(
  { rule: 'one_each' },
  { rule: 'one_each', method: 'auction' },
  { rule: 'capacity' },
  { rule: 'capacity', maxSteps: 3 },
  { rule: 'makespan' },
);
const tie = fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const);

const sittings: fc.Arbitrary<Sitting> = fc
  .tuple(fc.array(agent, { maxLength: 6 }), rule, tie)
  .map(([agents, terms, ties]) => {
    const roster = agents.map((_, index) => `agent-${index}`);
    return {
      spec: { tasks: ['a', 'b', 'c'], ...terms },
      roster,
      options: { tie: ties },
      answer: ({ to }) => ({ body: agents[roster.indexOf(to)] }),
    };
  });

protocolLaws('an assignment of tasks', { protocol: taskAssignment, sittings, runs: 40 });
