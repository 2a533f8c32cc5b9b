import { defineProcess } from '@foundation/core';

import type { Score, Team } from './vote.ts';

/** One evaluation that is done. */
export interface Entry {
  /** Unique for each evaluation of a run, however often it is tried. */
  readonly id: string;
  readonly team: Team;
  readonly score: Score;
  /** Which evaluator did it. */
  readonly by: string;
}

interface LedgerState {
  /** How often an evaluation was counted. */
  count: number;
  /** How often one came that was counted already: its worker had died after telling. */
  repeated: number;
  /** What was counted, by its id. */
  readonly counted: Set<string>;
  best: Entry | undefined;
}

/**
 * Counts every evaluation once and holds the best team so far. One in the whole cluster; its state is
 * stored before it answers, so that it carries on elsewhere when its node is killed.
 */
export const ledger = defineProcess('ledger', {
  durable: true,
  init: (): LedgerState => ({ count: 0, repeated: 0, counted: new Set(), best: undefined }),
  calls: {
    /** Idempotent: an evaluation that is told twice counts once. */
    record({ state }, entry: Entry) {
      if (state.counted.has(entry.id)) {
        state.repeated++;
        return state.count;
      }
      state.counted.add(entry.id);
      state.count++;
      const isSearch = entry.id.startsWith('search/');
      if (isSearch && entry.score.objective > (state.best?.score.objective ?? -Infinity)) {
        state.best = entry;
      }
      return state.count;
    },
    count: ({ state }) => state.count,
    summary: ({ state }) => ({
      count: state.count,
      repeated: state.repeated,
      ids: [...state.counted],
      best: state.best,
    }),
  },
});
