import type { SolverJob, SolverResult } from '../solver.ts';

/** What the thread of a solver is started with. */
export interface HighsThreadData {
  /** One number: that of the problem to be given up. */
  readonly stop: Int32Array<SharedArrayBuffer>;
  /** Megabytes that HiGHS may use. */
  readonly memoryMaxMb: number;
}

/** A problem, on its way to the thread. */
export interface HighsTask {
  /** Counts from 1. */
  readonly number: number;
  readonly job: SolverJob;
  readonly budgetMs: number;
}

/** What the thread says: the best solution so far, how good one could be, or the last word. */
export type FromHighsThread =
  | { readonly kind: 'better'; readonly number: number; readonly result: SolverResult }
  | { readonly kind: 'bound'; readonly number: number; readonly bound: number }
  | {
      readonly kind: 'done';
      readonly number: number;
      readonly result: SolverResult;
      /** Megabytes that HiGHS has taken, and does not give back. */
      readonly memoryMb: number;
    };
