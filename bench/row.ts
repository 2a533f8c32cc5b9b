import type { Summary } from './statistics.ts';

/** One line of a bench table. */
export interface Row extends Summary {
  readonly measure: string;
  readonly subject: string;
  readonly unit: string;
  /** Median of the processor time per operation, in µs; null where it says nothing. */
  readonly cpuUsPerOp: number | null;
  /** The value of each round, in their order: rounds with the same index were neighbours. */
  readonly rounds: readonly number[];
  /** Medians of what explains the value, by what it is. */
  readonly besides: Readonly<Record<string, number>>;
}
