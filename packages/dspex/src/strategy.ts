import type { Configuration, VariableSpace } from '@foundation/ml';

import type { Outcome } from './outcome.ts';

/** Everything a strategy may base its choice on. */
export interface RunView<C extends Configuration = Configuration> {
  readonly space: VariableSpace<C>;
  /** Chance comes from streams named by this seed, a purpose and a candidate's index; from nowhere else. */
  readonly seed: string;
  /** What has been told so far, in order of candidate index, without gaps. */
  readonly history: readonly Outcome<C>[];
}

/**
 * Decides what to try next, and runs nothing itself.
 *
 * To *ask* is to call `propose`; to *tell* is to append to the history. A strategy keeps nothing between
 * calls: the same space, seed and history give the same proposals, in any process. So its whole state is
 * the history, which is plain JSON, and a run can be resumed, moved or replayed from that alone.
 */
export interface Strategy {
  readonly name: string;
  /**
   * At most `count` configurations, different from each other and from all in the history.
   * Fewer means that the strategy wants to hear of these first; none that it has nothing left to try.
   */
  propose<C extends Configuration>(run: RunView<C>, count: number): readonly C[];
}
