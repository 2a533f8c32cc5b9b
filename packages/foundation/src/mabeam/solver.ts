/** A linear program some of whose unknowns may have to be whole, as a protocol states it. */
export interface MipModel {
  /** @defaultValue `maximize` */
  readonly sense?: 'maximize' | 'minimize';
  /** One for each unknown. */
  readonly columns: readonly MipColumn[];
  /** One for each condition. */
  readonly rows: readonly MipRow[];
}

/** An unknown. */
export interface MipColumn {
  /** What one unit of it is worth. */
  readonly worth: number;
  /** @defaultValue 0 */
  readonly least?: number;
  /** @defaultValue no bound */
  readonly most?: number;
  /** @defaultValue false */
  readonly isWhole?: boolean;
  /** Half of the square of it that is added to the objective, for convex programs. @defaultValue 0 */
  readonly square?: number;
}

/** `least` ≤ the sum of `terms` ≤ `most`. */
export interface MipRow {
  /** Column by its place, and its factor. */
  readonly terms: readonly (readonly [column: number, factor: number])[];
  /** @defaultValue no bound */
  readonly least?: number;
  /** @defaultValue no bound */
  readonly most?: number;
}

/** A problem for a solver. */
export interface SolverJob {
  readonly model: MipModel;
  /** Longest time, in milliseconds; at most what the session has left, which is the default. */
  readonly budgetMs?: number;
  /** Part of the best value by which an answer may fall short and still be `optimal`. @defaultValue 0 */
  readonly gapMax?: number;
  /** Most branches to look at. @defaultValue no limit */
  readonly nodesMax?: number;
  /** A solution to start from, one value for each column: what is found is at least as good. */
  readonly start?: readonly number[];
}

/**
 * What became of a problem. `limit` with `values`: the best that was found in time; without: none was.
 */
export interface SolverResult {
  readonly status: 'optimal' | 'infeasible' | 'unbounded' | 'limit' | 'failed';
  /** One for each column; of whole columns exactly whole. */
  readonly values?: readonly number[];
  /** What one more unit of a row's bound would add to the objective, for each row of a program without whole columns. */
  readonly prices?: readonly number[];
  readonly objective?: number;
  /** What no solution can exceed (fall below, when minimizing). */
  readonly bound?: number;
  /** Name and version, as another version may choose another of several optima. */
  readonly solver: string;
  /** Why it failed. */
  readonly detail?: string;
}

/** Solves problems outside of the event loop. */
export interface Solver {
  /** Never rejects; `signal` ends the work early. */
  solve(
    job: SolverJob,
    options: { readonly budgetMs: number; readonly signal: AbortSignal },
  ): Promise<SolverResult>;
}

/** Solves nothing: for a coordination that was given no solver. */
export const noSolver: Solver = {
  solve: () =>
    Promise.resolve({ status: 'failed', solver: 'none', detail: 'no solver is installed here' }),
};
