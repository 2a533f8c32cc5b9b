/** One number at a time. */
export interface Point {
  /** Milliseconds, by the clock of the node. */
  readonly at: number;
  readonly value: number;
}

/** What the numbers of a window are like. */
export interface SeriesStatistics {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly median: number;
  /** Standard deviation of the numbers that there are. */
  readonly deviation: number;
}

/** Numbers of the recent past: the oldest go when there are too many, or they are too old. */
export class Series {
  readonly #pointsMax: number;
  readonly #keptMs: number;
  #points: Point[] = [];

  constructor({ pointsMax, keptMs }: { readonly pointsMax: number; readonly keptMs: number }) {
    this.#pointsMax = pointsMax;
    this.#keptMs = keptMs;
  }

  add(point: Point): void {
    this.#points.push(point);
    // Now and then, so that adding costs the same however many there are.
    if (this.#points.length > 2 * this.#pointsMax) this.#points = [...this.since(-Infinity)];
  }

  /** Those from `at` on, of what is kept. */
  since(at: number): readonly Point[] {
    const newest = this.#points.at(-1)?.at ?? 0;
    const from = Math.max(at, newest - this.#keptMs);
    return this.#points.slice(-this.#pointsMax).filter((point) => point.at >= from);
  }
}

/** Undefined for no numbers. */
export function seriesStatistics(points: readonly Point[]): SeriesStatistics | undefined {
  const values = points.map(({ value }) => value).toSorted((left, right) => left - right);
  const [min, max] = [values[0], values.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const middle = (values[Math.floor((count - 1) / 2)] ?? 0) + (values[Math.floor(count / 2)] ?? 0);
  return { count, mean, min, max, median: middle / 2, deviation: Math.sqrt(variance) };
}

/** Least numbers before one that can be told to be unusual. */
export const anomalyPointsMin = 10;

/**
 * Numbers that are more than `sigmas` standard deviations away from the mean of those before them. A first few are never
 * unusual, as nothing is known yet; of numbers that were all the same any other one is.
 */
export function anomaliesOf(points: readonly Point[], sigmas: number): readonly Point[] {
  const found: Point[] = [];
  // Welford's way, as sums of squares lose what matters (Welford 1962).
  let [count, mean, squares] = [0, 0, 0];
  for (const point of points) {
    const { value } = point;
    const deviation = Math.sqrt(squares / count);
    if (count >= anomalyPointsMin && Math.abs(value - mean) > sigmas * deviation) found.push(point);
    count++;
    const off = value - mean;
    mean += off / count;
    squares += off * (value - mean);
  }
  return found;
}
