import { FoundationError, messageOf } from '../errors.ts';
import { onTheSide, systemCalls } from '../introspection/system-calls.ts';
import {
  behaviourOf,
  compileInternal,
  withOwnLimits,
  type Behaviour,
  type OwnLimits,
} from '../process/behaviour.ts';
import type { AnyDefinition } from '../process/definition.ts';
import type { Pid } from '../process/pid.ts';
import type { ProcessContext } from '../process/process-context.ts';
import type { Listing, Runtime } from '../process/runtime.ts';

/** What the main thread asks of a worker. */
export interface SpawnRequest extends Listing {
  readonly module: string;
  readonly definition: string;
  readonly init: unknown;
  readonly linkTo: Pid | undefined;
  readonly restarts: number | undefined;
  /** What the process has of its own. */
  readonly own?: OwnLimits | undefined;
  readonly fencingToken?: number | undefined;
}

/** First process of each worker thread: starts the others, and answers about them. */
export const threadSystem: Behaviour = compileInternal('foundation.thread', {
  isSystem: true,
  start: () => ({}),
  calls: {
    ...systemCalls,
    spawn: onTheSide((ctx, request) => spawnFrom(ctx, request as SpawnRequest)),
  },
});

async function spawnFrom(ctx: ProcessContext, request: SpawnRequest): Promise<Pid> {
  const { signal } = ctx;
  const runtime = ctx.node as Runtime;
  const loaded = (): Promise<Behaviour> => load(runtime, request);
  const common = await (runtime.board?.loading(loaded) ?? loaded());
  const {
    module: _module,
    definition: _definition,
    own,
    fencingToken: token,
    ...options
  } = request;
  const behaviour = own === undefined ? common : withOwnLimits(common, own);
  // The main thread watches over the lease, and ends the process with it.
  const lease = token === undefined ? undefined : { token, isHeld: true };
  const process = await runtime.spawn(behaviour, { ...options, lease });
  // Nobody waits any more: its start has failed for whoever asked.
  if (signal.aborted) process.kill();
  return process.pid;
}

async function load(runtime: Runtime, { module, definition }: SpawnRequest): Promise<Behaviour> {
  for (const value of Object.values(await exportsOf(module))) {
    if (isDefinition(value) && value.name === definition) return runtime.define(behaviourOf(value));
  }
  throw new FoundationError('UNKNOWN_DEFINITION', `${module} exports no process "${definition}"`, {
    hint: 'A process with `isolation: "thread"` must be exported by the module that `module` names.',
  });
}

async function exportsOf(module: string): Promise<Record<string, unknown>> {
  try {
    return (await import(module)) as Record<string, unknown>;
  } catch (error) {
    const why = messageOf(error);
    throw new FoundationError('START_FAILED', `the thread cannot load ${module}: ${why}`, {
      hint: 'A thread imports the module that `module` names; that must define processes and do nothing else.',
      cause: error,
    });
  }
}

function isDefinition(value: unknown): value is AnyDefinition {
  return typeof value === 'object' && value !== null && 'spec' in value && 'name' in value;
}
