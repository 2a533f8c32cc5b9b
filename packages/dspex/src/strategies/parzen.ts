import type { Random } from '@foundation/core';
import type { Axis } from '@foundation/ml';

import { truncatedNormal } from './normal.ts';

/** A density over a product of axes: one kernel for each observation and a wide one over everything. */
export interface ParzenEstimator {
  /** A point of the axes, one coordinate for each. */
  draw(random: Random): readonly number[];
  logDensity(point: readonly number[]): number;
}

/** One axis of one kernel. */
interface Factor {
  draw(random: Random): number;
  logDensity(at: number): number;
}

/**
 * Fits a density to observations, oldest first: a mixture of products of independent factors, one for
 * each axis, so that what was observed together is drawn together.
 *
 * Source: the multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Falkner et al. 2018)
 * with the kernel widths and weights of Optuna's reference sampler.
 */
export function fitParzen(
  axes: readonly Axis[],
  observations: readonly (readonly number[])[],
): ParzenEstimator {
  const columns = axes.map((axis, index) =>
    factorsOf(
      axis,
      observations.map((point) => point[index] ?? 0),
    ),
  );
  const weights = [...ageWeights(observations.length), 1];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const logWeights = weights.map((weight) => Math.log(weight / total));
  return {
    draw(random) {
      const kernel = pick(weights, random.next() * total);
      return columns.map((factors) => factors[kernel]?.draw(random) ?? 0);
    },
    logDensity(point) {
      const terms = Float64Array.from(logWeights);
      columns.forEach((factors, axis) => {
        const at = point[axis] ?? 0;
        factors.forEach((factor, kernel) => {
          terms[kernel] = (terms[kernel] ?? 0) + factor.logDensity(at);
        });
      });
      return logSumExp(terms);
    },
  };
}

/** The newest 25 observations count fully, older ones from 1/n upwards by age. */
export function ageWeights(count: number): readonly number[] {
  const aging = count - 25;
  return Array.from({ length: count }, (_, index) => {
    if (index >= aging) return 1;
    const share = aging === 1 ? 0 : index / (aging - 1);
    return 1 / count + share * (1 - 1 / count);
  });
}

/** A factor for each observed coordinate, and the prior's at the end. */
function factorsOf(axis: Axis, observed: readonly number[]): readonly Factor[] {
  switch (axis.kind) {
    case 'nominal':
      return nominalFactors(axis.count, observed);
    case 'ordinal': {
      const { count } = axis;
      const shared = new Map<string, Factor>();
      return bellsOf({ low: -0.5, high: count - 0.5 }, observed).map((bell) => {
        const key = `${bell.mean} ${bell.deviation}`;
        const factor = shared.get(key) ?? ordinalFactor(count, bell);
        shared.set(key, factor);
        return factor;
      });
    }
    case 'continuous': {
      const range = { low: axis.min, high: axis.max };
      return bellsOf(range, observed).map((bell) => truncatedNormal(bell, range));
    }
  }
}

/** Each observation favours its own coordinate and leaves the others a share of the prior. */
function nominalFactors(count: number, observed: readonly number[]): readonly Factor[] {
  const leaning = 1 / (observed.length + 1);
  const total = 1 + count * leaning;
  const logs = { own: Math.log((1 + leaning) / total), other: Math.log(leaning / total) };
  const own = (chosen: number): Factor => ({
    draw(random) {
      const at = random.next() * total;
      return at < 1 ? chosen : Math.min(count - 1, Math.floor((at - 1) / leaning));
    },
    logDensity: (at) => (at === chosen ? logs.own : logs.other),
  });
  const uniform: Factor = {
    draw: (random) => random.int(count),
    logDensity: () => -Math.log(count),
  };
  return [...observed.map(own), uniform];
}

/** A bell over whole coordinates, each with the mass of the half step to either side. */
function ordinalFactor(count: number, bell: Bell): Factor {
  const normal = truncatedNormal(bell, { low: -0.5, high: count - 0.5 });
  const known = new Map<number, number>();
  return {
    draw: (random) => Math.min(count - 1, Math.max(0, Math.round(normal.draw(random)))),
    logDensity(at) {
      const value = known.get(at) ?? normal.logMass(at - 0.5, at + 0.5);
      known.set(at, value);
      return value;
    },
  };
}

/** Where a bell curve is highest, and its standard deviation. */
export interface Bell {
  readonly mean: number;
  readonly deviation: number;
}

/** Each bell is as wide as the larger gap to the next mean, within limits; the prior's spans the range. */
export function bellsOf(
  { low, high }: { readonly low: number; readonly high: number },
  observed: readonly number[],
): readonly Bell[] {
  const width = high - low;
  const narrowest = width / Math.min(100, observed.length + 2);
  const means = [...observed, (low + high) / 2];
  const order = [...means.keys()].toSorted((a, b) => (means[a] ?? 0) - (means[b] ?? 0));
  const deviations = means.map(() => width);
  order.forEach((which, place) => {
    const mean = means[which] ?? 0;
    const before = means[order[place - 1] ?? which] ?? mean;
    const after = means[order[place + 1] ?? which] ?? mean;
    const gap = Math.max(mean - before, after - mean);
    if (which < observed.length) deviations[which] = Math.min(width, Math.max(narrowest, gap));
  });
  return means.map((mean, index) => ({ mean, deviation: deviations[index] ?? width }));
}

/** The index at which the running sum of weights passes `at`. */
function pick(weights: readonly number[], at: number): number {
  let sum = 0;
  const index = weights.findIndex((weight) => at < (sum += weight));
  return index < 0 ? weights.length - 1 : index;
}

function logSumExp(values: Float64Array): number {
  const highest = values.reduce((high, value) => Math.max(high, value), -Infinity);
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}
