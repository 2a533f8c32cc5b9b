import fc from 'fast-check';

import type { Fault, FaultPlan } from './fault.ts';

/** A run of a simulated cluster: what happens, and the seed of all that is left to chance. */
export interface ClusterScenario {
  readonly seed: number;
  readonly nodes: number;
  readonly plan: FaultPlan;
}

const node = fc.nat(4);
const name = fc.constantFrom('ada', 'bob');
const how = fc.constantFrom('reset' as const, 'silent' as const);
const crashKind = fc.constantFrom('kill' as const, 'power-off' as const);
const durationMs = fc.nat(12_000);
const byMs = fc.integer({ min: -10_000, max: 10_000 });
const extraMs = fc.constantFrom(0, 50, 800);

const work: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), node, name }),
  fc.record({ kind: fc.constant('unregister' as const), node, name }),
);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('crash' as const),
    node,
    how: crashKind,
  }),
  fc.record({ kind: fc.constant('stop' as const), node }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), node }) },
  fc.record({ kind: fc.constant('freeze' as const), node, durationMs }),
  fc.record({ kind: fc.constant('sleep' as const), node, durationMs }),
  fc.record({ kind: fc.constant('step' as const), node, byMs }),
  fc.record({ kind: fc.constant('cut' as const), a: node, b: node, how }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('break' as const), a: node, b: node }),
  },
  fc.record({ kind: fc.constant('split' as const), left: fc.nat(31), how }),
  { weight: 2, arbitrary: fc.constant({ kind: 'heal' as const }) },
  fc.record({ kind: fc.constant('slow' as const), a: node, b: node, extraMs }),
  fc.record({ kind: fc.constant('cut-one-way' as const), a: node, b: node }),
  fc.record({ kind: fc.constant('lose' as const), share: fc.constantFrom(0.1, 0.5, 1) }),
);
const afterMs = fc.oneof(fc.nat(30), fc.nat(1_000), fc.nat(8_000));
const step = fc.record({ afterMs, fault: fc.oneof(work, fault) }).map((one): FaultPlan => [one]);
/** A node is gone for a while. */
const cycle = fc
  .record({ afterMs, downMs: afterMs, node, how: crashKind })
  .map((each): FaultPlan => [
    { afterMs: each.afterMs, fault: { kind: 'crash', node: each.node, how: each.how } },
    { afterMs: each.downMs, fault: { kind: 'restart', node: each.node } },
  ]);

/** Scenarios for `simulateCluster`. */
export const clusterScenario: fc.Arbitrary<ClusterScenario> = fc.record({
  seed: fc.nat(),
  nodes: fc.integer({ min: 2, max: 5 }),
  plan: fc
    .array(fc.oneof({ weight: 7, arbitrary: step }, cycle), { maxLength: 14, size: 'max' })
    .map((steps) => steps.flat()),
});
