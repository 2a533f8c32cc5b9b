import type { Configuration, VariableSpace } from '@foundation/ml';

/** What one evaluation found. */
export interface Measurement {
  /** Named qualities, such as `{ accuracy: 0.91 }`. */
  readonly scores: Readonly<Record<string, number>>;
  /** What it cost, in the target's own unit; lower is better. */
  readonly cost: number;
}

/** What is sought. */
export interface Objective {
  /** The score that the Pareto front sets against cost; higher is better. */
  readonly score: string;
  /** The one number to make as high as possible. Pure. */
  utility(measurement: Measurement): number;
}

/** Which evaluation this is. */
export interface EvaluationContext {
  /** Which candidate this is, from 0; the same in a resumed run. */
  readonly index: number;
  /** Aborts when the run is stopped; a target honours it promptly. */
  readonly signal: AbortSignal;
}

/**
 * The one thing an optimizer knows of what it tunes, be it a program, a team of agents or a cluster setting.
 *
 * A target's measurement depends on the configuration alone: not on the index, the time, or what else
 * is being evaluated. An evaluation that cannot be completed rejects; it never reports a score of 0 instead.
 */
export interface OptimizationTarget<C extends Configuration = Configuration> {
  readonly id: string;
  readonly space: VariableSpace<C>;
  readonly objective: Objective;
  evaluate(configuration: C, context: EvaluationContext): Promise<Measurement>;
}

/**
 * An objective that pays for quality: the named score minus `costWeight` for each unit of cost, rounded to
 * 12 decimals so that what is equal on paper ties.
 *
 * @example
 * ```ts
 * import { scoreMinusCost } from '@foundation/dspex';
 * scoreMinusCost('accuracy', 0.01).utility({ scores: { accuracy: 0.9 }, cost: 2 }); // => 0.88
 * ```
 */
export function scoreMinusCost(score: string, costWeight: number): Objective {
  return {
    score,
    utility: ({ scores, cost }) =>
      Number(((scores[score] ?? Number.NaN) - costWeight * cost).toFixed(12)) + 0,
  };
}
