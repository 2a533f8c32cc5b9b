import { defineProcess, FoundationError, refuse } from '@foundation/core';
import type { Context, Definition, Placement, Refused } from '@foundation/core';

import type { Goal, Step } from './goal.ts';
import { isPlainObject } from './reference.ts';

/** A step, as its agent receives it. */
export interface StepRequest {
  /** Id of the goal. */
  readonly goal: string;
  /** Id of the step. */
  readonly step: string;
  /** Key of the agent's `actions`. */
  readonly action: string;
  /** The step's input, with results in place of references. */
  readonly input: unknown;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Fencing token: a later start has a greater one. What the action writes to can refuse a smaller one. */
  readonly token: number;
}

/** A goal that still lacks its steps. */
export type GoalOutline = Pick<Goal, 'id' | 'description'>;

/** The calls that every agent answers. */
export interface AgentApi {
  readonly calls: {
    /** Carries out an action. Refuses with `UNKNOWN_ACTION`, naming those it has, or with `INVALID_REQUEST`. */
    executeStep(request: StepRequest): unknown;
    /** Steps that would reach a goal. Refuses with `NO_PLAN` when the agent does not plan. */
    plan(outline: GoalOutline): readonly Step[] | Refused<'NO_PLAN', { readonly agent: string }>;
    capabilities(): readonly string[];
  };
}

/** An agent by value: a process, and what it is good for. */
export type AgentDefinition<Init> = Definition<Init, AgentApi> & {
  readonly capabilities: readonly string[];
};

/** What an agent is made of. Beside what is named here, everything that says where a process runs. */
export interface AgentSpec<Init, S extends object> extends Placement {
  /** What it offers; steps ask for one of these. */
  readonly capabilities: readonly [string, ...string[]];
  /** Makes the state. May refuse to start by returning `refuse(…)`. */
  readonly init: (init: Init) => S | Promise<S>;
  /** What it does, by the name that steps use. `return ctx.later(…)` lets it take further steps meanwhile. */
  readonly actions: Readonly<Record<string, AgentAction<Exclude<S, Refused>>>>;
  /** Finds the steps that reach a goal; the answer of the call `plan`. */
  readonly plan?: (
    ctx: Context<Exclude<S, Refused>>,
    outline: GoalOutline,
  ) => readonly Step[] | Promise<readonly Step[]>;
}

/** One action: what it returns is the step's result, a refusal fails the step, a thrown error is a crash of the agent. */
export type AgentAction<S extends object> = (
  ctx: Context<S>,
  input: never,
  request: StepRequest,
) => unknown;

/**
 * Defines an agent: a process that carries out steps of goals.
 *
 * @throws FoundationError `INVALID_DEFINITION` naming the field that is wrong.
 * @example
 * ```ts
 * import { defineAgent } from '@foundation/agents';
 * const counter = defineAgent('counter', {
 *   capabilities: ['words'],
 *   init: () => ({ asked: 0 }),
 *   actions: {
 *     count({ state }, text: string) {
 *       state.asked++;
 *       return text.split(' ').length;
 *     },
 *   },
 * });
 * counter.capabilities; // => ['words']
 * ```
 */
export function defineAgent<Init = void, S extends object = object>(
  name: string,
  spec: AgentSpec<Init, S>,
): AgentDefinition<Init> {
  const { actions, capabilities, init, plan, ...placement } = spec;
  checkCapabilities(name, capabilities);
  type Ctx = Context<Exclude<S, Refused>>;
  const process = defineProcess(name, {
    ...placement,
    init,
    calls: {
      executeStep: (ctx: Ctx, request: StepRequest) => execute(actions, ctx, request),
      plan: (ctx: Ctx, outline: GoalOutline) =>
        plan === undefined ? refuse('NO_PLAN', { agent: name }) : plan(ctx, outline),
      capabilities: () => capabilities,
    },
  });
  return Object.freeze({ ...process, capabilities });
}

function execute<S extends object>(
  actions: Readonly<Record<string, AgentAction<S>>>,
  ctx: Context<S>,
  request: StepRequest,
): unknown {
  if (!isPlainObject(request) || typeof request.action !== 'string') {
    return refuse('INVALID_REQUEST', { expected: '{ goal, step, action, input, attempt, token }' });
  }
  const action = Object.hasOwn(actions, request.action) ? actions[request.action] : undefined;
  if (action === undefined) {
    return refuse('UNKNOWN_ACTION', { action: request.action, known: Object.keys(actions) });
  }
  // What an action takes is known to whoever writes the steps, and to nobody here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return action(ctx, request.input as never, request);
}

function checkCapabilities(name: string, capabilities: readonly string[]): void {
  if (capabilities.length > 0 && capabilities.every((capability) => capability !== '')) return;
  throw new FoundationError(
    'INVALID_DEFINITION',
    `the agent "${name}" has the capabilities [${capabilities.map((c) => `"${c}"`).join(', ')}]`,
    { hint: 'Give at least one capability, and none that is empty.', details: { name } },
  );
}
