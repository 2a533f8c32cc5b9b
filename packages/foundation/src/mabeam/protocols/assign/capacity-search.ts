/** An agent, as the search takes it. */
export interface Worker {
  /** Of each task; Infinity for what it cannot do. */
  readonly costs: readonly number[];
  /** How much of its capacity each task takes. */
  readonly loads: readonly number[];
  readonly capacity: number;
}

/** The best that was found, and what nothing can be below. */
export interface Searched {
  /** The worker of each task by its place; -1 where nobody is left. */
  readonly workerOf: readonly number[];
  readonly cost: number;
  /** Equal to the cost when the search has gone to its end. */
  readonly bound: number;
}

/**
 * Gives each task to one worker within everybody's capacity, as many tasks as can be and those as cheaply as can be: the
 * generalized assignment problem, by branch and bound (Ross and Soland 1975), task by task, those first that would cost
 * most to give to the second best. What is left costs at least what the cheapest worker with room asks.
 *
 * @param nodesMax - After so many steps the best so far is returned, with the bound of the first step.
 */
export function cheapestWithin(
  workers: readonly Worker[],
  tasks: number,
  { nodesMax, penalty }: { readonly nodesMax: number; readonly penalty: number },
): Searched {
  const order = byRegret(workers, tasks);
  const rooms = Float64Array.from(workers, ({ capacity }) => capacity);
  const choices = new Int32Array(tasks).fill(-1);
  let best: readonly number[] = Array.from<number>({ length: tasks }).fill(-1);
  let bestCost = penalty * tasks;
  let nodes = 0;
  /** The least that the tasks from `depth` on can cost with the rooms that are left. */
  const boundFrom = (depth: number): number => {
    let total = 0;
    for (let at = depth; at < tasks; at++) {
      const task = order[at] ?? 0;
      let least = penalty;
      for (const [worker, { costs, loads }] of workers.entries()) {
        const cost = costs[task] ?? penalty;
        if (cost < least && (loads[task] ?? 0) <= (rooms[worker] ?? 0)) least = cost;
      }
      total += least;
    }
    return total;
  };
  const root = boundFrom(0);
  const visit = (depth: number, spent: number): void => {
    if (++nodes > nodesMax || spent + boundFrom(depth) >= bestCost) return;
    if (depth === tasks) {
      best = [...choices];
      bestCost = spent;
      return;
    }
    const task = order[depth] ?? 0;
    const able = [...workers.keys()].filter((worker) => {
      const { costs = [], loads = [] } = workers[worker] ?? {};
      return (costs[task] ?? penalty) < penalty && (loads[task] ?? 0) <= (rooms[worker] ?? 0);
    });
    const costOf = (worker: number): number => workers[worker]?.costs[task] ?? penalty;
    for (const worker of able.toSorted((one, other) => costOf(one) - costOf(other))) {
      const load = workers[worker]?.loads[task] ?? 0;
      rooms[worker] = (rooms[worker] ?? 0) - load;
      choices[task] = worker;
      visit(depth + 1, spent + costOf(worker));
      rooms[worker] = (rooms[worker] ?? 0) + load;
    }
    choices[task] = -1;
    visit(depth + 1, spent + penalty);
  };
  visit(0, 0);
  return { workerOf: best, cost: bestCost, bound: nodes > nodesMax ? root : bestCost };
}

/** Tasks by how much dearer the second best worker is than the best, the largest difference first. */
function byRegret(workers: readonly Worker[], tasks: number): readonly number[] {
  const regrets = Array.from({ length: tasks }, (_, task) => {
    const [best = 0, second = Infinity] = workers
      .map(({ costs }) => costs[task] ?? Infinity)
      .toSorted((one, other) => one - other);
    return Number.isFinite(second) ? second - best : Infinity;
  });
  const regret = (task: number): number => regrets[task] ?? 0;
  return [...regrets.keys()].toSorted((one, other) =>
    regret(one) === regret(other) ? one - other : regret(other) - regret(one),
  );
}
