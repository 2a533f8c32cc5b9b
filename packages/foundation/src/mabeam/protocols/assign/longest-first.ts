/** Who does what, and when all is done. */
export interface Schedule {
  /** The worker of each task by its place; -1 where nobody can do it. */
  readonly workerOf: readonly number[];
  readonly makespan: number;
  /** No schedule of these tasks ends before: the longest of them, or all of them shared evenly. */
  readonly bound: number;
  /** Workers that were equal when one of them was chosen, at the first such time. */
  readonly equals: readonly number[];
}

/**
 * Gives tasks to workers, the longest first, each to whoever is done with it first (LPT, Graham 1969). Where a task
 * takes all workers the same time, that ends at most (4m − 1)/(3m) times as late as the best schedule of m workers does.
 *
 * @param durations - of each task, worker by worker; Infinity for what one cannot do
 */
export function longestFirst(durations: readonly (readonly number[])[], tasks: number): Schedule {
  const least = Array.from({ length: tasks }, (_, task) =>
    Math.min(...durations.map((own) => own[task] ?? Infinity)),
  );
  const order = [...least.keys()].toSorted((one, other) =>
    least[one] === least[other] ? one - other : (least[other] ?? 0) - (least[one] ?? 0),
  );
  const workerOf = Array.from<number>({ length: tasks }).fill(-1);
  const busy = durations.map(() => 0);
  let equals: readonly number[] = [];
  for (const task of order) {
    const ends = durations.map((own, worker) => (busy[worker] ?? 0) + (own[task] ?? Infinity));
    const first = Math.min(...ends);
    if (first === Infinity) continue;
    const chosen = ends.indexOf(first);
    if (equals.length === 0) {
      const same = [...ends.keys()].filter((worker) => ends[worker] === first);
      if (same.length > 1) equals = same;
    }
    workerOf[task] = chosen;
    busy[chosen] = first;
  }
  const lengths = least.filter((length) => length < Infinity);
  let all = 0;
  for (const length of lengths) all += length;
  const shared = Math.ceil(all / Math.max(1, durations.length));
  return {
    workerOf,
    makespan: Math.max(0, ...busy),
    bound: Math.max(shared, 0, ...lengths),
    equals,
  };
}
