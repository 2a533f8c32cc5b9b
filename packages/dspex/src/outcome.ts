import type { Configuration, VariableSpace } from '@foundation/ml';

import type { Measurement } from './target.ts';

/** A candidate that was evaluated. */
export interface Measured<C extends Configuration = Configuration> {
  readonly kind: 'measured';
  /** Which candidate of its run this is, from 0. */
  readonly index: number;
  readonly configuration: C;
  readonly measurement: Measurement;
  /** What the objective made of the measurement. */
  readonly utility: number;
}

/** A candidate whose evaluation failed. It has no score, not even a bad one. */
export interface Failed<C extends Configuration = Configuration> {
  readonly kind: 'failed';
  readonly index: number;
  readonly configuration: C;
  readonly error: { readonly code: string; readonly message: string };
}

/** What became of a candidate, as plain JSON. */
export type Outcome<C extends Configuration = Configuration> = Measured<C> | Failed<C>;

/**
 * Orders outcomes from best to worst: by utility, then lower cost, then the lexicographic order of the space;
 * failed ones last, by index.
 */
export function byRank<C extends Configuration>(
  space: VariableSpace<C>,
): (a: Outcome<C>, b: Outcome<C>) => number {
  return (a, b) => {
    if (a.kind === 'failed' || b.kind === 'failed') {
      if (a.kind === b.kind) return a.index - b.index;
      return a.kind === 'failed' ? 1 : -1;
    }
    return (
      b.utility - a.utility ||
      a.measurement.cost - b.measurement.cost ||
      space.compare(a.configuration, b.configuration)
    );
  };
}

/** The best measured outcome in the order of {@link byRank}. */
export function bestOf<C extends Configuration>(
  space: VariableSpace<C>,
  outcomes: readonly Outcome<C>[],
): Measured<C> | undefined {
  const [best] = outcomes.toSorted(byRank(space));
  return best?.kind === 'measured' ? best : undefined;
}
