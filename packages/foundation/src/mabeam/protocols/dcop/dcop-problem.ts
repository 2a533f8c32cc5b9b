import type { AgentId } from '../../message.ts';
import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import { isId } from '../preferences.ts';
import { type Axis, cellsOf, type Objective } from './cost-table.ts';

/** Most variables of a problem. */
export const dcopVariablesMax = 1_000;
/** Most constraints of a problem. */
export const dcopConstraintsMax = 10_000;
/** Most values of a variable. */
export const dcopValuesMax = 100;
/** Most cells of a table. */
export const dcopCellsMax = 1_000_000;
/** Largest cost of one cell, on either side of 0. So sums are exact. */
export const dcopCostMax = 1_000_000_000;
/** Largest sum of all costs of a problem. */
export const dcopSumMax = dcopCostMax * dcopConstraintsMax;

/** Something that an agent decides about. */
export interface DcopVariable {
  readonly name: string;
  /** Member of the roster. It may own several. */
  readonly owner: AgentId;
  /** Texts, each once: 1 to {@link dcopValuesMax}. */
  readonly values: readonly string[];
  /** The value that it has now, and keeps when its owner says nothing. @defaultValue the first */
  readonly initial?: string;
}

/** What it costs when some variables have some values. */
export interface DcopConstraint {
  readonly name: string;
  /** Names of 1 to 8 variables. */
  readonly over: readonly string[];
  /**
   * A whole cost for each assignment, in rows: the last variable goes through its values first.
   *
   * @defaultValue only the owners of its variables know
   */
  readonly costs?: readonly number[];
}

/** A distributed constraint optimization problem. */
export interface DcopProblem {
  /** Name of the problem, up to 256 characters. */
  readonly problem: string;
  readonly variables: readonly DcopVariable[];
  readonly constraints: readonly DcopConstraint[];
  /** Whether the sum of all costs is to be small or large. @defaultValue `min` */
  readonly objective?: Objective;
  /** Milliseconds to answer one question; the session's deadline has to leave time for all rounds. @defaultValue 1000 */
  readonly answerMs?: number;
}

/** A problem with everything that was left out. */
export type ReadDcop = Required<DcopProblem>;

const objectives = ['min', 'max'] as const;
const fields = ['problem', 'variables', 'constraints', 'objective', 'answerMs'];

/** Reads a problem; `more` are the fields that a protocol adds. */
export function parseDcop(spec: unknown, more: readonly string[] = []): Parsed<ReadDcop> {
  if (!isRecord(spec)) {
    return unparsed(`expected { problem, variables, constraints, … }, got ${shown(spec)}`);
  }
  const extra = unknownField(spec, [...fields, ...more]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const { problem, objective = 'min', answerMs = 1_000 } = spec;
  if (!isId(problem)) {
    return unparsed(`problem: expected a text of 1 to 256 characters, got ${shown(problem)}`);
  }
  if (!isOneOf(objectives, objective)) {
    return unparsed(`objective: expected min or max, got ${shown(objective)}`);
  }
  if (typeof answerMs !== 'number' || !(answerMs > 0 && answerMs < 2 ** 31)) {
    return unparsed(`answerMs: expected more than 0, below 2147483648, got ${shown(answerMs)}`);
  }
  const variables = parseVariables(spec['variables']);
  if (!variables.ok) return variables;
  const constraints = parseConstraints(spec['constraints'], axesOf(variables.value));
  if (!constraints.ok) return constraints;
  const read = { variables: variables.value, constraints: constraints.value };
  return parsed({ problem, ...read, objective, answerMs });
}

/** How many values each variable has. */
export function axesOf(variables: readonly DcopVariable[]): ReadonlyMap<string, Axis> {
  return new Map(variables.map(({ name, values }) => [name, { name, size: values.length }]));
}

function parseVariables(value: unknown): Parsed<readonly DcopVariable[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > dcopVariablesMax) {
    return unparsed(`variables: expected 1 to ${dcopVariablesMax} of them, got ${shown(value)}`);
  }
  const variables = new Map<string, DcopVariable>();
  for (const [index, each] of value.entries()) {
    const variable = parseVariable(`variables[${index}]`, each);
    if (!variable.ok) return variable;
    const { name } = variable.value;
    if (variables.has(name)) return unparsed(`variables: ${shown(name)} stands there twice`);
    variables.set(name, variable.value);
  }
  return parsed([...variables.values()]);
}

