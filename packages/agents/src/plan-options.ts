import { FoundationError } from '@foundation/core';

import { timerMsMax } from './goal-issue.ts';

/** How a goal is carried out. */
export interface PlanOptions {
  /** Steps of the goal running at the same time, at most. @defaultValue 64 */
  readonly concurrency?: number;
  /** Longest time for the whole goal, in milliseconds. @defaultValue 300000 */
  readonly deadlineMs?: number;
  /** When no agent offers a step's capability: wait for one until the deadline, or fail the step. @defaultValue 'wait' */
  readonly onUnassignable?: 'wait' | 'fail';
  /** Which ready step goes first: longest remaining path of `estMs`, or place in the goal's list. @defaultValue 'critical-path' */
  readonly order?: 'critical-path' | 'listed';
  /** Among equally loaded agents, those of this node go first. */
  readonly preferNode?: string;
  /** Cancels the goal. */
  readonly signal?: AbortSignal;
}

/** How a goal is carried out unless told otherwise. */
export const planDefaults = {
  concurrency: 64,
  deadlineMs: 300_000,
  onUnassignable: 'wait',
  order: 'critical-path',
} as const satisfies PlanOptions;

/** Options with their defaults. */
export type ResolvedPlanOptions = PlanOptions &
  Required<Pick<PlanOptions, keyof typeof planDefaults>>;

/**
 * Fills in the defaults.
 *
 * @throws FoundationError `INVALID_OPTION` naming every bad value.
 */
export function resolvePlanOptions(options: PlanOptions): ResolvedPlanOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedPlanOptions = { ...planDefaults, ...Object.fromEntries(given) };
  const issues = [...optionIssues(resolved)];
  if (issues.length === 0) return resolved;
  throw new FoundationError('INVALID_OPTION', issues.join('; '), { details: { issues } });
}

const known = new Set([...Object.keys(planDefaults), 'preferNode', 'signal']);

function* optionIssues(options: ResolvedPlanOptions): Generator<string> {
  const { concurrency, deadlineMs, onUnassignable, order } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    yield `expected \`concurrency\` to be a whole number from 1, got: ${concurrency}`;
  }
  if (!(deadlineMs >= 1 && deadlineMs <= timerMsMax)) {
    yield `expected \`deadlineMs\` to be a number from 1 to ${timerMsMax}, got: ${deadlineMs}`;
  }
  if (!['wait', 'fail'].includes(onUnassignable)) {
    yield `expected \`onUnassignable\` to be wait or fail, got: ${onUnassignable}`;
  }
  if (!['critical-path', 'listed'].includes(order)) {
    yield `expected \`order\` to be critical-path or listed, got: ${order}`;
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) yield `unknown option \`${name}\`, known are ${[...known].join(', ')}`;
  }
}
