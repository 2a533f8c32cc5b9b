import type { FoundationError } from '@foundation/core';

import type { PlannedStep } from './plan.ts';

/** `pending` waits for its needs, for an agent, or for the time of its next attempt. The last four are final. */
export type StepStatus =
  | 'pending'
  | 'ready'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'skipped';

/** Where one step stands. */
export interface StepRecord {
  readonly planned: PlannedStep;
  status: StepStatus;
  attempts: number;
  token: number;
  agent: string | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  error: FoundationError | undefined;
  avoid: readonly string[];
  needsLeft: number;
  dueAt: number;
}

/** A step before anything happened. */
export function newRecord(planned: PlannedStep): StepRecord {
  return {
    planned,
    status: 'pending',
    attempts: 0,
    token: 0,
    agent: undefined,
    startedAt: undefined,
    endedAt: undefined,
    error: undefined,
    avoid: [],
    needsLeft: planned.needs.length,
    dueAt: Number.POSITIVE_INFINITY,
  };
}

/** Whether a status never changes again. */
export function isFinal(status: StepStatus): boolean {
  return status !== 'pending' && status !== 'ready' && status !== 'running';
}

/** Longest remaining path first, then id. */
export function byRank(a: StepRecord, b: StepRecord): number {
  if (a.planned.rank !== b.planned.rank) return b.planned.rank - a.planned.rank;
  return a.planned.step.id < b.planned.step.id ? -1 : 1;
}

/** As the goal lists its steps. */
export function byIndex(a: StepRecord, b: StepRecord): number {
  return a.planned.index - b.planned.index;
}
