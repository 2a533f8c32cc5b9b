/** A question put to several subjects in the same way. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Sleeping CPUs must be woken, which a lowest-priority spinner on each avoids for all alike. */
  readonly spinner: boolean;
  /** Whether a round follows `seconds`; if not, it ends by itself and needs no warm-up. */
  readonly timed: boolean;
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
}
