import type { DcopConstraint, DcopProblem, DcopVariable } from '@foundation/core/mabeam';

export function variable(
  name: string,
  values: readonly string[],
  more: Partial<DcopVariable> = {},
): DcopVariable {
  return { name, owner: `owner of ${name}`, values, ...more };
}

/** A table from what each assignment costs. */
export function constraint(
  name: string,
  over: readonly DcopVariable[],
  cost: (...values: readonly string[]) => number,
): DcopConstraint {
  const rows = over.reduce<readonly (readonly string[])[]>(
    (all, { values }) => all.flatMap((cells) => values.map((value) => [...cells, value])),
    [[]],
  );
  return { name, over: over.map((each) => each.name), costs: rows.map((cells) => cost(...cells)) };
}

/** The best of all assignments, by trying each. */
export function bruteForce({ variables, constraints, objective = 'min' }: DcopProblem): {
  best: number;
  count: number;
} {
  let [best, count] = [objective === 'min' ? Infinity : -Infinity, 0];
  const sizes = variables.map(({ values }) => values.length);
  const places = new Map(variables.map(({ name }, place) => [name, place]));
  const tables = constraints.map(({ over, costs = [] }) => {
    return { costs, at: over.map((name) => places.get(name) ?? 0) };
  });
  const digits = sizes.map(() => 0);
  const extend = (place: number): void => {
    if (place < sizes.length) {
      for (let digit = 0; digit < (sizes[place] ?? 0); digit++) {
        digits[place] = digit;
        extend(place + 1);
      }
      return;
    }
    let cost = 0;
    for (const { costs, at } of tables) {
      let cell = 0;
      for (const each of at) cell = cell * (sizes[each] ?? 0) + (digits[each] ?? 0);
      cost += costs[cell] ?? 0;
    }
    if (cost === best) count++;
    else if (objective === 'min' ? cost < best : cost > best) [best, count] = [cost, 1];
  };
  extend(0);
  return { best, count };
}

export const colours = ['R', 'G'];

/** Three variables in a row that like to differ from their neighbours, in tenths; each with a colour of its own liking. */
export function row(liked: readonly string[], clash = 10): DcopProblem {
  const variables = ['v1', 'v2', 'v3'].map((name) => variable(name, colours));
  const [v1, v2, v3] = variables as [DcopVariable, DcopVariable, DcopVariable];
  const equal = (left?: string, right?: string): number => (left === right ? clash : 0);
  return {
    problem: 'colours',
    variables,
    constraints: [
      ...liked.map((colour, at) =>
        constraint(`like ${at}`, [variables[at] ?? v1], (value) => (value === colour ? -1 : 1)),
      ),
      constraint('diff_1_2', [v1, v2], equal),
      constraint('diff_2_3', [v2, v3], equal),
    ],
  };
}

export function tutorial(objective: 'min' | 'max'): DcopProblem {
  const over = (left: number, right: number, costs: readonly number[]): DcopConstraint => ({
    name: `c_${left}_${right}`,
    over: [`v${left}`, `v${right}`],
    costs,
  });
  return {
    problem: 'tutorial',
    objective,
    variables: ['v1', 'v2', 'v3', 'v4'].map((name) => variable(name, colours)),
    constraints: [
      over(1, 2, [5, 8, 20, 3]),
      over(1, 3, [5, 10, 20, 3]),
      over(2, 3, [5, 4, 3, 3]),
      over(2, 4, [3, 8, 10, 3]),
    ],
  };
}

/** Lamps that shall make a room as light as is wanted for as little as can be, in tenths. */
export function lamps(): DcopProblem {
  const steps = ['0', '1', '2', '3', '4'];
  const variables = ['l1', 'l2', 'l3', 'm1'].map((name) => variable(name, steps));
  const [l1, l2, l3, m1] = variables as [DcopVariable, DcopVariable, DcopVariable, DcopVariable];
  const light = (...at: readonly string[]): number => {
    const [a = 0, b = 0, c = 0] = at.map(Number);
    const tenths = 7 * a + 5 * b + 3 * c;
    const [whole, rest] = [Math.floor(tenths / 10), tenths % 10];
    // Halves go to the even number.
    return rest > 5 || (rest === 5 && whole % 2 === 1) ? whole + 1 : whole;
  };
  return {
    problem: 'lamps',
    variables,
    constraints: [
      constraint('l1', [l1], (value) => 7 * Number(value)),
      constraint('l2', [l2], (value) => 5 * Number(value)),
      constraint('l3', [l3], (value) => 2 * Number(value)),
      constraint('m1_c', [l1, l2, l3, m1], (...at) =>
        Number(at[3]) === light(...at) ? 0 : 10_000,
      ),
      constraint(
        'r1',
        [m1, l2],
        (m, l) => 100 * (Math.abs(Number(m) - 3) + Math.abs(Number(l) - 3)),
      ),
    ],
  };
}

/** Edges that cost something when both ends have the same colour. */
export function colouring(
  edges: readonly (readonly [number, number])[],
  count: number,
  clash: number,
): DcopProblem {
  const all = Array.from({ length: count }, (_, index) => `${index}`);
  const n = Math.max(...edges.flat()) + 1;
  const variables = Array.from({ length: n }, (_, index) => variable(`v${index}`, all));
  return {
    problem: 'colouring',
    variables,
    constraints: edges.map(([left, right], index) =>
      constraint(
        `c${index}`,
        [left, right].flatMap((each) => variables[each] ?? []),
        (a, b) => (a === b ? clash : 0),
      ),
    ),
  };
}

/** Mycielski's construction on a ring of five: the Grötzsch graph. */
export const myciel3 = [
  ...[0, 1, 2, 3, 4].map((at) => [at, (at + 1) % 5] as const),
  ...[0, 1, 2, 3, 4].flatMap((at) => [
    [at + 5, (at + 1) % 5] as const,
    [at + 5, (at + 4) % 5] as const,
  ]),
  ...[0, 1, 2, 3, 4].map((at) => [at + 5, 10] as const),
];

/** Who touches whom in a graph of ten. */
export const tenEdges: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 4],
  [6, 9],
  [7, 9],
  [0, 5],
  [1, 2],
  [2, 5],
  [2, 6],
  [3, 8],
  [3, 4],
  [4, 5],
  [4, 7],
];

/** Instances of pyDCOP (E1 to E6) and the Grötzsch graph in three and four colours (E7), with their optima. */
export const instances: readonly (readonly [name: string, problem: DcopProblem, best: number])[] = [
  ['E1 graph_coloring1', row(['R', 'G', 'G']), -1],
  ['E2 graph_coloring_tuto', tutorial('min'), 12],
  ['E2 tuto_max', tutorial('max'), 53],
  ['E3 secp_simple1', lamps(), 23],
  ['E4 graph_coloring_eq', row(['R', 'G', 'R']), -3],
  ['E5 graph_coloring_csp', row([], 10_000), 0],
  ['E6 graph_coloring_10_4_15_0.1', colouring(tenEdges, 3, 10_000), 0],
  ['E7 myciel3 in three colours', colouring(myciel3, 3, 1), 1],
  ['E7 myciel3 in four colours', colouring(myciel3, 4, 1), 0],
];
