import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import type { Question } from '../../question.ts';
import {
  type Axis,
  bestOf,
  type CostTable,
  eliminate,
  type Objective,
  slice,
} from './cost-table.ts';
import { type DcopConstraint, dcopCellsMax, dcopSumMax, isCost } from './dcop-problem.ts';

/** A variable and its values. */
export interface NamedValues {
  readonly name: string;
  readonly values: readonly string[];
}

/** What is to be left to one variable: which table is it, over those it depends on? */
export interface UtilTask extends NamedValues {
  /** That it has to account for. Those without costs only its owner knows. */
  readonly constraints: readonly DcopConstraint[];
  /** Tables of those below it. */
  readonly below: readonly CostTable[];
  /** Over which the table goes that is asked for, in this order. */
  readonly separator: readonly NamedValues[];
}

/** Body of a `get_util` request: one task for each variable of its recipient. */
export interface UtilQuestion {
  readonly problem: string;
  readonly objective: Objective;
  readonly tasks: readonly UtilTask[];
}

/** Body of the answer: of each task the best cost for each assignment to its separator, in rows. */
export interface UtilReply {
  readonly utils: readonly (readonly number[])[];
}

/** Which value is best for one variable, now that those above it are decided? */
export interface ChoiceTask extends NamedValues {
  readonly constraints: readonly DcopConstraint[];
  /** What each of its values costs below it. */
  readonly below: readonly number[];
  /** The variables above it, and where they stand. */
  readonly above: readonly (NamedValues & { readonly value: string })[];
}

/** Body of a `get_value` request. */
export interface ChoiceQuestion {
  readonly problem: string;
  readonly objective: Objective;
  readonly tasks: readonly ChoiceTask[];
}

/** A value, and what it costs by those constraints that only its owner knows. */
export interface Choice {
  readonly value: string;
  readonly cost: number;
}

/** Body of the answer. */
export interface ChoiceReply {
  readonly choices: readonly Choice[];
}

/** Asks an agent what is best below some variables. */
export const utilQuestion: Question<UtilQuestion, UtilReply['utils']> = {
  type: 'get_util',
  parse: ({ body }) => (isUtilQuestion(body) ? parsed(body) : noTasks(body)),
  reply: (utils) => parseUtils({ utils }),
};

/** Asks an agent to choose values. */
export const choiceQuestion: Question<ChoiceQuestion, ChoiceReply['choices']> = {
  type: 'get_value',
  parse: ({ body }) => (isChoiceQuestion(body) ? parsed(body) : noTasks(body)),
  reply: (choices) => parseChoices({ choices }),
};

/** The table of one task, with what is not in the spec from elsewhere. */
// oxlint-disable-next-line max-params -- of what, to which end, and what is known
export function utilOf(
  { name, values, constraints, below, separator }: UtilTask,
  objective: Objective,
  costs: (constraint: DcopConstraint) => readonly number[],
): Float64Array {
  const tables = constraints.map((each) => ({ over: each.over, costs: each.costs ?? costs(each) }));
  const own = { name, size: values.length };
  return eliminate([...tables, ...below], { own, others: separator.map(axisOf) }, objective);
}

/** The best value, the first of several, and what it costs. */
// oxlint-disable-next-line max-params -- of what, to which end, and what is known
export function choiceOf(
  { name, values, constraints, below, above }: ChoiceTask,
  objective: Objective,
  costs: (constraint: DcopConstraint) => readonly number[],
): Choice {
  const own = { name, size: values.length };
  const known = new Map(
    above.map((each) => [each.name, { ...axisOf(each), value: each.values.indexOf(each.value) }]),
  );
  const at = (other: string): Axis & { readonly value: number } =>
    known.get(other) ?? { name: other, size: 1, value: 0 };
  const tablesOf = (isPrivate: boolean): readonly CostTable[] =>
    constraints
      .filter((each) => (each.costs === undefined) === isPrivate)
      .map((each) => ({ over: each.over, costs: each.costs ?? costs(each) }));
  const [shared, secret] = [slice(tablesOf(false), own, at), slice(tablesOf(true), own, at)];
  const all = values.map(
    (_, value) => (shared[value] ?? 0) + (secret[value] ?? 0) + (below[value] ?? 0),
  );
  const best = bestOf(all, objective);
  return { value: values[best] ?? '', cost: secret[best] ?? 0 };
}

/** The list that is all of a body. */
// oxlint-disable-next-line max-params -- of what, which one, a list of what
export function listIn(body: unknown, field: string, what: string): Parsed<readonly unknown[]> {
  if (!isRecord(body)) return unparsed(`body: expected { ${field} }, got ${shown(body)}`);
  const extra = unknownField(body, [field]);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const list = body[field];
  return Array.isArray(list)
    ? parsed(list)
    : unparsed(`body.${field}: expected ${what}, got ${shown(list)}`);
}

/** Reads the body of an answer to `get_util`. */
export function parseUtils(body: unknown): Parsed<UtilReply> {
  const list = listIn(body, 'utils', 'tables');
  if (!list.ok) return list;
  const { value: utils } = list;
  const tables = utils.filter(isTable);
  if (tables.length === utils.length) return parsed({ utils: tables });
  const wrong = utils.findIndex((table) => !isTable(table));
  return unparsed(`body.utils[${wrong}]: expected whole numbers, got ${shown(utils[wrong])}`);
}

function isTable(table: unknown): table is readonly number[] {
  return (
    Array.isArray(table) &&
    table.length <= dcopCellsMax &&
    table.every((cost) => isCost(cost, dcopSumMax))
  );
}

/** Reads the body of an answer to `get_value`. */
export function parseChoices(body: unknown): Parsed<ChoiceReply> {
  const list = listIn(body, 'choices', 'choices');
  if (!list.ok) return list;
  const read: Choice[] = [];
  for (const each of list.value) {
    const { value, cost = 0 } = isRecord(each) ? each : {};
    if (typeof value !== 'string' || !isCost(cost, dcopSumMax)) {
      return unparsed(`body.choices: expected { value, cost? }, got ${shown(each)}`);
    }
    read.push({ value, cost });
  }
  return parsed({ choices: read });
}

function axisOf({ name, values }: NamedValues): Axis {
  return { name, size: values.length };
}

/** The coordinator has checked the problem: what it asks is taken as it is, as far as it has the form. */
function isUtilQuestion(body: unknown): body is UtilQuestion {
  return isTasks(body, ['constraints', 'below', 'separator']);
}

function isChoiceQuestion(body: unknown): body is ChoiceQuestion {
  return isTasks(body, ['constraints', 'below', 'above']);
}

/** @param hasRest - whether a task has what else it needs */
// oxlint-disable-next-line max-params -- of what, which lists, and what else
export function isTasks(
  body: unknown,
  lists: readonly string[],
  hasRest = (_task: Readonly<Record<string, unknown>>): boolean => true,
): boolean {
  if (!isRecord(body) || typeof body['problem'] !== 'string') return false;
  const { objective, tasks } = body;
  return (
    isOneOf(['min', 'max'], objective) &&
    Array.isArray(tasks) &&
    tasks.every(
      (task) =>
        isRecord(task) &&
        typeof task['name'] === 'string' &&
        ['values', ...lists].every((list) => Array.isArray(task[list])) &&
        hasRest(task),
    )
  );
}

function noTasks(body: unknown): Parsed<never> {
  return unparsed(`body: expected { problem, objective, tasks }, got ${shown(body)}`);
}
