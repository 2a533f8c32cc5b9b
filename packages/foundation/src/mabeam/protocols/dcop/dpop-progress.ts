import type { AgentId } from '../../message.ts';
import type { Answer } from '../../protocol.ts';
import { type CostTable, slice } from './cost-table.ts';
import { axesAt, costOf, type DcopResult, frozenTable } from './dcop-claim.ts';
import type { DcopProblem, DcopVariable, ReadDcop } from './dcop-problem.ts';
import {
  type ChoiceReply,
  type ChoiceTask,
  type NamedValues,
  type UtilReply,
  type UtilTask,
  utilOf,
} from './dpop-questions.ts';
import { type PseudoTree, tableCells, type TreeNode } from './pseudo-tree.ts';

/** A problem, and how large tables may get. */
export interface DpopSpec extends DcopProblem {
  /**
   * Most cells that one agent may have to go through: the product of the sizes of a variable and of those above it on which
   * it depends. A problem that needs more is refused before anybody is asked. At most {@link dcopCellsMax}.
   *
   * @defaultValue 100000
   */
  readonly cellsMax?: number;
}

/** What a DPOP came to. */
export interface DpopResult extends DcopResult {
  /** Tables that went up, and values that went down: 2(n − 1) for n variables that hang together. */
  readonly messages: { readonly util: number; readonly value: number };
}

/** What agents answer. */
export type DpopReply = UtilReply | ChoiceReply;
/** A spec with everything that was left out. */
export type ReadDpop = ReadDcop & { readonly cellsMax: number };

/** How far a DPOP is. */
export interface Progress {
  readonly spec: ReadDpop;
  readonly variables: ReadonlyMap<string, DcopVariable>;
  readonly tree: PseudoTree;
  /** Names of the variables of each depth. */
  readonly levels: readonly (readonly string[])[];
  /** Tables go up from the lowest, then values go down from the roots. */
  readonly phase: 'util' | 'value';
  readonly depth: number;
  readonly utils: ReadonlyMap<string, CostTable>;
  readonly values: ReadonlyMap<string, string>;
  /** Of those constraints that only owners know. */
  readonly privateCost: number;
  /** What the roots expected. */
  readonly expected: number;
  readonly frozen: ReadonlySet<string>;
  /** Agents that are not asked any more, and those whose answer made no sense. */
  readonly gone: ReadonlySet<AgentId>;
  readonly invalid: ReadonlySet<AgentId>;
  readonly messages: DpopResult['messages'];
}

/** What the owner of a variable is asked on the way up. */
export function utilTask(progress: Progress, name: string): UtilTask {
  const { constraints, separator } = nodeOf(progress, name);
  return {
    ...valuesOf(progress, name),
    constraints,
    below: tablesBelow(progress, name),
    separator: separator.map((axis) => valuesOf(progress, axis.name)),
  };
}

/** What the owner of a variable is asked on the way down. */
export function choiceTask(progress: Progress, name: string): ChoiceTask {
  const { constraints, separator, axis } = nodeOf(progress, name);
  const above = separator.map((each) => ({
    ...valuesOf(progress, each.name),
    value: progress.values.get(each.name) ?? '',
  }));
  const at = axesAt(progress.variables, progress.values);
  const below = slice(tablesBelow(progress, name), axis, at);
  return { ...valuesOf(progress, name), constraints, below, above };
}

function tablesBelow({ utils, tree }: Progress, name: string): readonly CostTable[] {
  return tree.get(name)?.children.flatMap((child) => utils.get(child) ?? []) ?? [];
}

/** What one agent has answered for its variables of this level; they are frozen if it has not. */
export function take(progress: Progress, answer: Answer<DpopReply>): Progress {
  const { from } = answer;
  const names = (progress.levels[progress.depth] ?? []).filter(
    (name) => ownerOf(progress, name) === from,
  );
  const taken =
    answer.kind !== 'ok'
      ? undefined
      : 'utils' in answer.body
        ? takeUtils(progress, names, answer.body)
        : takeChoices(progress, names, answer.body);
  if (taken !== undefined) return taken;
  const invalid = answer.kind === 'ok' ? new Set([...progress.invalid, from]) : progress.invalid;
  return names.reduce(freeze, { ...progress, invalid, gone: new Set([...progress.gone, from]) });
}

