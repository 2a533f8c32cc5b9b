import {
  FoundationError,
  isFoundationError,
  isRefused,
  messageOf,
  systemClock,
} from '@foundation/core';
import type { Clock, Refused, Timer } from '@foundation/core';

import { fixedDirectory } from './agent-directory.ts';
import type { AgentDirectory, AgentHandle, AgentsByCapability } from './agent-directory.ts';
import { pickAgent } from './assignment.ts';
import { agentsError } from './errors.ts';
import type { Goal } from './goal.ts';
import type { PlanEffect, PlanEvent, StartEffect } from './plan-event.ts';
import { resolvePlanOptions } from './plan-options.ts';
import type { PlanOptions, ResolvedPlanOptions } from './plan-options.ts';
import { reportPlan } from './plan-report.ts';
import type { PlanReport } from './plan-report.ts';
import { PlanState } from './plan-state.ts';
import { planGoal } from './plan.ts';
import type { Plan } from './plan.ts';

/** Carries out goals with the agents at hand. Goals of one planner share its knowledge of who is busy. */
export interface Planner {
  /**
   * Runs a goal's steps, in parallel where its graph allows, on agents with the capabilities they ask for.
   *
   * A step goes to the least loaded agent, then to one of `preferNode`, then by id. One whose agent dies or is overloaded is tried again,
   * on another agent where there is one: unless it says `effects: 'once'`, it may so be carried out more than once.
   * A refusal or any other error is final. Whatever happens ends as a report, no later than `deadlineMs`; steps still running then
   * are told to stop by their signal, and what they answer later is ignored.
   *
   * @throws FoundationError `AGENTS_INVALID_GOAL` or `INVALID_OPTION`, before anything has started.
   */
  executeGoal(
    goal: Goal,
    agents: AgentDirectory | AgentsByCapability,
    options?: PlanOptions,
  ): Promise<PlanReport>;
}

/** What a planner stands on. */
export interface PlannerOptions {
  /** @defaultValue systemClock */
  readonly clock?: Clock;
}

/** Makes a planner. It holds nothing that needs closing. */
export function createPlanner({ clock = systemClock }: PlannerOptions = {}): Planner {
  const loads = new Map<string, number>();
  return {
    async executeGoal(goal, agents, options = {}) {
      const resolved = resolvePlanOptions(options);
      const plan = planGoal(goal);
      const directory = isDirectory(agents) ? agents : fixedDirectory(agents);
      return new Execution(plan, resolved, { clock, directory, loads }).run();
    },
  };
}

interface Surroundings {
  readonly clock: Clock;
  readonly directory: AgentDirectory;
  /** Steps that each agent is busy with for this planner. */
  readonly loads: Map<string, number>;
}

/** One goal on its way: feeds what happens to the plan's state and does what the state says. */
class Execution {
  readonly #plan: Plan;
  readonly #options: ResolvedPlanOptions;
  readonly #around: Surroundings;
  readonly #state: PlanState;
  readonly #events: PlanEvent[] = [];
  #isFeeding = false;
  readonly #timers = new Set<Timer>();
  /** By token. */
  readonly #attempts = new Map<number, AbortController>();
  readonly #done = Promise.withResolvers<void>();

  constructor(plan: Plan, options: ResolvedPlanOptions, around: Surroundings) {
    this.#plan = plan;
    this.#options = options;
    this.#around = around;
    this.#state = new PlanState(plan, options);
  }

