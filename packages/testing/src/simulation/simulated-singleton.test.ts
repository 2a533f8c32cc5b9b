import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { singletonScenario } from './lease-scenario.ts';
import { simulateSingleton } from './simulated-singleton.ts';

/** More by `SIMULATIONS=1000 npm test -- simulated-singleton`; another beginning by `SIMULATION_SEED`. */
const runs = Number(process.env['SIMULATIONS'] ?? 60);
const beginning = Number(process.env['SIMULATION_SEED'] ?? 1);

describe('a simulated strong singleton', () => {
  it(
    `handles nothing any more once a later life of it has, and works again, after every one of ${runs} plans of faults`,
    async () => {
      let lives = 0;
      await fc.assert(
        fc.asyncProperty(singletonScenario, async ({ plan, ...options }) => {
          const report = await simulateSingleton(options, plan);
          expect(report.problems, report.trace.slice(-40).join('\n')).toEqual([]);
          lives += report.lives;
        }),
        { numRuns: runs, seed: beginning },
      );
      // It has moved.
      expect(lives).toBeGreaterThan(1.3 * runs);
    },
    60_000 + runs * 500,
  );

  it('does exactly the same again from the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(singletonScenario, async ({ plan, ...options }) => {
        const [first, second] = [
          await simulateSingleton(options, plan),
          await simulateSingleton(options, plan),
        ];
        expect(second.digest).toBe(first.digest);
        expect(second.events).toBe(first.events);
      }),
      { numRuns: 4, seed: beginning },
    );
  });
});
