import type { Row } from './row.ts';
import { quantile, readable } from './statistics.ts';

/** What foundation has set out to reach in a measure. */
export interface Goal {
  readonly measure: string;
  readonly reading: Reading;
  readonly sign: '≥' | '≤';
  readonly limit: number;
}

/** A number that is read from the rows of one measure. */
export interface Reading {
  /** What is read, where it is not foundation's own. */
  readonly of?: string;
  /** Unit of the number, as `calls/s` or `× beam`. */
  readonly unit: string;
  /** Undefined when a subject is missing. */
  from(rows: readonly Row[]): number | undefined;
}

/** How a goal came out; `--json` prints exactly this. */
export interface Outcome {
  readonly measure: string;
  /** In words, as `≥ 2.50 × beam`. */
  readonly goal: string;
  /** null when a subject was missing. */
  readonly value: number | null;
  readonly limit: number;
  readonly ok: boolean;
}

export function atLeast(measure: string, limit: number, reading: Reading): Goal {
  return { measure, reading, sign: '≥', limit };
}

export function atMost(measure: string, limit: number, reading: Reading): Goal {
  return { measure, reading, sign: '≤', limit };
}

/** Foundation's median. */
export function median(unit: string): Reading {
  return { unit, from: (rows) => rowOf(rows, 'foundation')?.median };
}

/** Foundation's median in multiples of a peer's. */
export function timesThatOf(peer: string): Reading {
  return {
    unit: `× ${peer}`,
    from: (rows) => ratio(rowOf(rows, 'foundation')?.median, rowOf(rows, peer)?.median),
  };
}

/** How many times as many operations foundation does as a peer in the same processor time. */
export function timesThatPerCoreOf(peer: string): Reading {
  return {
    unit: `× ${peer} per core used`,
    from: (rows) => ratio(rowOf(rows, peer)?.cpuUsPerOp, rowOf(rows, 'foundation')?.cpuUsPerOp),
  };
}

/** The processor time that foundation takes for an operation, in multiples of a peer's. */
export function cpuTimesThatOf(peer: string): Reading {
  return {
    unit: `× ${peer} in CPU`,
    from: (rows) => ratio(rowOf(rows, 'foundation')?.cpuUsPerOp, rowOf(rows, peer)?.cpuUsPerOp),
  };
}

/**
 * The median of how a subject compares with another in each round: rounds of the same index were
 * neighbours, so that what changes slowly on a machine falls on both.
 */
export function timesThatInEachRound(of: string, peer: string): Reading {
  return {
    of,
    unit: `× ${peer}`,
    from(rows) {
      const others = rowOf(rows, peer)?.rounds ?? [];
      const ratios = (rowOf(rows, of)?.rounds ?? []).flatMap((value, round) => {
        const found = ratio(value, others[round]);
        return found === undefined ? [] : [found];
      });
      return ratios.length === 0 ? undefined : quantile(ratios, 0.5);
    },
  };
}

/** How goals came out, of those measures that were measured at all. */
export function outcomes(goals: readonly Goal[], rows: readonly Row[]): readonly Outcome[] {
  return goals.flatMap(({ measure, reading, sign, limit }) => {
    const found = rows.filter((row) => row.measure === measure);
    if (found.length === 0) return [];
    const value = reading.from(found) ?? null;
    const isReached = value !== null && (sign === '≥' ? value >= limit : value <= limit);
    const who = reading.of === undefined ? '' : `${reading.of} `;
    const goal = `${who}${sign} ${readable(limit)} ${reading.unit}`;
    return [{ measure, goal, value, limit, ok: isReached }];
  });
}

function rowOf(rows: readonly Row[], subject: string): Row | undefined {
  return rows.find((row) => row.subject === subject);
}

function ratio(of: number | null | undefined, to: number | null | undefined): number | undefined {
  if (typeof of !== 'number' || typeof to !== 'number' || to === 0) return undefined;
  return of / to;
}
