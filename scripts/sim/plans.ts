import { seededRandom } from '@foundation/core';
import {
  clusterScenario,
  detectorScenario,
  leaseScenario,
  simulateCluster,
  simulateLease,
  simulateSingleton,
  singletonScenario,
  tryDetectors,
  type ClusterScenario,
  type DetectorScenario,
  type LeaseScenario,
  type SingletonScenario,
} from '@foundation/testing/simulation';
import fc from 'fast-check';

import type { Goal, GoalRun } from '../goals/goal-program.ts';

/** What every simulation shows. */
interface Shown {
  readonly digest: string;
  readonly problems: readonly string[];
}

/** Plans of faults for one simulation, and how to go through one. */
interface Simulated<Scenario> {
  readonly goal: string;
  readonly scenarios: fc.Arbitrary<Scenario>;
  /** Scenarios after which something was wrong once: they are tried first. @defaultValue none */
  readonly known?: readonly Scenario[];
  readonly play: (scenario: Scenario) => Promise<Shown>;
}

export const cluster: Simulated<ClusterScenario> = {
  goal: 'cluster, simulated',
  scenarios: clusterScenario,
  known: [
    {
      seed: 324913287,
      nodes: 3,
      plan: [
        { afterMs: 0, fault: { kind: 'split', left: 10, how: 'reset' } },
        { afterMs: 0, fault: { kind: 'register', node: 1, name: 'bob' } },
        { afterMs: 8_000, fault: { kind: 'register', node: 0, name: 'bob' } },
        { afterMs: 600, fault: { kind: 'unregister', node: 1, name: 'bob' } },
      ],
    },
  ],
  play: ({ seed, nodes, plan }) => simulateCluster({ seed, nodes }, plan),
};

export const lease: Simulated<LeaseScenario> = {
  goal: 'G6 holders of a lease, simulated',
  scenarios: leaseScenario,
  play: ({ seed, nodes, plan }) => simulateLease({ seed, nodes }, plan),
};

export const singleton: Simulated<SingletonScenario> = {
  goal: 'G6 strong singletons of whole nodes, simulated',
  scenarios: singletonScenario,
  play: ({ plan, ...options }) => simulateSingleton(options, plan),
};

export const detector: Simulated<DetectorScenario> = {
  goal: 'G5 failure detectors, simulated',
  scenarios: detectorScenario,
  play: tryDetectors,
};

/** Goes through many plans. One after which something is wrong is shrunk to what is needed for that. */
export function allWell<Scenario>(simulated: Simulated<Scenario>, usual: number): Goal {
  return async ({ report, seed, seeds: plans = usual, progress }) => {
    const { goal, scenarios, known = [] } = simulated;
    let done = 0;
    const isWell = fc.asyncProperty(scenarios, async (each) => {
      const { problems } = await simulated.play(each);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      if (++done % 500 === 0) progress(`${done} plans`);
    });
    const { failed, counterexample, errorInstance } = await fc.check(isWell, {
      numRuns: plans,
      seed: numberOf(seed),
      examples: known.map((each) => [each]),
    });
    if (failed) progress(`${String(errorInstance)}\n${JSON.stringify(counterexample)}`);
    report.tell({
      goal,
      value: failed ? 1 : 0,
      limit: `0 bad of ${plans} plans of faults`,
      ok: !failed && done >= plans,
      seed,
    });
  };
}

/** Scenarios drawn by a seed. */
export function scenariosOf<Scenario>(
  { scenarios }: Simulated<Scenario>,
  numRuns: number,
  { seed }: GoalRun,
): readonly Scenario[] {
  return fc.sample(scenarios, { numRuns, seed: numberOf(seed) });
}

/** A seed as fast-check takes it. */
function numberOf(seed: string): number {
  return seededRandom(seed).int(2 ** 31);
}
