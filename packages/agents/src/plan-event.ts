import type { FoundationError } from '@foundation/core';

import type { Step } from './goal.ts';

/** What happened. `step` is an id; `token` says which start of it is meant: an event of an earlier one is ignored. */
export type PlanEvent =
  | { readonly kind: 'begin' }
  | {
      readonly kind: 'started';
      readonly step: string;
      readonly token: number;
      readonly agent: string;
    }
  | { readonly kind: 'unassignable'; readonly step: string; readonly token: number }
  | { readonly kind: 'agents-changed' }
  | {
      readonly kind: 'succeeded';
      readonly step: string;
      readonly token: number;
      readonly result: unknown;
    }
  | {
      readonly kind: 'failed';
      readonly step: string;
      readonly token: number;
      readonly error: FoundationError;
    }
  | { readonly kind: 'retry-due'; readonly step: string; readonly token: number }
  | { readonly kind: 'step-expired'; readonly step: string }
  | { readonly kind: 'plan-expired' }
  | { readonly kind: 'cancel' };

/** What the edge has to do. */
export type PlanEffect =
  | StartEffect
  /** The attempt is given up; its agent should stop. */
  | { readonly kind: 'abort'; readonly token: number }
  /** `event` is to be handed in after `delayMs`. */
  | { readonly kind: 'timer'; readonly delayMs: number; readonly event: PlanEvent }
  | { readonly kind: 'finish' };

/** Ask an agent with the step's capability; answer with `started` or `unassignable`. */
export interface StartEffect {
  readonly kind: 'start';
  readonly step: Step;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Fencing token: grows with every start in the plan. */
  readonly token: number;
  /** The step's input with results in place of references. */
  readonly input: unknown;
  /** Time left to the step's and the plan's deadline, in milliseconds. */
  readonly timeoutMs: number;
  /** Agents that failed this step; to be asked only when there is no other. */
  readonly avoid: readonly string[];
}
