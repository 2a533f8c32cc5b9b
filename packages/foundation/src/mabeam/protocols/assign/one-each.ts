import { inCircles } from '../equilibrium/matching.ts';
import { auctionedPairing } from './auction-algorithm.ts';
import { cheapestPairing, type CostMatrix, type Pairing } from './hungarian.ts';
import type { Assigned } from './task-assignment-settlement.ts';
import type { TaskAssignmentTerms } from './task-assignment-spec.ts';

/** Prices that prove that no assignment of one task to each agent is better. */
export interface PairingProof {
  /** Of agents, in the order of the roster, and of tasks: a pair's together are at most what it costs. */
  readonly agentPrices: readonly number[];
  readonly taskPrices: readonly number[];
}

/** What it counts as to leave one task alone: more than `tasks` of them can cost. */
export function penaltyOf(costs: readonly (readonly number[])[], tasks: number): number {
  let most = 0;
  for (const own of costs) for (const cost of own) if (cost < Infinity) most = Math.max(most, cost);
  return (most + 1) * tasks;
}

/**
 * Gives each agent one task at most: as many tasks as can be, and those as cheaply as can be.
 *
 * @param costs - of each task, agent by agent; Infinity for what one cannot do
 * @returns undefined when numbers are too large for the method
 */
export function oneEach(
  costs: readonly (readonly number[])[],
  { tasks, method }: Pick<TaskAssignmentTerms, 'tasks' | 'method'>,
): (Assigned & { readonly proof: PairingProof }) | undefined {
  const agents = costs.length;
  const isTall = agents > tasks.length;
  const penalty = penaltyOf(costs, Math.min(agents, tasks.length));
  const matrix = matrixOf(costs, { tasks: tasks.length, isTall, penalty });
  const pairing = method === 'auction' ? auctionedPairing(matrix) : cheapestPairing(matrix);
  if (pairing === undefined) return undefined;
  const agentOf = Array.from<number>({ length: tasks.length }).fill(-1);
  for (const [row, column] of pairing.columnOf.entries()) {
    const [agent, task] = isTall ? [column, row] : [row, column];
    if ((costs[agent]?.[task] ?? Infinity) < Infinity) agentOf[task] = agent;
  }
  const [rowPrices, columnPrices] = [[...pairing.rowPrices], [...pairing.columnPrices]];
  const proof = isTall
    ? { agentPrices: columnPrices, taskPrices: rowPrices }
    : { agentPrices: rowPrices, taskPrices: columnPrices };
  let total = 0;
  let idle = 0;
  for (const [row, column] of pairing.columnOf.entries()) {
    const cost = matrix.costs[row * matrix.columns + column] ?? 0;
    if (cost === penalty) idle++;
    total += cost;
  }
  const equals = swapping(matrix, pairing).flatMap((column): number[] => {
    if (!isTall) return [pairing.columnOf.indexOf(column)].filter((row) => row >= 0);
    return [column];
  });
  // Who has no task, and could have none but what it cannot do, is not concerned.
  const tied = equals.filter((agent) => {
    if (agentOf.includes(agent)) return true;
    return (costs[agent] ?? []).some((cost, task) => {
      const price = (proof.agentPrices[agent] ?? 0) + (proof.taskPrices[task] ?? 0);
      return cost === price;
    });
  });
  return { agentOf, bound: total - idle * penalty, gap: 0, equals: tied, proof };
}

function matrixOf(
  costs: readonly (readonly number[])[],
  { tasks, isTall, penalty }: { tasks: number; isTall: boolean; penalty: number },
): CostMatrix {
  const [rows, columns] = isTall ? [tasks, costs.length] : [costs.length, tasks];
  const flat = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const cost = (isTall ? costs[column]?.[row] : costs[row]?.[column]) ?? Infinity;
      flat[row * columns + column] = cost < Infinity ? cost : penalty;
    }
  }
  return { rows, columns, costs: flat };
}

/** Columns whose row could have another, with the others as cheap together as before. */
function swapping({ rows, columns, costs }: CostMatrix, pairing: Pairing): readonly number[] {
  const { columnOf, rowPrices, columnPrices } = pairing;
  const rowOf = new Int32Array(columns).fill(-1);
  for (let row = 0; row < rows; row++) rowOf[columnOf[row] ?? 0] = row;
  const all = Array.from({ length: columns }, (_, column) => column);
  const isIdle = (column: number): boolean => (rowOf[column] ?? -1) < 0;
  // A column whose price is 0 may as well be left over.
  const mayBeIdle = all.filter((column) => !isIdle(column) && columnPrices[column] === 0);
  const house = columns;
  const circles = inCircles(columns + 1, (column) => {
    if (column === house) return mayBeIdle;
    const row = rowOf[column] ?? -1;
    if (row < 0) return [house];
    const price = rowPrices[row] ?? 0;
    return all.filter((other) => {
      const cost = costs[row * columns + other] ?? 0;
      return other !== column && cost - price === columnPrices[other];
    });
  });
  return [...circles].filter((column) => column !== house);
}
