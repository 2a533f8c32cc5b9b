import type { Amount } from '../../amount.ts';
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
import { parseGoods } from '../equilibrium/utility.ts';
import { definedIn, parseWhole } from '../open-auction.ts';
import { type AssignmentRule, assignmentRules, type Costs } from './costs-question.ts';

const methods = ['hungarian', 'auction'] as const;

/** What is to be done, and what matters. */
export interface TaskAssignmentSpec {
  /** Names of the tasks: 1 to 1,000, each up to 256 characters. */
  readonly tasks: readonly string[];
  /** @defaultValue `one_each` */
  readonly rule?: AssignmentRule;
  /** How the rule `one_each` is computed; both are exact. @defaultValue `hungarian` */
  readonly method?: (typeof methods)[number];
  /** Steps after which the search of the rule `capacity` gives what it has: 1 to 1,000,000. @defaultValue 200_000 */
  readonly maxSteps?: number;
}

/** What an agent has said. */
export interface TaskOffer extends Costs {
  readonly agent: AgentId;
}

/** Who does what. */
export interface TaskAssignmentResult {
  readonly tasks: readonly string[];
  /** Of each task, in their order; null where nobody does it. */
  readonly assigned: readonly (AgentId | null)[];
  /** What the tasks that are done cost together; of the rule `makespan` when the last of them is done. */
  readonly total: Amount;
  /** Everything it was decided by, in the order of the roster. */
  readonly offers: readonly TaskOffer[];
}

/** A spec whose defaults are filled in. */
export type TaskAssignmentTerms = Required<TaskAssignmentSpec>;

const defaults = { rule: 'one_each', method: 'hungarian', maxSteps: 200_000 } as const;

export function parseTaskAssignmentSpec(spec: unknown): Parsed<TaskAssignmentTerms> {
  if (!isRecord(spec)) return unparsed(`expected { tasks, … }, got ${shown(spec)}`);
  const extra = unknownField(spec, ['tasks', ...Object.keys(defaults)]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const { rule, method, maxSteps }: Readonly<Record<string, unknown>> = {
    ...defaults,
    ...definedIn(spec),
  };
  const tasks = parseGoods('tasks', spec['tasks']);
  if (!tasks.ok) return tasks;
  if (!isOneOf(assignmentRules, rule)) {
    return unparsed(`rule: expected one_each, capacity or makespan, got ${shown(rule)}`);
  }
  if (!isOneOf(methods, method)) {
    return unparsed(`method: expected hungarian or auction, got ${shown(method)}`);
  }
  const steps = parseWhole('maxSteps', maxSteps, 1_000_000);
  return steps.ok ? parsed({ tasks: tasks.value, rule, method, maxSteps: steps.value }) : steps;
}
