import type { FoundationError } from '@foundation/core';

import type { Goal } from './goal.ts';
import type { PlanState, PlanStatus } from './plan-state.ts';
import type { StepRecord, StepStatus } from './step-record.ts';

/** How a goal ended. */
export interface PlanReport {
  /** Id of the goal. */
  readonly goal: string;
  readonly status: Exclude<PlanStatus, 'running'>;
  /** Results of the steps that succeeded, by id. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Every step, in the order of the goal. */
  readonly steps: readonly StepReport[];
  /** From the call to the end, in milliseconds. */
  readonly durationMs: number;
}

/** How a step went. */
export interface StepReport {
  readonly id: string;
  readonly status: StepStatus;
  /** The last agent that was asked. */
  readonly agent?: string;
  /** How often an agent was asked. */
  readonly attempts: number;
  /** First start, in milliseconds after the goal's. */
  readonly startedAt?: number;
  /** End, in milliseconds after the goal's start. */
  readonly endedAt?: number;
  /** Why it failed or was skipped, or what went wrong last before it was cancelled. */
  readonly error?: FoundationError;
}

/** Sums up a finished plan that began at `beganAt` and ended at `now`. */
export function reportPlan(
  goal: Goal,
  state: PlanState,
  { beganAt, now }: { readonly beganAt: number; readonly now: number },
): PlanReport {
  const steps = goal.steps.flatMap(({ id }) => {
    const record = state.records.get(id);
    return record === undefined ? [] : [reportStep(record, beganAt)];
  });
  return {
    goal: goal.id,
    status: state.status === 'running' ? 'cancelled' : state.status,
    results: Object.fromEntries(state.results),
    steps,
    durationMs: now - beganAt,
  };
}

function reportStep(record: StepRecord, beganAt: number): StepReport {
  const { agent, attempts, error, status } = record;
  return {
    id: record.planned.step.id,
    status,
    attempts,
    ...(agent === undefined ? {} : { agent }),
    ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt - beganAt }),
    ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt - beganAt }),
    ...(error === undefined ? {} : { error }),
  };
}
