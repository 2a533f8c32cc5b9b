import { detectorProfiles } from '@foundation/core/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { detectorFlaws, detectorScenario, tryDetectors } from './detector-trial.ts';
import {
  SimulatedDetectors,
  type Finding,
  type SimulatedDetectorsOptions,
} from './simulated-detectors.ts';

/** More by `SIMULATIONS=5000 npm test -- simulated-detectors`; another beginning by `SIMULATION_SEED`. */
const runs = Number(process.env['SIMULATIONS'] ?? 150);
const beginning = Number(process.env['SIMULATION_SEED'] ?? 1);
const longMs = 60_000 + runs * 400;

const { lan, fast } = detectorProfiles;
/** Virtual milliseconds until all know all others, and have looked around. */
const formMs = 3_000;

/** Detectors that have seen each other. */
async function formed(
  options: Partial<SimulatedDetectorsOptions> & { seed: number },
): Promise<SimulatedDetectors> {
  const detectors = new SimulatedDetectors({ nodes: 10, settings: lan, ...options });
  await detectors.simulation.advance(formMs);
  return detectors;
}

/** Freezes two nodes for 3 s in every 3.5 s. */
async function freezeTwo({ hosts, simulation }: SimulatedDetectors, forMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += 3_500) {
    for (const host of hosts.slice(1, 3)) host.freeze(3_000);
    await simulation.advance(3_500);
  }
}

/** Nothing passes between two nodes; all others reach both. */
function cutPair({ network }: SimulatedDetectors, a: string, b: string): void {
  network.cut(a, b, 'silent');
}

function cutOff({ network, hosts }: SimulatedDetectors, node: string, way: 'in' | 'out'): void {
  for (const other of hosts) {
    if (other.node === node) continue;
    if (way === 'in') network.cutOneWay(other.node, node);
    else network.cutOneWay(node, other.node);
  }
}

/** Deaths that are told by a node that is not cut off, of one that lives and is not cut off either. */
function falseVerdicts(
  detectors: SimulatedDetectors,
  lost: readonly string[] = [],
): readonly Finding[] {
  return detectors.deaths().filter(({ by, about }) => !lost.includes(by) && !lost.includes(about));
}

/** Milliseconds until every survivor has found a node dead; Infinity when one has not. */
function knownAfterMs(detectors: SimulatedDetectors, node: string, sinceMs: number): number {
  const survivors = detectors.hosts.filter(({ isAlive }) => isAlive).map((host) => host.node);
  const times = survivors.map((by) => {
    const found = detectors.deaths().find((death) => death.by === by && death.about === node);
    return found === undefined ? Infinity : found.atMs - sinceMs;
  });
  return Math.max(...times);
}

