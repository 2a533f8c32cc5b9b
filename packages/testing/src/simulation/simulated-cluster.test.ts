import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { clusterScenario, type ClusterScenario } from './cluster-scenario.ts';
import { flaws, type Flaw } from './fault.ts';
import { simulateCluster, type SimulationReport } from './simulated-cluster.ts';

/** More by `SIMULATIONS=20000 npm test -- simulated-cluster`; another beginning by `SIMULATION_SEED`. */
const runs = Number(process.env['SIMULATIONS'] ?? 250);
const beginning = Number(process.env['SIMULATION_SEED'] ?? 1);
const longMs = 60_000 + runs * 200;

function play({ seed, nodes, plan }: ClusterScenario, flaw?: Flaw): Promise<SimulationReport> {
  return simulateCluster({ seed, nodes, ...(flaw === undefined ? {} : { flaw }) }, plan);
}

describe('a simulated cluster', () => {
  it(
    `agrees on members and registry after every one of ${runs} plans of faults`,
    async () => {
      await fc.assert(
        fc.asyncProperty(clusterScenario, async (each) => {
          const { problems, trace } = await play(each);
          expect(problems, trace.slice(-40).join('\n')).toEqual([]);
        }),
        { numRuns: runs, seed: beginning },
      );
    },
    longMs,
  );

  it('does exactly the same again from the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(clusterScenario, async (each) => {
        const [first, second] = [await play(each), await play(each)];
        expect(second.digest).toBe(first.digest);
        expect(second.events).toBe(first.events);
      }),
      { numRuns: 10, seed: beginning },
    );
  });

  it('does something else from another seed', async () => {
    const first = await play({ seed: 1, nodes: 3, plan: [] });
    const second = await play({ seed: 2, nodes: 3, plan: [] });
    expect(second.digest).not.toBe(first.digest);
  });

  it.each(flaws)(
    'is seen to fail when each node %s',
    async (flaw) => {
      const check = fc.asyncProperty(clusterScenario, async (each) => {
        expect((await play(each, flaw)).problems).toEqual([]);
      });
      const { failed } = await fc.check(check, {
        numRuns: 2_000,
        seed: beginning,
        endOnFailure: true,
      });
      expect(failed).toBe(true);
    },
    60_000,
  );
});
