import { agentsError } from './errors.ts';
import { goalIssues } from './goal-issue.ts';
import type { GoalIssue } from './goal-issue.ts';
import type { Reference } from './reference.ts';

/** Something to be reached by agents: steps and what they need of each other. Plain data, sent between nodes. */
export interface Goal {
  /** Names one execution: agents may recognise a repeated request by goal, step and token. */
  readonly id: string;
  readonly description: string;
  readonly steps: readonly Step[];
}

/** One piece of work for one agent. It is ready when all that it `needs` succeeded, was skipped by `when`, or failed under `continue`. */
export interface Step {
  /** Unique in the goal. */
  readonly id: string;
  /** Only agents registered with this capability are asked. */
  readonly capability: string;
  /** What the agent shall do: a key of its `actions`. */
  readonly action: string;
  /** Ids of the steps that must end first. */
  readonly needs: readonly string[];
  /** Data for the action. May hold references (`from('first', 'unsure')`) to the results of ancestors. */
  readonly input: unknown;
  /** Skips the step, with the result `undefined`, when the referenced value is falsy or empty. */
  readonly when?: Reference;
  /** What happens when the agent dies or is overloaded. */
  readonly retry?: RetryPolicy;
  /**
   * `idempotent`: may be carried out again after an agent died in the middle. `once`: is tried again only when
   * the earlier attempt certainly had no effect. @defaultValue 'idempotent'
   */
  readonly effects?: 'idempotent' | 'once';
  /** Longest time from the first start to the end, over all attempts, in milliseconds. Default: the plan's. */
  readonly deadlineMs?: number;
  /** Expected duration in milliseconds, for the order of steps only. @defaultValue 1 */
  readonly estMs?: number;
  /**
   * `fail-plan`: everything else is cancelled. `skip-dependents`: what does not depend on the step still runs, then the plan
   * fails. `continue`: dependants run with the result `undefined`, the plan can succeed. @defaultValue 'fail-plan'
   */
  readonly onFail?: 'fail-plan' | 'skip-dependents' | 'continue';
}

/** Waiting time before another attempt: `baseMs · factor^(attempt − 1)`, at most `capMs`. */
export interface RetryPolicy {
  /** Further attempts after the first. @defaultValue 2 */
  readonly max?: number;
  /** Wait before the second attempt, in milliseconds. @defaultValue 20 */
  readonly baseMs?: number;
  /** Growth of the wait with each attempt. @defaultValue 2 */
  readonly factor?: number;
  /** Longest wait, in milliseconds. @defaultValue 1000 */
  readonly capMs?: number;
}

/** How a step is repeated unless told otherwise. */
export const retryDefaults: Required<RetryPolicy> = { max: 2, baseMs: 20, factor: 2, capMs: 1_000 };

/**
 * Checks a value, for example one that came from another node, and gives it back as a goal.
 *
 * @throws FoundationError `AGENTS_INVALID_GOAL`, with every breach and its path in `details.issues`.
 */
export function parseGoal(value: unknown): Goal {
  const issues = goalIssues(value);
  if (isSound(value, issues)) return value;
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw agentsError('AGENTS_INVALID_GOAL', `the goal cannot be carried out: ${list}`, {
    hint: 'Correct the named fields; nothing has been started.',
    details: { issues },
  });
}

function isSound(_value: unknown, issues: readonly GoalIssue[]): _value is Goal {
  return issues.length === 0;
}
