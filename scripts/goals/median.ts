/** The middle one of an odd number of figures, the lower of the two of an even number. */
export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.ceil(figures.length / 2) - 1] ?? Number.NaN;
}