  async run(): Promise<PlanReport> {
    const { clock, directory } = this.#around;
    const { signal } = this.#options;
    const beganAt = clock.now();
    const cancel = (): void => this.#feed({ kind: 'cancel' });
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const unsubscribe = directory.onChange(() => this.#feed({ kind: 'agents-changed' }));
    try {
      this.#feed({ kind: 'begin' });
      await this.#done.promise;
    } finally {
      unsubscribe();
      signal?.removeEventListener('abort', cancel);
      for (const timer of this.#timers) timer.cancel();
      for (const attempt of this.#attempts.values()) attempt.abort(givenUp(this.#plan.goal));
    }
    return reportPlan(this.#plan.goal, this.#state, { beganAt, now: clock.now() });
  }

  /** Takes in an event, and those that arise from what is done about it. */
  #feed(event: PlanEvent): void {
    this.#events.push(event);
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      while (this.#events.length > 0) {
        const events = this.#events.splice(0);
        const effects = this.#state.apply(events, this.#around.clock.now());
        for (const effect of effects) this.#perform(effect);
      }
    } catch (error) {
      // The directory or the clock threw: nobody else would hear of it.
      this.#done.reject(error);
    } finally {
      this.#isFeeding = false;
    }
  }

  #perform(effect: PlanEffect): void {
    switch (effect.kind) {
      case 'start':
        return this.#start(effect);
      case 'abort':
        return this.#attempts.get(effect.token)?.abort(givenUp(this.#plan.goal));
      case 'timer':
        return this.#setTimer(effect.delayMs, effect.event);
      case 'finish':
        return this.#done.resolve();
    }
  }

  #setTimer(delayMs: number, event: PlanEvent): void {
    const timer = this.#around.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.#feed(event);
    });
    this.#timers.add(timer);
  }

  #start(effect: StartEffect): void {
    // Cancelled in the middle of these effects: the event waits behind them, and nothing may start after it.
    if (this.#options.signal?.aborted === true) return;
    const { directory, loads } = this.#around;
    const { step, token, avoid } = effect;
    const agents = directory.byCapability(step.capability);
    const agent = pickAgent(agents, { avoid, loads, preferNode: this.#options.preferNode });
    if (agent === undefined) return this.#feed({ kind: 'unassignable', step: step.id, token });
    this.#feed({ kind: 'started', step: step.id, token, agent: agent.id });
    void this.#attempt(effect, agent);
  }

  async #attempt(effect: StartEffect, agent: AgentHandle): Promise<void> {
    const { loads } = this.#around;
    const controller = new AbortController();
    this.#attempts.set(effect.token, controller);
    loads.set(agent.id, (loads.get(agent.id) ?? 0) + 1);
    const event = await this.#ask(effect, agent, controller.signal);
    this.#attempts.delete(effect.token);
    const load = (loads.get(agent.id) ?? 1) - 1;
    if (load === 0) loads.delete(agent.id);
    else loads.set(agent.id, load);
    this.#feed(event);
  }

  async #ask(effect: StartEffect, agent: AgentHandle, signal: AbortSignal): Promise<PlanEvent> {
    const { step, attempt, token, input, timeoutMs } = effect;
    const about = { step: step.id, token };
    const request = {
      goal: this.#plan.goal.id,
      step: step.id,
      action: step.action,
      input,
      attempt,
      token,
    };
    try {
      const answer = await agent.executeStep(request, { timeoutMs, signal });
      if (!isRefused(answer)) return { kind: 'succeeded', ...about, result: answer };
      const { code, data }: Refused = answer;
      const message = `agent "${agent.id}" refused step "${step.id}": ${code}`;
      const error = new FoundationError('REFUSED', message, { details: { code, data } });
      return { kind: 'failed', ...about, error };
    } catch (error) {
      if (isFoundationError(error)) return { kind: 'failed', ...about, error };
      const message = `step "${step.id}" failed on agent "${agent.id}": ${messageOf(error)}`;
      const wrapped = agentsError('AGENTS_STEP_FAILED', message, { cause: error });
      return { kind: 'failed', ...about, error: wrapped };
    }
  }
}

function givenUp(goal: Goal): FoundationError {
  return new FoundationError('ABORTED', `goal "${goal.id}" no longer waits for this step`);
}

function isDirectory(agents: AgentDirectory | AgentsByCapability): agents is AgentDirectory {
  return typeof agents['byCapability'] === 'function';
}
