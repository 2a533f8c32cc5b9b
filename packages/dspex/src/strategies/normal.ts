import type { Random } from '@foundation/core';

/** A bell curve cut off at the ends of a range, and measured within it. */
export interface TruncatedNormal {
  draw(random: Random): number;
  /** Natural logarithm of the probability of lying between two points of the range. */
  logMass(from: number, to: number): number;
  /** Natural logarithm of the density at a point of the range. */
  logDensity(at: number): number;
}

/** `mean` lies within `[low, high]` and `deviation` is at most its width, so that few draws are thrown away. */
export function truncatedNormal(
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
  { low, high }: { readonly low: number; readonly high: number },
): TruncatedNormal {
  const unit = (at: number): number => (at - mean) / deviation;
  const logTotal = Math.log(mass(unit(low), unit(high)));
  const logScale = Math.log(deviation * Math.sqrt(2 * Math.PI)) + logTotal;
  return {
    draw(random) {
      for (;;) {
        const at = mean + deviation * standardNormal(random);
        if (at >= low && at <= high) return at;
      }
    },
    logMass: (from, to) => Math.log(mass(unit(from), unit(to))) - logTotal,
    logDensity: (at) => -(unit(at) ** 2) / 2 - logScale,
  };
}

/** Source: Box and Muller 1958. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Probability of a standard normal value between two points, exact to seven digits also in the tails; never 0. */
function mass(from: number, to: number): number {
  if (from + to < 0) return mass(-to, -from);
  return Math.max(Number.MIN_VALUE, upperTail(from) - upperTail(to));
}

/** Probability of a standard normal value above `at`. Source: Chebyshev fit of erfc, Press et al. 1992, section 6.2. */
function upperTail(at: number): number {
  const z = Math.abs(at) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const exponent = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(exponent - z * z)) / 2;
  return at >= 0 ? tail : 1 - tail;
}

const coefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];
