import { FoundationError } from '../errors.ts';
import { isCall, type Call, type Envelope } from './envelope.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';

/** A handler here that has made a call and may be waiting for it. */
export interface Waiter {
  readonly owner: Process;
  /** What the handler was sent. */
  readonly message: Envelope;
}

/** The same of another runtime: which process, at which of its messages, and its name for people. */
export interface FarWaiter {
  readonly pid: Pid;
  readonly turn: number;
  readonly who: string;
}

/** Whom a call came from: a handler here, or handlers elsewhere, the nearest first. */
export type Waited = Pick<Call, 'waiter' | 'farWaiters'>;

/** Waiters that travel with a call; older ones are left out, and a cycle through them times out. */
export const farWaitersMax = 32;

/**
 * The names along the cycle that a call to `target` would close; undefined when it closes none.
 *
 * A process cannot take a call while its own handler waits for it. A handler that is over, as one that
 * replies later, waits for nothing.
 */
export function findCycle(target: Process, call: Waited): readonly string[] | undefined {
  const between: string[] = [];
  for (let at: Waited | undefined = call; at !== undefined; at = callerOf(at)) {
    const { waiter, farWaiters } = at;
    if (waiter?.owner === target && target.isAt(waiter.message)) return closed(target, between);
    if (waiter !== undefined) between.unshift(waiter.owner.describe());
    for (const { pid, turn, who } of farWaiters) {
      if (pid.equals(target.pid) && target.isAtTurn(turn)) return closed(target, between);
      between.unshift(who);
    }
  }
  return undefined;
}

/** What another runtime must know of the handlers that wait for a call, the nearest first. */
export function farWaitersOf(call: Waited): readonly FarWaiter[] {
  const found: FarWaiter[] = [];
  for (let at: Waited | undefined = call; at !== undefined; at = callerOf(at)) {
    const { waiter, farWaiters } = at;
    if (waiter?.owner.isAt(waiter.message) === true) {
      const { pid, handled: turn } = waiter.owner;
      found.push({ pid, turn, who: waiter.owner.describe() });
    }
    found.push(...farWaiters);
  }
  return found.slice(0, farWaitersMax);
}

/** The call that the handler behind a call serves, while somebody waits for that. */
function callerOf({ waiter }: Waited): Waited | undefined {
  const message = waiter?.message;
  return message !== undefined && isCall(message) && message.isOpen ? message : undefined;
}

function closed(target: Process, between: readonly string[]): readonly string[] {
  return [target.describe(), ...between, target.describe()];
}

/** What a caller gets whose call would wait for itself. */
export function callCycle(chain: readonly string[]): FoundationError {
  return new FoundationError('CALL_CYCLE', `a call that waits for itself: ${chain.join(' → ')}`, {
    hint: 'Nothing was executed. Cast instead, or make the call in `ctx.later`, so that the mailbox goes on.',
    details: { chain },
  });
}
