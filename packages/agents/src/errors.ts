import { defineErrors } from '@foundation/core';
import type { ErrorTraits, FoundationError } from '@foundation/core';

import type { Step } from './goal.ts';

/** Every code that `@foundation/agents` adds. Each has a heading in `docs/reference/errors.md`. */
export const agentsErrors = {
  /** A goal breaks a rule; `details.issues` lists every breach. */
  AGENTS_INVALID_GOAL: { retryable: false, outcome: 'not-executed' },
  /** No agent offers the capability that a step asks for. */
  AGENTS_NO_AGENT: { retryable: true, outcome: 'not-executed' },
  /** A step did not end within its own deadline. */
  AGENTS_STEP_TIMEOUT: { retryable: false, outcome: 'unknown' },
  /** A step ended with an error that is not a `FoundationError`; it is the `cause`. */
  AGENTS_STEP_FAILED: { retryable: false, outcome: 'unknown' },
  /** A step was skipped because one that it needs failed; that failure is the `cause`. */
  AGENTS_NEED_FAILED: { retryable: false, outcome: 'not-executed' },
} as const satisfies Record<string, ErrorTraits>;

/** Makes an error of this package. */
export const agentsError = defineErrors(agentsErrors);

/** Nobody can do the step. */
export function noAgent({ id, capability }: Step): FoundationError {
  const message = `no agent offers "${capability}", which step "${id}" asks for`;
  return agentsError('AGENTS_NO_AGENT', message, {
    hint: 'Start an agent with this capability, or set `onUnassignable: "wait"`.',
    details: { step: id, capability },
  });
}

/** The step took too long; `cause` is what went wrong before, if anything did. */
export function stepTimeout(
  { id, deadlineMs }: Step,
  cause: FoundationError | undefined,
): FoundationError {
  return agentsError('AGENTS_STEP_TIMEOUT', `step "${id}" did not end within ${deadlineMs} ms`, {
    hint: 'Raise its `deadlineMs`, or give its capability more agents.',
    details: { step: id, deadlineMs },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A step cannot run, since one that it needs failed. */
export function needFailed({ id }: Step, cause: FoundationError): FoundationError {
  const message = `step "${id}", which comes before this one, failed`;
  return agentsError('AGENTS_NEED_FAILED', message, { details: { step: id }, cause });
}