describe('ten detectors', () => {
  const seeds = Array.from({ length: Math.ceil(runs / 10) }, (_, index) => beginning + index);

  it.each([
    ['10 % of datagrams are lost', lan, (each: SimulatedDetectors) => lossy(each, 0.1)],
    ['30 % are lost', lan, (each: SimulatedDetectors) => lossy(each, 0.3)],
    ['10 % are lost and they are in a hurry', fast, (each: SimulatedDetectors) => lossy(each, 0.1)],
    [
      'two are frozen 3 s in every 3.5 s',
      lan,
      (each: SimulatedDetectors) => freezeTwo(each, 25_000),
    ],
  ])(
    'find nobody dead who lives while %s',
    async (_, settings, suffer) => {
      for (const seed of seeds) {
        const detectors = await formed({ seed, settings });
        await suffer(detectors);
        expect(detectors.deaths(), `seed ${seed}`).toEqual([]);
      }
    },
    longMs,
  );

  it.each([
    ['in 3 s, in a hurry', fast, 3_000],
    ['in 8 s', lan, 8_000],
  ])('all know %s that a machine went dark', async (_, settings, limitMs) => {
    for (const seed of seeds) {
      const detectors = await formed({ seed, settings });
      const { simulation, network, hosts } = detectors;
      const [victim] = hosts;
      const sinceMs = simulation.nowMs;
      if (victim !== undefined) network.crash(victim, 'power-off');
      await simulation.advance(limitMs);
      expect(knownAfterMs(detectors, 'n0', sinceMs), `seed ${seed}`).toBeLessThanOrEqual(limitMs);
      expect(falseVerdicts(detectors, ['n0'])).toEqual([]);
    }
  });

  it.each(['in', 'out'] as const)(
    'lose the one that nothing comes %s of, and only that one',
    async (way) => {
      for (const seed of seeds) {
        const detectors = await formed({ seed });
        cutOff(detectors, 'n0', way);
        await detectors.simulation.advance(20_000);
        expect(falseVerdicts(detectors, ['n0']), `seed ${seed}`).toEqual([]);
        const lost = new Set(
          detectors
            .deaths()
            .filter(({ about }) => about === 'n0')
            .map(({ by }) => by),
        );
        expect(lost.size, `seed ${seed}`).toBe(9);
      }
    },
  );

  it('lose nobody where datagrams do not pass, as they probe over their links', async () => {
    for (const seed of seeds) {
      const detectors = await formed({ seed });
      detectors.network.blockDatagrams();
      await detectors.simulation.advance(30_000);
      expect(detectors.findings, `seed ${seed}`).toEqual([]);
    }
  });

  it('suspect nobody because two of them do not reach each other', async () => {
    for (const seed of seeds) {
      const detectors = await formed({ seed });
      cutPair(detectors, 'n0', 'n1');
      await detectors.simulation.advance(20_000);
      expect(detectors.findings, `seed ${seed}`).toEqual([]);
    }
  });

  it('are each given up by one that is alone, which is given up by all', async () => {
    for (const seed of seeds) {
      const detectors = await formed({ seed });
      for (const { node } of detectors.hosts.slice(1)) cutPair(detectors, 'n0', node);
      await detectors.simulation.advance(12_000);
      const own = detectors.deaths().filter(({ by }) => by === 'n0');
      const others = detectors.deaths().filter(({ about }) => about === 'n0');
      expect([own.length, others.length], `seed ${seed}`).toEqual([9, 9]);
    }
  });
});

function lossy(detectors: SimulatedDetectors, share: number): Promise<void> {
  detectors.lose(share);
  return detectors.simulation.advance(25_000);
}