function parseVariable(field: string, value: unknown): Parsed<DcopVariable> {
  if (!isRecord(value)) {
    return unparsed(`${field}: expected { name, owner, values, … }, got ${shown(value)}`);
  }
  const extra = unknownField(value, ['name', 'owner', 'values', 'initial']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const { name, owner, values } = value;
  if (!isId(name)) return unparsed(`${field}.name: expected a text, got ${shown(name)}`);
  if (!isId(owner)) return unparsed(`${field}.owner: expected an id, got ${shown(owner)}`);
  const isList = Array.isArray(values) && values.length > 0 && values.length <= dcopValuesMax;
  const texts = isList ? values.filter(isId) : [];
  if (!isList || texts.length < values.length || new Set(texts).size < texts.length) {
    const range = `1 to ${dcopValuesMax} texts, each once`;
    return unparsed(`${field}.values: expected ${range}, got ${shown(values)}`);
  }
  const { initial = texts[0] } = value;
  return isOneOf(texts, initial)
    ? parsed({ name, owner, values: texts, initial })
    : unparsed(`${field}.initial: expected one of its values, got ${shown(initial)}`);
}

function parseConstraints(
  value: unknown,
  axes: ReadonlyMap<string, Axis>,
): Parsed<readonly DcopConstraint[]> {
  if (!Array.isArray(value) || value.length > dcopConstraintsMax) {
    return unparsed(`constraints: expected at most ${dcopConstraintsMax}, got ${shown(value)}`);
  }
  const constraints = new Map<string, DcopConstraint>();
  let cells = 0;
  for (const [index, each] of value.entries()) {
    const constraint = parseConstraint(`constraints[${index}]`, each, axes);
    if (!constraint.ok) return constraint;
    const { name, costs = [] } = constraint.value;
    if (constraints.has(name)) return unparsed(`constraints: ${shown(name)} stands there twice`);
    constraints.set(name, constraint.value);
    cells += costs.length;
    if (cells > dcopCellsMax) {
      return unparsed(`constraints: expected at most ${dcopCellsMax} costs in all`);
    }
  }
  return parsed([...constraints.values()]);
}

// oxlint-disable-next-line max-params -- where, what, among which variables
function parseConstraint(
  field: string,
  value: unknown,
  axes: ReadonlyMap<string, Axis>,
): Parsed<DcopConstraint> {
  if (!isRecord(value)) {
    return unparsed(`${field}: expected { name, over, costs? }, got ${shown(value)}`);
  }
  const extra = unknownField(value, ['name', 'over', 'costs']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const { name, over, costs } = value;
  if (!isId(name)) return unparsed(`${field}.name: expected a text, got ${shown(name)}`);
  const isList = Array.isArray(over) && over.length > 0 && over.length <= 8;
  const scope = isList ? over.flatMap((each) => (isId(each) ? (axes.get(each) ?? []) : [])) : [];
  if (!isList || scope.length < over.length || new Set(scope).size < scope.length) {
    return unparsed(`${field}.over: expected 1 to 8 variables, each once, got ${shown(over)}`);
  }
  const names = scope.map((axis) => axis.name);
  if (costs === undefined) return parsed({ name, over: names });
  const read = parseCosts(`${field}.costs`, costs, cellsOf(scope));
  return read.ok ? parsed({ name, over: names, costs: read.value }) : read;
}

/** Reads as many whole costs as there are cells. */
// oxlint-disable-next-line max-params -- where, what, how many
export function parseCosts(
  field: string,
  value: unknown,
  cells: number,
): Parsed<readonly number[]> {
  if (!Array.isArray(value) || value.length !== cells) {
    return unparsed(`${field}: expected ${cells} whole numbers, got ${shown(value)}`);
  }
  const wrong = value.findIndex((cost) => !isCost(cost, dcopCostMax));
  return wrong < 0
    ? parsed(value)
    : unparsed(
        `${field}[${wrong}]: expected a whole number of at most ${dcopCostMax}, got ${shown(value[wrong])}`,
      );
}

/** Whether a value is a whole cost, `most` away from 0 at most. */
export function isCost(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && Math.abs(Number(value)) <= most;
}
