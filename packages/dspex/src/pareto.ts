/** How an item stands in a trade of cost against score. */
export interface CostAndScore {
  /** Lower is better. */
  readonly cost: number;
  /** Higher is better. */
  readonly score: number;
}

/**
 * The items that no other beats in both cost and score, from cheapest to dearest, so that each scores more
 * than the one before. Of several with equal cost and score the first is kept.
 */
export function paretoFront<Item>(
  items: readonly Item[],
  standing: (item: Item) => CostAndScore,
): readonly Item[] {
  const sorted = items
    .map((item) => ({ item, ...standing(item) }))
    .toSorted((a, b) => a.cost - b.cost || b.score - a.score);
  let highest = -Infinity;
  const front: Item[] = [];
  for (const { item, score } of sorted) {
    if (score <= highest) continue;
    highest = score;
    front.push(item);
  }
  return front;
}
