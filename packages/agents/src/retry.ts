import type { FoundationError } from '@foundation/core';

import { retryDefaults } from './goal.ts';
import type { RetryPolicy, Step } from './goal.ts';

/** The agent is gone or cannot take more: another one may do the step. */
const agentUnavailable: ReadonlySet<string> = new Set([
  'NODE_DOWN',
  'NODE_UNREACHABLE',
  'PROCESS_DOWN',
  'NO_PROCESS',
  'OVERLOADED',
]);

/**
 * Whether a step gets another attempt after `attempts` of them.
 *
 * Only when its agent is unavailable: a refusal, a bad message or a deadline would not become better. A step with
 * `effects: 'once'` moreover needs an error whose outcome is `not-executed`.
 */
export function mayRetry(step: Step, attempts: number, error: FoundationError): boolean {
  if (!agentUnavailable.has(error.code)) return false;
  if (step.effects === 'once' && error.outcome !== 'not-executed') return false;
  return attempts <= (step.retry?.max ?? retryDefaults.max);
}

/** Milliseconds to wait after the attempt with this number (from 1) has failed. */
export function retryDelayMs(policy: RetryPolicy | undefined, attempt: number): number {
  const { baseMs, factor, capMs } = { ...retryDefaults, ...policy };
  return Math.min(capMs, baseMs * factor ** (attempt - 1));
}
