import { type Axis, cellsOf } from './cost-table.ts';
import { axesOf, type DcopConstraint, type ReadDcop } from './dcop-problem.ts';

/** A variable in the tree. */
export interface TreeNode {
  readonly axis: Axis;
  readonly depth: number;
  /** Absent for the root of each part of the problem that hangs together. */
  readonly parent?: string;
  readonly children: readonly string[];
  /** Those above it on which it and those below it depend, the highest first. */
  readonly separator: readonly Axis[];
  /** Those of which it is the lowest variable. */
  readonly constraints: readonly DcopConstraint[];
}

/** The variables of a problem, each before those below it. */
export type PseudoTree = ReadonlyMap<string, TreeNode>;

/** Cells of the table that a node has to go through. */
export function tableCells({ axis, separator }: TreeNode): number {
  return cellsOf([...separator, axis]);
}

/**
 * Orders variables so that two with a constraint in common stand below each other: a depth-first tree (Freuder and
 * Quinn 1985). Which one is found decides how large tables get: several are tried, and the one with the fewest cells is
 * taken.
 */
export function pseudoTree(problem: ReadDcop): PseudoTree {
  const neighbours = neighboursOf(problem);
  const seen = new Set<string>();
  const whole = new Map<string, TreeNode>();
  for (const name of neighbours.keys()) {
    if (seen.has(name)) continue;
    const part = reachable(name, neighbours);
    for (const each of part) seen.add(each);
    for (const [each, node] of bestTree(problem, part, neighbours)) whole.set(each, node);
  }
  return whole;
}

type Neighbours = ReadonlyMap<string, ReadonlySet<string>>;

/** Roots that are tried in each part, and links that may be gone over for all of them together. */
const triesMax = 16;
const linksMax = 200_000;

// oxlint-disable-next-line max-params -- of what, of which part, and how it hangs together
function bestTree(
  problem: ReadDcop,
  part: readonly string[],
  neighbours: Neighbours,
): ReadonlyMap<string, TreeNode> {
  const degree = (name: string): number => neighbours.get(name)?.size ?? 0;
  const links = part.reduce((sum, name) => sum + degree(name), 1);
  const tries = Math.max(1, Math.min(triesMax, Math.trunc(linksMax / links)));
  const roots = part.toSorted((left, right) => degree(right) - degree(left)).slice(0, tries);
  let best: { readonly tree: ReadonlyMap<string, TreeNode>; readonly cells: number } | undefined;
  for (const root of roots) {
    const tree = treeFrom(root, problem, neighbours);
    const cells = [...tree.values()].reduce((sum, node) => sum + tableCells(node), 0);
    if (best === undefined || cells < best.cells) best = { tree, cells };
  }
  return best?.tree ?? new Map();
}

interface Visit {
  readonly depth: number;
  readonly parent?: string;
  readonly children: string[];
}

// oxlint-disable-next-line max-params -- from where, of what, and how it hangs together
function treeFrom(
  root: string,
  problem: ReadDcop,
  neighbours: Neighbours,
): ReadonlyMap<string, TreeNode> {
  const visits = visitsFrom(root, neighbours);
  const axes = axesOf(problem.variables);
  const depthOf = (name: string): number => visits.get(name)?.depth ?? -1;
  const own = Map.groupBy(
    problem.constraints.filter(({ over }) => visits.has(over[0] ?? '')),
    ({ over }) => over.reduce((low, name) => (depthOf(name) > depthOf(low) ? name : low)),
  );
  const separators = new Map<string, Set<string>>();
  for (const [name, { children, depth }] of [...visits].toReversed()) {
    const above = new Set(children.flatMap((child) => [...(separators.get(child) ?? [])]));
    for (const other of neighbours.get(name) ?? []) if (depthOf(other) < depth) above.add(other);
    above.delete(name);
    separators.set(name, above);
  }
  return new Map(
    [...visits].map(([name, visit]) => {
      const separator = [...(separators.get(name) ?? [])]
        .toSorted((left, right) => depthOf(left) - depthOf(right))
        .flatMap((each) => axes.get(each) ?? []);
      const axis = axes.get(name) ?? { name, size: 0 };
      return [name, { ...visit, axis, separator, constraints: own.get(name) ?? [] }];
    }),
  );
}

/** Goes on to the neighbour that hangs most on what was visited, so that its table is small. */
function visitsFrom(root: string, neighbours: Neighbours): ReadonlyMap<string, Visit> {
  const visits = new Map<string, Visit>();
  /** Of each variable how many of its neighbours were visited. */
  const known = new Map<string, number>();
  const path: string[] = [];
  const visit = (name: string): void => {
    const parent = path.at(-1);
    const depth = path.length;
    visits.set(name, { depth, ...(parent === undefined ? {} : { parent }), children: [] });
    if (parent !== undefined) visits.get(parent)?.children.push(name);
    for (const other of neighbours.get(name) ?? []) known.set(other, (known.get(other) ?? 0) + 1);
    path.push(name);
  };
  const rank = (name: string): number =>
    (known.get(name) ?? 0) * neighbours.size + (neighbours.get(name)?.size ?? 0);
  visit(root);
  for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
    let next: string | undefined;
    for (const name of neighbours.get(at) ?? []) {
      if (visits.has(name)) continue;
      if (next === undefined || rank(name) > rank(next)) next = name;
    }
    if (next === undefined) path.pop();
    else visit(next);
  }
  return visits;
}

function neighboursOf({ variables, constraints }: ReadDcop): Neighbours {
  const neighbours = new Map(variables.map(({ name }) => [name, new Set<string>()]));
  for (const { over } of constraints) {
    for (const name of over) {
      for (const other of over) if (other !== name) neighbours.get(name)?.add(other);
    }
  }
  return neighbours;
}

function reachable(from: string, neighbours: Neighbours): readonly string[] {
  const found = new Set([from]);
  for (const name of found) for (const other of neighbours.get(name) ?? []) found.add(other);
  return [...found];
}
