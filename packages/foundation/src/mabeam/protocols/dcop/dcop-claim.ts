import { shown } from '../../parse.ts';
import type { Claim } from '../../protocol.ts';
import {
  type Axis,
  bestOf,
  type CostTable,
  eliminate,
  type Objective,
  slice,
  worstOf,
} from './cost-table.ts';
import { axesOf, type DcopVariable, type ReadDcop } from './dcop-problem.ts';
import type { NamedValues } from './dpop-questions.ts';
import { pseudoTree } from './pseudo-tree.ts';

/** Which value each variable has, and what that costs. */
export interface DcopResult {
  readonly assignment: Readonly<Record<string, string>>;
  /** Of all constraints that are known: of those in the spec, and `privateCost`. */
  readonly cost: number;
  /** What owners have told of those constraints that only they know. */
  readonly privateCost: number;
  /** Variables whose owner has said nothing, or nothing that made sense: they kept the value they had. */
  readonly frozen: readonly string[];
}

type Position = Axis & { readonly value: number };

/** Where each variable stands, by number. */
export function axesAt(
  variables: ReadonlyMap<string, DcopVariable>,
  values: ReadonlyMap<string, string>,
): (name: string) => Position {
  return (name) => {
    const all = variables.get(name)?.values ?? [];
    return { name, size: all.length, value: all.indexOf(values.get(name) ?? '') };
  };
}

/** What an assignment costs by the constraints in the spec. */
export function costOf(
  { variables, constraints }: Pick<ReadDcop, 'variables' | 'constraints'>,
  values: ReadonlyMap<string, string>,
): number {
  const at = axesAt(new Map(variables.map((each) => [each.name, each])), values);
  let sum = 0;
  for (const { over, costs } of constraints) {
    let cell = 0;
    for (const name of over) {
      const { size, value } = at(name);
      cell = cell * size + value;
    }
    sum += costs?.[cell] ?? 0;
  }
  return sum;
}

/** A table that leaves a variable no value but one. */
// oxlint-disable-next-line max-params -- which variable, which value, and what is worst
export function frozenTable(
  { name, values }: NamedValues,
  value: string,
  objective: Objective,
): CostTable {
  return { over: [name], costs: values.map((each) => (each === value ? 0 : worstOf(objective))) };
}

/** The best cost there is, if every constraint is in the spec. */
export function bestCost(problem: ReadDcop): number {
  const { objective } = problem;
  let sum = 0;
  const tables = new Map<string, CostTable>();
  for (const [name, node] of [...pseudoTree(problem)].toReversed()) {
    const own = node.constraints.map(({ over, costs = [] }) => ({ over, costs }));
    const below = node.children.flatMap((child) => tables.get(child) ?? []);
    const { axis, separator: others } = node;
    const costs = eliminate([...own, ...below], { own: axis, others }, objective);
    tables.set(name, { over: others.map((each) => each.name), costs });
    if (node.depth === 0) sum += costs[0] ?? 0;
  }
  return sum;
}

/** A variable that could do better alone, by the costs in the spec. Frozen ones stay where they are. */
export function improvable(
  { variables, constraints, objective }: ReadDcop,
  { assignment, frozen }: Pick<DcopResult, 'assignment' | 'frozen'>,
): string | undefined {
  const positionOf = axesAt(
    new Map(variables.map((each) => [each.name, each])),
    new Map(Object.entries(assignment)),
  );
  const positions = new Map(variables.map(({ name }) => [name, positionOf(name)]));
  const at = (name: string): Position => positions.get(name) ?? { name, size: 1, value: 0 };
  const tablesOf = new Map<string, CostTable[]>(variables.map(({ name }) => [name, []]));
  for (const { over, costs = [] } of constraints) {
    for (const name of over) tablesOf.get(name)?.push({ over, costs });
  }
  const held = new Set(frozen);
  return variables.find(({ name }) => {
    const { size, value } = at(name);
    const sums = slice(tablesOf.get(name) ?? [], { name, size }, at);
    return !held.has(name) && sums[bestOf(sums, objective)] !== sums[value];
  })?.name;
}

/** That each variable has one of its values, that costs add up, and that nothing is better where that is claimed. */
export function assignmentProblems(problem: ReadDcop, claim: Claim<DcopResult>): readonly string[] {
  const problems = [...costProblems(problem, claim)];
  const { result, certificate } = claim;
  if (result === undefined) return problems;
  const frozen = problem.variables.filter(({ name }) => result.frozen.includes(name));
  for (const { name, initial } of frozen) {
    if (result.assignment[name] !== initial) {
      problems.push(`${shown(name)} is frozen, and has moved`);
    }
  }
  if (certificate === undefined) return problems;
  if (certificate.bound !== result.cost || result.frozen.length > 0) {
    problems.push('the certificate is not one of this cost');
  } else if (isKnown(problem)) {
    const best = bestCost(problem);
    if (best !== result.cost) problems.push(`cost: ${result.cost}, and ${best} can be had`);
  }
  return problems;
}

/** Whether all costs are in the spec. */
export function isKnown({ constraints }: ReadDcop): boolean {
  return constraints.every(({ costs }) => costs !== undefined);
}

/** That each variable has one of its values, and that costs add up. */
export function costProblems(
  problem: ReadDcop,
  { status, result }: Pick<Claim<DcopResult>, 'status' | 'result'>,
): readonly string[] {
  if (result === undefined) return status === 'decided' ? ['`decided` without a result'] : [];
  const values = new Map(Object.entries(result.assignment));
  const lost = problem.variables.find((each) => !each.values.includes(values.get(each.name) ?? ''));
  if (lost !== undefined) {
    return [`${shown(lost.name)} has none of its values: ${shown(values.get(lost.name))}`];
  }
  const problems: string[] = [];
  if (values.size > axesOf(problem.variables).size) problems.push('there are unknown variables');
  const shared = costOf(problem, values);
  if (shared + result.privateCost !== result.cost) {
    problems.push(`cost: ${result.cost} is not ${shared} and ${result.privateCost} together`);
  }
  return problems;
}
