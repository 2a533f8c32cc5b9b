import type { CostMatrix, Pairing } from './hungarian.ts';

/**
 * A cheapest assignment by the auction algorithm (Bertsekas 1979) with ε-scaling: rows bid for columns, each as much as
 * its best column is better than its second best, and ε more. With whole costs and an ε below one part in as many as
 * there are columns it is exact.
 *
 * Rows that are made up, which cost nothing, fill the matrix to a square.
 *
 * @returns undefined when numbers would be too large to be exact
 */
export function auctionedPairing(matrix: CostMatrix): Pairing | undefined {
  const { rows, columns, costs } = matrix;
  const scale = columns + 1;
  let most = 0;
  for (const cost of costs) most = Math.max(most, cost);
  if (most * scale * scale * 4 > Number.MAX_SAFE_INTEGER) return undefined;
  const prices = new Float64Array(columns);
  let columnOf = new Int32Array(columns);
  for (let epsilon = Math.max(1, Math.floor((most * scale) / 4)); ;) {
    columnOf = auction(matrix, { scale, epsilon, prices });
    if (epsilon === 1) break;
    epsilon = Math.max(1, Math.floor(epsilon / 5));
  }
  const real = columnOf.subarray(0, rows);
  const proof = provingPrices(matrix, real);
  return proof && { columnOf: real, ...proof };
}

/** One auction: everybody bids until all have a column. Prices stay for the next one, with a smaller ε. */
function auction(
  { rows, columns, costs }: CostMatrix,
  how: { readonly scale: number; readonly epsilon: number; readonly prices: Float64Array },
): Int32Array<ArrayBuffer> {
  const { scale, epsilon, prices } = how;
  const columnOf = new Int32Array(columns).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const waiting = Array.from({ length: columns }, (_, row) => columns - 1 - row);
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    let best = Infinity;
    let second = Infinity;
    let chosen = 0;
    for (let column = 0; column < columns; column++) {
      const cost = row < rows ? (costs[row * columns + column] ?? 0) * scale : 0;
      const total = cost + (prices[column] ?? 0);
      if (total < best) {
        second = best;
        best = total;
        chosen = column;
      } else if (total < second) second = total;
    }
    const raise = second === Infinity ? epsilon : second - best + epsilon;
    prices[chosen] = (prices[chosen] ?? 0) + raise;
    const before = rowOf[chosen] ?? -1;
    if (before >= 0) {
      columnOf[before] = -1;
      waiting.push(before);
    }
    rowOf[chosen] = row;
    columnOf[row] = chosen;
  }
  return columnOf;
}

/**
 * Prices that prove that a pairing is a cheapest one: the highest at most 0 at which no row would rather have another
 * column, by the algorithm of Bellman and Ford.
 *
 * @returns undefined when there are none, as the pairing is none of the cheapest
 */
function provingPrices(
  { rows, columns, costs }: CostMatrix,
  columnOf: Int32Array,
): Pick<Pairing, 'rowPrices' | 'columnPrices'> | undefined {
  const columnPrices = new Float64Array(columns);
  const rowPrices = new Float64Array(rows);
  for (let round = 0, isMoving = true; isMoving; round++) {
    if (round > columns) return undefined;
    isMoving = false;
    for (let row = 0; row < rows; row++) {
      const own = columnOf[row] ?? 0;
      const price = (costs[row * columns + own] ?? 0) - (columnPrices[own] ?? 0);
      rowPrices[row] = price;
      for (let column = 0; column < columns; column++) {
        const most = (costs[row * columns + column] ?? 0) - price;
        if (most >= (columnPrices[column] ?? 0)) continue;
        columnPrices[column] = most;
        isMoving = true;
      }
    }
  }
  return { rowPrices, columnPrices };
}
