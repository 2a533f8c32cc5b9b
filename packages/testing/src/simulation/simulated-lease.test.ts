import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { leaseFlaws, type LeaseFlaw } from './lease-fault.ts';
import { leaseScenario, type LeaseScenario } from './lease-scenario.ts';
import { simulateLease, type LeaseReport } from './simulated-lease.ts';

/** More by `SIMULATIONS=20000 npm test -- simulated-lease`; another beginning by `SIMULATION_SEED`. */
const runs = Number(process.env['SIMULATIONS'] ?? 400);
const beginning = Number(process.env['SIMULATION_SEED'] ?? 2);
const longMs = 60_000 + runs * 100;

function play({ seed, nodes, plan }: LeaseScenario, flaw?: LeaseFlaw): Promise<LeaseReport> {
  return simulateLease({ seed, nodes, ...(flaw === undefined ? {} : { flaw }) }, plan);
}

describe('a simulated lease', () => {
  it(
    `is held by one at a time, and again by somebody, after every one of ${runs} plans of faults`,
    async () => {
      const sums = { grants: 0, effects: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(leaseScenario, async (each) => {
          const { problems, trace, grants, effects, refused } = await play(each);
          expect(problems, trace.slice(-40).join('\n')).toEqual([]);
          sums.grants += grants;
          sums.effects += effects;
          sums.refused += refused;
        }),
        { numRuns: runs, seed: beginning },
      );
      // The faults have had an effect: it went from hand to hand, and the fence was needed.
      expect(sums.grants).toBeGreaterThan(2 * runs);
      expect(sums.effects).toBeGreaterThan(sums.grants);
      expect(sums.refused).toBeGreaterThan(0);
    },
    longMs,
  );

  it('does exactly the same again from the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(leaseScenario, async (each) => {
        const [first, second] = [await play(each), await play(each)];
        expect(second.digest).toBe(first.digest);
        expect(second.events).toBe(first.events);
      }),
      { numRuns: 10, seed: beginning },
    );
  });

  it.each(leaseFlaws)(
    'is seen to fail with the bug %s',
    async (flaw) => {
      const check = fc.asyncProperty(leaseScenario, async (each) => {
        expect((await play(each, flaw)).problems).toEqual([]);
      });
      const { failed } = await fc.check(check, {
        numRuns: 5_000,
        seed: beginning,
        endOnFailure: true,
      });
      expect(failed).toBe(true);
    },
    120_000,
  );
});
