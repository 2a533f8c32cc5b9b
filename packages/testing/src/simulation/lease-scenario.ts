import fc from 'fast-check';

import type { LeaseFault, LeaseFaultPlan } from './lease-fault.ts';
import type { SingletonFault, SingletonFaultPlan } from './simulated-singleton.ts';

/** A run of a simulated lease: what happens, and the seed of all that is left to chance. */
export interface LeaseScenario {
  readonly seed: number;
  readonly nodes: number;
  readonly plan: LeaseFaultPlan;
}

/** The same of a simulated singleton. */
export interface SingletonScenario {
  readonly seed: number;
  readonly nodes: number;
  readonly plan: SingletonFaultPlan;
}

const node = fc.nat(3);
const durationMs = fc.oneof(fc.nat(120), fc.integer({ min: 200, max: 1_300 }), fc.nat(4_000));
const cut = fc.constantFrom('questions' as const, 'answers' as const, 'both' as const);
const share = fc.constantFrom(0, 0.2, 0.6);
const slowByMs = fc.constantFrom(0, 60, 600, 600, 1_500);
const how = fc.constantFrom('refusing' as const, 'silent' as const);

const usual: readonly fc.WeightedArbitrary<LeaseFault>[] = [
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pause' as const), node, durationMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), node, cut }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('outage' as const), how, durationMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), share }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('slow' as const), byMs: slowByMs }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'heal' as const }) },
];

/** A step of the wall clock, in either direction or only forward. */
function step(min: number): fc.WeightedArbitrary<LeaseFault> {
  const byMs = fc.integer({ min, max: 10_000 });
  return { weight: 2, arbitrary: fc.record({ kind: fc.constant('step' as const), node, byMs }) };
}

const sleep: fc.WeightedArbitrary<LeaseFault> = {
  weight: 2,
  arbitrary: fc.record({ kind: fc.constant('sleep' as const), node, durationMs }),
};

const afterMs = fc.oneof(fc.nat(40), fc.nat(400), fc.nat(2_000));

function plan<Fault>(
  ...faults: readonly fc.WeightedArbitrary<Fault>[]
): fc.Arbitrary<readonly { readonly afterMs: number; readonly fault: Fault }[]> {
  const fault = fc.oneof(...faults);
  return fc.array(fc.record({ afterMs, fault }), { maxLength: 14, size: 'max' });
}

/**
 * Scenarios for `simulateLease`. A wall clock that is set back while its machine sleeps is not among them: then no
 * clock says that it slept.
 */
export const leaseScenario: fc.Arbitrary<LeaseScenario> = fc.record({
  seed: fc.nat(),
  nodes: fc.integer({ min: 2, max: 4 }),
  plan: fc.oneof(plan(...usual, step(-10_000)), plan(...usual, sleep, step(0))),
});

const split: fc.WeightedArbitrary<SingletonFault> = {
  weight: 3,
  arbitrary: fc.record({ kind: fc.constant('split' as const), left: fc.nat(15) }),
};

/** Scenarios for `simulateSingleton`: the same, and splits between the nodes. */
export const singletonScenario: fc.Arbitrary<SingletonScenario> = fc.record({
  seed: fc.nat(),
  nodes: fc.integer({ min: 2, max: 4 }),
  plan: fc.oneof(
    plan<SingletonFault>(...usual, split, step(-10_000)),
    plan<SingletonFault>(...usual, split, sleep, step(0)),
  ),
});
