import {
  decodeSwim,
  detectorProfiles,
  encodeSwim,
  type Life,
  type Rumour,
} from '@foundation/core/internal';
import fc from 'fast-check';

import { SimulatedDetectors, type SimulatedDetectorsOptions } from './simulated-detectors.ts';

/**
 * A bug to plant into every failure detector, to see that the checks find it.
 *
 * - `never-refutes`: nobody hears that it is suspected
 * - `does-not-wait`: a suspect has no time to refute
 * - `asks-nobody`: a node that does not answer is not probed through others
 * - `keeps-verdicts`: nobody tells the others whom it suspects, and who is dead
 */
export type DetectorFlaw = (typeof detectorFlaws)[number];

export const detectorFlaws = [
  'never-refutes',
  'does-not-wait',
  'asks-nobody',
  'keeps-verdicts',
] as const;

/** What ten detectors go through. */
export type DetectorTrial = 'loss' | 'pair-cut' | 'power-off';

export interface DetectorScenario {
  readonly seed: number;
  readonly trial: DetectorTrial;
  readonly flaw?: DetectorFlaw;
}

export interface DetectorReport {
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** Of all that has happened. */
  readonly digest: string;
}

export const detectorScenario: fc.Arbitrary<DetectorScenario> = fc.record({
  seed: fc.nat(),
  trial: fc.constantFrom('loss', 'pair-cut', 'power-off'),
});

const { lan } = detectorProfiles;
/** Virtual milliseconds until all know all others, and have looked around. */
const formMs = 3_000;
/** Within which all have to know of a death, in the profile `lan`. */
const knownMs = 8_000;

/** Puts ten detectors through a trial, and says what they have found that they should not, or have not. */
export async function tryDetectors({
  seed,
  trial,
  flaw,
}: DetectorScenario): Promise<DetectorReport> {
  const detectors = new SimulatedDetectors({ seed, nodes: 10, settings: lan, ...planted(flaw) });
  await detectors.simulation.advance(formMs);
  const problems = await trials[trial](detectors);
  return { problems, digest: detectors.simulation.digest() };
}

const trials: Record<DetectorTrial, (detectors: SimulatedDetectors) => Promise<readonly string[]>> =
  {
    async loss(detectors) {
      detectors.lose(0.3);
      await detectors.simulation.advance(25_000);
      return detectors.deaths().map(({ by, about }) => `${by} gives up ${about}`);
    },

    async 'pair-cut'({ network, simulation, findings }) {
      network.cut('n0', 'n1', 'silent');
      await simulation.advance(20_000);
      return findings.map(({ by, kind, about }) => `${by}: ${kind} ${about}`);
    },

    async 'power-off'(detectors) {
      const { network, simulation, hosts } = detectors;
      const [victim, ...others] = hosts;
      if (victim !== undefined) network.crash(victim, 'power-off');
      await simulation.advance(knownMs);
      const knowing = new Set(detectors.deaths().map(({ by }) => by));
      const unknowing = others.filter(({ node }) => !knowing.has(node));
      return unknowing.map(({ node }) => `${node} does not know of the death`);
    },
  };

function planted(flaw: DetectorFlaw | undefined): Partial<SimulatedDetectorsOptions> {
  switch (flaw) {
    case undefined:
      return {};
    case 'never-refutes':
      return hearing(({ about }, receiver) => about.node !== receiver.node);
    case 'keeps-verdicts':
      return hearing(({ kind }) => kind === 'alive');
    case 'does-not-wait':
      return { settings: { ...lan, suspicionMs: 1 } };
    case 'asks-nobody':
      return { settings: { ...lan, helpers: 0 } };
  }
}

/** Some rumours are lost. */
function hearing(
  isHeard: (rumour: Rumour, receiver: Life) => boolean,
): Partial<SimulatedDetectorsOptions> {
  return {
    tamper: (bytes, receiver) => {
      const message = decodeSwim(bytes);
      if (message === undefined) return bytes;
      const rumours = message.rumours.filter((rumour) => isHeard(rumour, receiver));
      return encodeSwim({ ...message, rumours });
    },
  };
}
