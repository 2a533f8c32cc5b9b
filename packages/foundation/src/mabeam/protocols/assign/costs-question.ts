import { type Amount, parseAmount } from '../../amount.ts';
import type { CoordinationRequest } from '../../message.ts';
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

/** See {@link AssignmentRule}. */
export const assignmentRules = ['one_each', 'capacity', 'makespan'] as const;

/**
 * `one_each`: an agent does one task at most, and all together cost least. `capacity`: it does what fits into its capacity,
 * and all together cost least. `makespan`: it does one after the other, and all is done early; costs are durations.
 */
export type AssignmentRule = (typeof assignmentRules)[number];

/** Most tasks of a session. */
export const tasksMax = 1_000;
/** Largest cost, load and capacity. */
export const costMax: Amount = 1_000_000_000n;

/** Body of a `get_costs` request, and what an agent is asked. */
export interface CostsQuestion {
  readonly tasks: readonly string[];
  readonly rule: AssignmentRule;
}

/** What tasks cost an agent. */
export interface Costs {
  /** Of each task, 0 to 1,000,000,000; null for what it cannot do. */
  readonly costs: readonly (Amount | null)[];
  /** Of the rule `capacity`: how much of its capacity each task takes. @defaultValue 1 each */
  readonly loads?: readonly Amount[];
  /** Of the rule `capacity`. @defaultValue none: everything fits */
  readonly capacity?: Amount;
}

/** Asks an agent what tasks cost it. */
export const costsQuestion: Question<CostsQuestion, Costs> = {
  type: 'get_costs',
  parse: parseQuestion,
  reply: parseCosts,
};

/** Reads the body of an answer. */
export function parseCosts(body: unknown): Parsed<Costs> {
  if (!isRecord(body)) return unparsed(`body: expected { costs }, got ${shown(body)}`);
  const extra = unknownField(body, ['costs', 'loads', 'capacity']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const costs = parseList('body.costs', body['costs'], true);
  if (!costs.ok) return costs;
  const { loads: given, capacity: most } = body;
  const loads = given === undefined ? undefined : parseList('body.loads', given, false);
  if (loads?.ok === false) return loads;
  const capacity = most === undefined ? undefined : parseCost('body.capacity', most);
  if (capacity?.ok === false) return capacity;
  return parsed({
    costs: costs.value,
    ...(loads && { loads: loads.value.map((load) => load ?? 0n) }),
    ...(capacity && { capacity: capacity.value }),
  });
}

// oxlint-disable-next-line max-params -- of what, what, and whether there may be none
function parseList(field: string, value: unknown, orNull: boolean): Parsed<(Amount | null)[]> {
  if (!Array.isArray(value) || value.length > tasksMax) {
    return unparsed(`${field}: expected up to ${tasksMax} amounts, got ${shown(value)}`);
  }
  const list: readonly unknown[] = value;
  const read: (Amount | null)[] = [];
  for (const [index, each] of list.entries()) {
    const cost = orNull && each === null ? parsed(null) : parseCost(`${field}[${index}]`, each);
    if (!cost.ok) return cost;
    read.push(cost.value);
  }
  return parsed(read);
}

function parseCost(field: string, value: unknown): Parsed<Amount> {
  const amount = parseAmount(field, value);
  return amount.ok && amount.value > costMax
    ? unparsed(`${field}: expected at most ${costMax}, got ${amount.value}`)
    : amount;
}

/** Body of the `tasks` notice, for everybody who has answered. */
export interface TasksNotice {
  /** What the agent is to do, in the order of the spec. */
  readonly tasks: readonly string[];
}

function parseQuestion({ body }: CoordinationRequest): Parsed<CostsQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { tasks, rule }, got ${shown(body)}`);
  const { tasks, rule } = body;
  if (!Array.isArray(tasks) || !tasks.every((task) => typeof task === 'string')) {
    return unparsed(`body.tasks: expected names, got ${shown(tasks)}`);
  }
  return isOneOf(assignmentRules, rule)
    ? parsed({ tasks, rule })
    : unparsed(`body.rule: expected one_each, capacity or makespan, got ${shown(rule)}`);
}
