import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

import { context as openTelemetry } from '@opentelemetry/api';

import type { Call, Envelope } from '../process/envelope.ts';
import type { Process } from '../process/process.ts';
import { Request } from './request.ts';

/** Whose code runs, for which message, and on behalf of which request. */
export interface Scope {
  readonly owner: Process | undefined;
  /** What the handler at work was sent; undefined outside of handlers. */
  readonly message: Envelope | undefined;
  readonly request: Request | undefined;
}

/** An asynchronous context that is entered again and again: entering it costs 10 ns, making it 300. */
export type Frame = AsyncResource;

const acrossAwaits = new AsyncLocalStorage<Scope | undefined>();
// What is kept must not keep the stores of whoever happened to make it.
const nowhere = new AsyncResource('foundation.nowhere');
// The handler that runs right now. Reading it costs nothing, unlike entering an asynchronous context.
let running: Scope | undefined;

/** On whose behalf the code at hand runs. */
export function currentScope(): Scope | undefined {
  return running ?? acrossAwaits.getStore();
}

/** Sets whose synchronous code follows; returns whose it was before, to be set again. */
export function serve(scope: Scope | undefined): Scope | undefined {
  const outer = running;
  running = scope;
  return outer;
}

/** The request that the code at hand is part of: costs nothing before there is any in this thread. */
export function currentRequest(): Request | undefined {
  return Request.isInUse ? currentScope()?.request : undefined;
}

/** From here on, this turn is nobody's: somebody may have set it off, for others too. */
export function leaveScope(): void {
  if (acrossAwaits.getStore() !== undefined) acrossAwaits.enterWith(undefined);
}

let entering: Scope | undefined;
let entered: () => unknown;

/** Runs code, and all that it awaits, in a scope. */
export function runIn<R>(scope: Scope | undefined, action: () => R): R {
  const outer = serve(undefined);
  entering = scope;
  entered = action;
  try {
    // `enter` returns what `action` does.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return nowhere.runInAsyncScope(enter) as R;
  } finally {
    serve(outer);
  }
}

// One function for all: a closure for each message would be garbage.
function enter(): unknown {
  const action = entered;
  const scope = entering;
  // It must not be kept until the next one comes.
  entering = undefined;
  acrossAwaits.enterWith(scope);
  const trace = scope?.request?.trace;
  return trace === undefined ? action() : openTelemetry.with(trace, action);
}

/** Runs work that goes on when those who set it off have given up. */
export function runForNobody<R>(action: () => R): R {
  return runIn(undefined, action);
}

/** Keeps a scope, to be entered by `frame.runInAsyncScope`. */
export function frameOf(scope: Scope): Frame {
  return runIn(scope, () => new AsyncResource('foundation.process'));
}

/**
 * Milliseconds until somebody gives up for whom the code at hand runs; Infinity where nobody waits. What
 * goes on after that serves nobody any more, and has limits of its own.
 */
export function leftMs({ message, request }: Scope): number {
  const isServing = message?.kind === 'call' && message.isOpen;
  // Whatever is of that kind is a call.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const caller = isServing ? (message as Call).remainingMs() : Infinity;
  if (request === undefined) return caller;
  const whole = request.remainingMs;
  return whole > 0 || isServing || message === undefined ? Math.min(caller, whole) : caller;
}
