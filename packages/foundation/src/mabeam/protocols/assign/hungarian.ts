/** Costs of pairs, row by row; whole numbers, so that everything stays exact. No more rows than columns. */
export interface CostMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly costs: Float64Array;
}

/** A column for each row, and prices that prove that it is a cheapest one. */
export interface Pairing {
  readonly columnOf: Int32Array;
  /**
   * `rowPrices[i] + columnPrices[j]` is at most the cost of i and j, and column prices are at most 0: so all prices
   * together are at most what any assignment costs.
   */
  readonly rowPrices: Float64Array;
  readonly columnPrices: Float64Array;
}

/**
 * A cheapest assignment of a column to each row: the Hungarian method (Kuhn 1955, Munkres 1957) by shortest augmenting
 * paths (Jonker and Volgenant 1987, Crouse 2016). Cubic time.
 */
export function cheapestPairing(matrix: CostMatrix): Pairing {
  const { rows, columns, costs } = matrix;
  const search: Search = {
    columnOf: new Int32Array(rows).fill(-1),
    rowOf: new Int32Array(columns).fill(-1),
    rowPrices: new Float64Array(rows),
    columnPrices: new Float64Array(columns),
    distances: new Float64Array(columns),
    cameFrom: new Int32Array(columns),
    left: new Int32Array(columns),
    done: new Int32Array(columns),
  };
  const { columnOf, rowOf, rowPrices, columnPrices } = search;
  // Most rows find their cheapest column free: it is left to the others to search.
  for (let row = 0; row < rows; row++) {
    let cheapest = 0;
    for (let column = 1; column < columns; column++) {
      const isLess = (costs[row * columns + column] ?? 0) < (costs[row * columns + cheapest] ?? 0);
      if (isLess) cheapest = column;
    }
    rowPrices[row] = costs[row * columns + cheapest] ?? 0;
    if ((rowOf[cheapest] ?? 0) >= 0) continue;
    columnOf[row] = cheapest;
    rowOf[cheapest] = row;
  }
  for (let row = 0; row < rows; row++) if ((columnOf[row] ?? 0) < 0) augment(matrix, row, search);
  return { columnOf, rowPrices, columnPrices };
}

interface Search extends Pairing {
  readonly rowOf: Int32Array;
  /** Of the path to each column. */
  readonly distances: Float64Array;
  /** The row before each column on its path. */
  readonly cameFrom: Int32Array;
  /** Columns that no shortest path is known to. */
  readonly left: Int32Array;
  /** Those that one is known to, in that order. */
  readonly done: Int32Array;
}

/** Finds a shortest path from a row to a free column, by Dijkstra's algorithm, and moves all rows on it along. */
function augment({ columns, costs }: CostMatrix, start: number, search: Search): void {
  const { columnOf, rowOf, rowPrices, columnPrices, distances, cameFrom, left, done } = search;
  for (let column = 0; column < columns; column++) left[column] = column;
  distances.fill(Infinity);
  let leftCount = columns;
  let doneCount = 0;
  let shortest = 0;
  let sink = -1;
  for (let row = start; sink < 0;) {
    const base = shortest - (rowPrices[row] ?? 0);
    const offset = row * columns;
    let nearest = Infinity;
    let at = -1;
    for (let index = 0; index < leftCount; index++) {
      const column = left[index] ?? 0;
      const distance = base + (costs[offset + column] ?? 0) - (columnPrices[column] ?? 0);
      let known = distances[column] ?? 0;
      if (distance < known) {
        distances[column] = known = distance;
        cameFrom[column] = row;
      }
      // Among equals a free column ends the search.
      if (known < nearest || (known === nearest && (rowOf[column] ?? 0) < 0)) {
        nearest = known;
        at = index;
      }
    }
    const column = left[at] ?? 0;
    shortest = nearest;
    left[at] = left[--leftCount] ?? 0;
    row = rowOf[column] ?? -1;
    if (row < 0) sink = column;
    else done[doneCount++] = column;
  }
  rowPrices[start] = (rowPrices[start] ?? 0) + shortest;
  for (let index = 0; index < doneCount; index++) {
    const column = done[index] ?? 0;
    const row = rowOf[column] ?? 0;
    const saved = shortest - (distances[column] ?? 0);
    rowPrices[row] = (rowPrices[row] ?? 0) + saved;
    columnPrices[column] = (columnPrices[column] ?? 0) - saved;
  }
  for (let column = sink; ;) {
    const row = cameFrom[column] ?? 0;
    const before = columnOf[row] ?? -1;
    columnOf[row] = column;
    rowOf[column] = row;
    if (row === start) return;
    column = before;
  }
}
