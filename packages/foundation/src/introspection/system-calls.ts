import { messageOf } from '../errors.ts';
import { Failure } from '../process/answer.ts';
import type { AnyHandler } from '../process/behaviour.ts';
import type { ProcessContext } from '../process/process-context.ts';
import type { Runtime } from '../process/runtime.ts';
import { systemArguments as given } from '../system-arguments.ts';
import { introspect } from './introspection.ts';
import { listingOf } from './process-info.ts';

/** Does the work of a system process beside its mailbox; what fails is told to whoever asked, and is no crash. */
export function onTheSide(
  work: (ctx: ProcessContext, ...args: readonly unknown[]) => unknown,
): AnyHandler {
  return (ctx, ...args) =>
    (ctx as ProcessContext).later(() => attempt(() => work(ctx as ProcessContext, ...args)));
}

async function attempt(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return new Failure(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

/** What the first process of every runtime answers about the others. */
export const systemCalls: Readonly<Record<string, AnyHandler>> = {
  listing: (ctx) => listingOf(runtimeOf(ctx)),
  introspect: onTheSide((ctx, pid, question) =>
    introspect(runtimeOf(ctx), given.pid(pid), given.question(question)),
  ),
};

function runtimeOf(ctx: unknown): Runtime {
  return (ctx as ProcessContext).node as Runtime;
}
