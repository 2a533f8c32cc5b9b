import { seededRandom } from '@foundation/core';
import {
  checkVersions,
  exercise,
  FlawedStore,
  recorded,
  storeFlaws,
  type StoreFlaw,
  type StoreOperation,
} from '@foundation/testing/history';
import {
  clusterScenario,
  detectorFlaws,
  detectorScenario,
  flaws,
  leaseFlaws,
  leaseScenario,
  simulateCluster,
  simulateLease,
  tryDetectors,
} from '@foundation/testing/simulation';
import fc from 'fast-check';

/** Bugs of one kind, and the check that has to find them. */
export interface PlantedKind<Flaw extends string = string> {
  readonly what: string;
  readonly flaws: readonly Flaw[];
  /**
   * Whether the check finds something, in so many tries at most, with a bug or with none. It stops at the first.
   */
  finds(flaw: Flaw | undefined, tries: number, seed: string): Promise<boolean>;
}

const cluster: PlantedKind<(typeof flaws)[number]> = {
  what: 'a cluster that',
  flaws,
  finds: (flaw, tries, seed) =>
    findsIn(
      clusterScenario,
      ({ plan, ...rest }) => simulateCluster({ ...rest, ...by(flaw) }, plan),
      [tries, seed],
    ),
};

const lease: PlantedKind<(typeof leaseFlaws)[number]> = {
  what: 'a lease with',
  flaws: leaseFlaws,
  finds: (flaw, tries, seed) =>
    findsIn(leaseScenario, ({ plan, ...rest }) => simulateLease({ ...rest, ...by(flaw) }, plan), [
      tries,
      seed,
    ]),
};

const detector: PlantedKind<(typeof detectorFlaws)[number]> = {
  what: 'a failure detector that',
  flaws: detectorFlaws,
  finds: (flaw, tries, seed) =>
    findsIn(detectorScenario, (each) => tryDetectors({ ...each, ...by(flaw) }), [tries, seed]),
};

const store: PlantedKind<StoreFlaw> = {
  what: 'a store that',
  flaws: storeFlaws,
  async finds(flaw, tries, seed) {
    for (let index = 0; index < tries; index++) {
      if (checkVersions(await historyOf(flaw, `${seed}/${index}`)).length > 0) return true;
    }
    return false;
  },
};

export const plantedKinds: readonly PlantedKind[] = [
  cluster,
  lease,
  detector,
  store,
] as readonly PlantedKind[];

function by<Flaw>(flaw: Flaw | undefined): { readonly flaw?: Flaw } {
  return flaw === undefined ? {} : { flaw };
}

async function findsIn<Scenario>(
  scenarios: fc.Arbitrary<Scenario>,
  play: (scenario: Scenario) => Promise<{ readonly problems: readonly string[] }>,
  [tries, seed]: readonly [number, string],
): Promise<boolean> {
  const isWell = fc.asyncProperty(
    scenarios,
    async (each) => (await play(each)).problems.length === 0,
  );
  const numeric = seededRandom(seed).int(2 ** 31);
  const { failed } = await fc.check(isWell, { numRuns: tries, seed: numeric, endOnFailure: true });
  return failed;
}

/** What six clients did to a store. */
async function historyOf(
  flaw: StoreFlaw | undefined,
  seed: string,
): Promise<readonly StoreOperation[]> {
  const flawed = new FlawedStore({ random: seededRandom(`${seed}/store`), ...by(flaw) });
  const history: StoreOperation[] = [];
  let moment = 0;
  const clients = Array.from({ length: 6 }, (_, index) => `c${index}`);
  const working = clients.map((client) =>
    exercise(recorded(flawed, { client, history, now: () => moment++ }), {
      client,
      operations: 150,
      keys: ['a', 'b', 'c'],
      random: seededRandom(`${seed}/${client}`),
    }),
  );
  await Promise.all(working);
  return history;
}
