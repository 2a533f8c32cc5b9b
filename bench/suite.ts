import type { Goal } from './goal.ts';

/** A question put to several subjects in the same way. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Sleeping CPUs must be woken, which a lowest-priority spinner on each avoids for all alike. */
  readonly spinner: boolean;
  /** Whether a round follows `seconds`; if not, it ends by itself and needs no warm-up. */
  readonly timed: boolean;
  /**
   * Shorter rounds that each round is cut into, in a process begun anew for each: small differences need many
   * comparisons, and what V8 makes of a program differs from one process to the next. @defaultValue 1
   */
  readonly slices?: number;
  /** Whether one round is enough: it is long, and the next one would say the same. @defaultValue false */
  readonly once?: boolean;
  /** Options of Node that the subjects need. */
  readonly nodeFlags?: readonly string[];
}

/** A system that is measured: a program in `subjects/` that speaks the protocol of `subject.ts`. */
export interface Subject {
  readonly name: string;
  readonly file: string;
  /** What must be installed first, by its name in `peers.json`. */
  readonly needs?: { readonly npm?: string; readonly debian?: string };
  /** Names of the measures it can answer. */
  readonly measures: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly measures: readonly Measure[];
  readonly subjects: readonly Subject[];
  /** What foundation has set out to reach. */
  readonly goals: readonly Goal[];
}
