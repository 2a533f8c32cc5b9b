/** What is left of the rounds of one subject. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Summarizes the values of at least one round. */
export function summarize(values: readonly number[]): Summary {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) };
}

/**
 * The value below which the given share of the values lies, interpolated between neighbours.
 *
 * @param share - From 0 (the smallest) to 1 (the largest).
 * @throws RangeError when there are no values or one of them is not a number.
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).toSorted();
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined || Number.isNaN(sorted.at(-1))) {
    throw new RangeError(`no quantile of ${sorted.length} values, or one is not a number`);
  }
  return below + (above - below) * (position - Math.floor(position));
}

/** Three significant digits with k or M, as `812 k`, `2.10 M`, `0.482`. */
export function readable(value: number): string {
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 999.5) return `${(value / 1e3).toPrecision(3)} k`;
  return value.toPrecision(3);
}