// oxlint-disable-next-line max-params -- how far it is, and what was answered for whom
function takeUtils(
  progress: Progress,
  names: readonly string[],
  { utils }: UtilReply,
): Progress | undefined {
  const tables = names.map((name, index): CostTable => {
    const over = nodeOf(progress, name).separator.map((axis) => axis.name);
    return { over, costs: utils[index] ?? [] };
  });
  const fits = tables.every(({ costs }, index) => {
    const { axis, ...node } = nodeOf(progress, names[index] ?? '');
    return costs.length === tableCells({ axis, ...node }) / axis.size;
  });
  if (progress.phase !== 'util' || utils.length !== names.length || !fits) return undefined;
  const all = new Map(progress.utils);
  for (const [index, name] of names.entries())
    all.set(name, tables[index] ?? { over: [], costs: [] });
  const { util, value } = progress.messages;
  return { ...progress, utils: all, messages: { util: util + names.length, value } };
}

// oxlint-disable-next-line max-params -- how far it is, and what was answered for whom
function takeChoices(
  progress: Progress,
  names: readonly string[],
  { choices }: ChoiceReply,
): Progress | undefined {
  if (progress.phase !== 'value' || choices.length !== names.length) return undefined;
  let { privateCost, expected } = progress;
  const values = new Map(progress.values);
  let told = 0;
  for (const [index, name] of names.entries()) {
    const { value = '', cost = 0 } = choices[index] ?? {};
    const task = choiceTask(progress, name);
    const place = task.values.indexOf(value);
    if (place < 0) return undefined;
    values.set(name, value);
    privateCost += cost;
    if (nodeOf(progress, name).depth > 0) told++;
    else expected += cost + (task.below[place] ?? 0) + sharedCost(progress, { name, value });
  }
  const { util, value } = progress.messages;
  const messages = { util, value: value + told };
  return { ...progress, values, privateCost, expected, messages };
}

/** What the spec says that a root costs by itself. */
function sharedCost(progress: Progress, { name, value }: { name: string; value: string }): number {
  const { constraints } = nodeOf(progress, name);
  return costOf({ ...progress.spec, constraints }, new Map([[name, value]]));
}

/** Keeps a variable at the value it has: its table is the one of that value alone, as far as the spec says what that costs. */
export function freeze(progress: Progress, name: string): Progress {
  const frozen = new Set([...progress.frozen, name]);
  const { initial = '' } = variableOf(progress, name);
  if (progress.phase === 'value') {
    return { ...progress, frozen, values: new Map([...progress.values, [name, initial]]) };
  }
  const { objective } = progress.spec;
  const task = utilTask(progress, name);
  const below = [...task.below, frozenTable(task, initial, objective)];
  const costs = utilOf({ ...task, below }, objective, () => []);
  const table = { over: task.separator.map((each) => each.name), costs: [...costs] };
  return { ...progress, frozen, utils: new Map([...progress.utils, [name, table]]) };
}

function nodeOf({ tree }: Progress, name: string): TreeNode {
  const node = tree.get(name);
  if (node === undefined) throw new Error(`no variable is called ${name}`);
  return node;
}

function variableOf({ variables }: Progress, name: string): DcopVariable {
  const found = variables.get(name);
  if (found === undefined) throw new Error(`no variable is called ${name}`);
  return found;
}

/** Who decides about a variable. */
export function ownerOf(progress: Progress, name: string): AgentId {
  return variableOf(progress, name).owner;
}

function valuesOf(progress: Progress, name: string): NamedValues {
  return { name, values: variableOf(progress, name).values };
}
