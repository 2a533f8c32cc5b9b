import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Fault, FaultPlan, Flaw } from './fault.ts';
import { simulateCluster, type SimulationReport } from './simulated-cluster.ts';

/** More by `SIMULATIONS=20000 npm test -- simulated-cluster`; another beginning by `SIMULATION_SEED`. */
const runs = Number(process.env['SIMULATIONS'] ?? 250);
const beginning = Number(process.env['SIMULATION_SEED'] ?? 1);
const longMs = 60_000 + runs * 200;

interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly plan: FaultPlan;
}

const node = fc.nat(4);
const name = fc.constantFrom('ada', 'bob');
const how = fc.constantFrom('reset' as const, 'silent' as const);
const extraMs = fc.constantFrom(0, 50, 800);

const work: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), node, name }),
  fc.record({ kind: fc.constant('unregister' as const), node, name }),
);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('crash' as const),
    node,
    how: fc.constantFrom('kill' as const, 'power-off' as const),
  }),
  fc.record({ kind: fc.constant('stop' as const), node }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), node }) },
  fc.record({ kind: fc.constant('freeze' as const), node, durationMs: fc.nat(12_000) }),
  fc.record({ kind: fc.constant('cut' as const), a: node, b: node, how }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('break' as const), a: node, b: node }),
  },
  fc.record({ kind: fc.constant('split' as const), left: fc.nat(31), how }),
  { weight: 2, arbitrary: fc.constant({ kind: 'heal' as const }) },
  fc.record({ kind: fc.constant('slow' as const), a: node, b: node, extraMs }),
);
const afterMs = fc.oneof(fc.nat(30), fc.nat(1_000), fc.nat(8_000));
const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  nodes: fc.integer({ min: 2, max: 5 }),
  plan: fc.array(fc.record({ afterMs, fault: fc.oneof(work, fault) }), {
    maxLength: 16,
    size: 'max',
  }),
});

function play({ seed, nodes, plan }: Scenario, flaw?: Flaw): Promise<SimulationReport> {
  return simulateCluster({ seed, nodes, ...(flaw === undefined ? {} : { flaw }) }, plan);
}

describe('a simulated cluster', () => {
  it(
    `agrees on members and registry after every one of ${runs} plans of faults`,
    async () => {
      await fc.assert(
        fc.asyncProperty(scenario, async (each) => {
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
      fc.asyncProperty(scenario, async (each) => {
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

  const flaws: readonly Flaw[] = [
    'keeps-shares-of-the-dead',
    'keeps-its-life',
    'reuses-incarnations',
    'keeps-both-holders',
    'tells-shares-once',
    'loses-changes',
  ];
  it.each(flaws)(
    'is seen to fail when each node %s',
    async (flaw) => {
      const check = fc.asyncProperty(scenario, async (each) => {
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
