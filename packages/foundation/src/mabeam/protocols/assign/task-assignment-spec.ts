import type { Amount } from '../../amount.ts';
import { orDefaults, parseChoice, parseFields, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { type Parsed } from '../../parse.ts';
import { parseGoods } from '../equilibrium/utility.ts';
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
  return parseFields(spec, '{ tasks, … }', ({ tasks, ...given }) => {
    const { rule, method, maxSteps } = orDefaults(given, defaults);
    return {
      tasks: parseGoods('tasks', tasks),
      rule: parseChoice('rule', assignmentRules, rule),
      method: parseChoice('method', methods, method),
      maxSteps: parseWhole('maxSteps', maxSteps, { max: 1_000_000 }),
    };
  });
}
