/** How often a voter decides. */
export interface VotingPower {
  /** Coalitions of the others that lose without it and win with it (Banzhaf 1965). */
  readonly swings: number;
  /** Part of all orders of arrival in which it is the one that brings the quota (Shapley and Shubik 1954). */
  readonly shapleyShubik: number;
}

/** Most voters whose power is computed: coalitions are counted exactly. */
export const powerVotersMax = 40;

/**
 * What weights are worth under a quota. A weight may be worth nothing: of 4, 4, 4, 2, 2 and 1 with a quota of 12 the
 * last never decides (the EEC of 1958).
 *
 * @throws RangeError for more than {@link powerVotersMax} weights, or weights and a quota that are not whole.
 */
export function votingPower(weights: readonly number[], quota: number): readonly VotingPower[] {
  if (weights.length > powerVotersMax || ![...weights, quota].every(Number.isSafeInteger)) {
    throw new RangeError(`expected at most ${powerVotersMax} whole weights and a whole quota`);
  }
  return weights.map((weight, voter) => {
    const others = coalitions(weights.filter((_, index) => index !== voter));
    let swings = 0;
    let share = 0;
    for (const [sum, bySize] of others) {
      if (sum >= quota || sum + weight < quota) continue;
      for (const [size, count] of bySize.entries()) {
        swings += count;
        share += count * orders(size, weights.length);
      }
    }
    return { swings, shapleyShubik: share };
  });
}

/** How many coalitions there are of each weight and size. */
function coalitions(weights: readonly number[]): ReadonlyMap<number, readonly number[]> {
  let counted = new Map([[0, [1]]]);
  for (const weight of weights) {
    const next = new Map([...counted].map(([sum, bySize]) => [sum, [...bySize]]));
    for (const [sum, bySize] of counted) {
      const row = next.get(sum + weight) ?? [];
      for (const [size, count] of bySize.entries()) row[size + 1] = (row[size + 1] ?? 0) + count;
      next.set(
        sum + weight,
        Array.from(row, (count) => count ?? 0),
      );
    }
    counted = next;
  }
  return counted;
}

/** Part of all orders of `voters` in which just these `size` come before one of them: size! (voters-1-size)! / voters!. */
function orders(size: number, voters: number): number {
  let part = 1 / voters;
  for (let index = 1; index <= size; index++) part *= index / (voters - index);
  return part;
}
