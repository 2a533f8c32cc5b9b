/** A variable and how many values it has. */
export interface Axis {
  readonly name: string;
  readonly size: number;
}

/** Costs of all assignments to some variables, in rows: the last variable goes through its values first. */
export interface CostTable {
  readonly over: readonly string[];
  readonly costs: ArrayLike<number>;
}

/** Whether less or more is better. */
export type Objective = 'min' | 'max';

/** How many assignments some variables have. */
export function cellsOf(axes: readonly Axis[]): number {
  return axes.reduce((cells, { size }) => cells * size, 1);
}

/**
 * Adds up tables, and leaves to `own` the best of its values wherever the others stand: a table over the others (the
 * projection of Petcu and Faltings 2005). Its cells come in the order of `others`.
 */
export function eliminate(
  tables: readonly CostTable[],
  { own, others }: { readonly own: Axis; readonly others: readonly Axis[] },
  objective: Objective,
): Float64Array {
  const axes = [...others, own];
  const projected = new Float64Array(cellsOf(others)).fill(worstOf(objective));
  const walks = tables.map((table) => ({ costs: table.costs, steps: stepsOf(table, axes), at: 0 }));
  const digits = new Int32Array(axes.length);
  const cells = projected.length * own.size;
  for (let cell = 0, below = 0; cell < cells; cell++) {
    let sum = 0;
    for (const { costs, at } of walks) sum += costAt(costs, at);
    const best = projected[below] ?? sum;
    if (objective === 'min' ? sum < best : sum > best) projected[below] = sum;
    // On to the next assignment, as an odometer does.
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const digit = (digits[axis] ?? 0) + 1;
      const isOver = digit === axes[axis]?.size;
      digits[axis] = isOver ? 0 : digit;
      for (const walk of walks) walk.at += (walk.steps[axis] ?? 0) * (isOver ? 1 - digit : 1);
      if (axis === axes.length - 1 && isOver) below++;
      if (!isOver) break;
    }
  }
  return projected;
}

/** What each value of `own` costs, where all others stand as `at` says. */
export function slice(
  tables: readonly CostTable[],
  own: Axis,
  at: (name: string) => Axis & { readonly value: number },
): readonly number[] {
  return Array.from({ length: own.size }, (_, value) => {
    let sum = 0;
    for (const { over, costs } of tables) {
      let cell = 0;
      for (const name of over) {
        const axis = name === own.name ? { ...own, value } : at(name);
        cell = cell * axis.size + axis.value;
      }
      sum += costAt(costs, cell);
    }
    return sum;
  });
}

/** @throws Error when somebody's own table is too short: what is not there is not free. */
export function costAt(costs: ArrayLike<number>, cell: number): number {
  const cost = costs[cell];
  if (cost !== undefined) return cost;
  throw new Error(`a table of ${costs.length} costs is too short: there are more assignments`);
}

/** The place of the best cost, the first of several. */
export function bestOf(costs: readonly number[], objective: Objective): number {
  const best = objective === 'min' ? Math.min(...costs) : Math.max(...costs);
  return costs.indexOf(best);
}

/** What everything else is better than. */
export function worstOf(objective: Objective): number {
  return objective === 'min' ? Infinity : -Infinity;
}

/** By how many cells a table goes on when one of `axes` goes on by one. */
function stepsOf({ over }: CostTable, axes: readonly Axis[]): readonly number[] {
  const sizes = new Map(axes.map(({ name, size }) => [name, size]));
  const steps = new Map<string, number>();
  let step = 1;
  for (const name of over.toReversed()) {
    steps.set(name, step);
    step *= sizes.get(name) ?? 1;
  }
  return axes.map(({ name }) => steps.get(name) ?? 0);
}