describe('any number of detectors', () => {
  it('send as much each, however many they are', async () => {
    const perPeriod = async (nodes: number): Promise<number> => {
      const detectors = await formed({ seed: beginning, nodes });
      detectors.sent.clear();
      const periods = 40;
      await detectors.simulation.advance(periods * lan.periodMs);
      return Math.max(...detectors.sent.values()) / periods;
    };
    const [few, many] = [await perPeriod(5), await perPeriod(50)];
    expect(few).toBeLessThan(3);
    expect(many).toBeLessThan(3);
  });

  it('send a bounded number also while much is lost', async () => {
    const detectors = await formed({ seed: beginning, nodes: 30 });
    detectors.lose(0.3);
    detectors.sent.clear();
    await detectors.simulation.advance(10_000);
    // A ping, its help, answers to as many, and news to three nodes each half of an answer's time.
    const newsMax = (3 * lan.periodMs) / (lan.answerMs / 2);
    for (const sent of detectors.sent.values()) {
      expect(sent / (10_000 / lan.periodMs)).toBeLessThan(newsMax + 4 * (2 + lan.helpers));
    }
  });

  interface Scenario {
    readonly seed: number;
    readonly nodes: number;
    readonly share: number;
    readonly frozen: readonly {
      readonly node: number;
      readonly forMs: number;
      readonly atMs: number;
    }[];
    readonly pair: boolean;
    readonly slowMs: number;
    readonly killed: readonly { readonly node: number; readonly atMs: number }[];
  }
  const atMs = fc.nat(15_000);
  const scenario: fc.Arbitrary<Scenario> = fc.record({
    seed: fc.nat(),
    nodes: fc.integer({ min: 4, max: 14 }),
    share: fc.constantFrom(0, 0, 0.05, 0.1),
    // Each at most once: two pauses in a row are a longer one.
    frozen: fc.uniqueArray(
      fc.record({ node: fc.nat(3), forMs: fc.integer({ min: 50, max: 3_000 }), atMs }),
      { maxLength: 3, selector: ({ node }) => node },
    ),
    pair: fc.boolean(),
    slowMs: fc.constantFrom(0, 0, 20, 60),
    // Somebody must be left between the two that do not reach each other.
    killed: fc.array(fc.record({ node: fc.constantFrom(0, 4, 5, 6), atMs }), { maxLength: 2 }),
  });

  async function play(
    each: Scenario,
  ): Promise<{ detectors: SimulatedDetectors; dead: ReadonlySet<string> }> {
    const { seed, nodes, share, frozen, pair, slowMs, killed } = each;
    const detectors = await formed({ seed, nodes });
    const { simulation, network, hosts } = detectors;
    detectors.lose(share);
    if (pair) cutPair(detectors, 'n2', 'n3');
    for (const { node } of hosts) if (node !== 'n1') network.slowDown('n1', node, slowMs);
    for (const { node, forMs, atMs: momentMs } of frozen) {
      simulation.schedule(momentMs, () => hosts[node % nodes]?.freeze(forMs));
    }
    for (const { node, atMs: momentMs } of killed) {
      const host = hosts[node];
      simulation.schedule(momentMs, () => {
        if (host !== undefined) network.crash(host, 'power-off');
      });
    }
    await simulation.advance(45_000);
    const dead = new Set(hosts.filter(({ isAlive }) => !isAlive).map((host) => host.node));
    return { detectors, dead };
  }

  it(
    `agree who is dead, and are right, after every one of ${runs} mixtures of faults`,
    async () => {
      await fc.assert(
        fc.asyncProperty(scenario, async (each) => {
          const { detectors, dead } = await play(each);
          const survivors = detectors.hosts.filter(({ isAlive }) => isAlive);
          for (const { node } of survivors) {
            const found = detectors
              .deaths()
              .filter(({ by }) => by === node)
              .map(({ about }) => about);
            expect(found.toSorted(), node).toEqual([...dead].toSorted());
          }
        }),
        { numRuns: runs, seed: beginning },
      );
    },
    longMs,
  );

  it('do exactly the same again from the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (each) => {
        const [first, second] = [await play(each), await play(each)];
        expect(second.detectors.simulation.digest()).toBe(first.detectors.simulation.digest());
        expect(second.detectors.findings).toEqual(first.detectors.findings);
      }),
      { numRuns: 5, seed: beginning },
    );
  });
});

describe('detectors with a bug', () => {
  it.each(detectorFlaws)('are seen to fail: one that %s', async (flaw) => {
    const isWell = fc.asyncProperty(detectorScenario, async (each) => {
      const { problems } = await tryDetectors({ ...each, flaw });
      return problems.length === 0;
    });
    const { failed } = await fc.check(isWell, { seed: beginning, endOnFailure: true });
    expect(failed).toBe(true);
  });

  it('are seen to fail without doubt in themselves: a slow one accuses the others again and again', async () => {
    const accusations = async (healthMax: number): Promise<number> => {
      const detectors = await formed({ seed: beginning, settings: { ...lan, healthMax } });
      for (const { node } of detectors.hosts.slice(1)) detectors.network.slowDown('n0', node, 400);
      await detectors.simulation.advance(30_000);
      return detectors.findings.filter(({ by, kind }) => by === 'n0' && kind === 'suspect').length;
    };
    expect(await accusations(lan.healthMax)).toBeLessThan(5);
    expect(await accusations(0)).toBeGreaterThan(20);
  });
});
