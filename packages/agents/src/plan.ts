import { parseGoal } from './goal.ts';
import type { Goal, Step } from './goal.ts';
import { dependantsOf, orderByNeeds } from './graph.ts';

/** A checked goal with what the scheduler needs to know of its graph. */
export interface Plan {
  readonly goal: Goal;
  /** Every step after all that it needs. */
  readonly steps: ReadonlyMap<string, PlannedStep>;
}

/** A step with its place in the graph. */
export interface PlannedStep {
  readonly step: Step;
  /** Place in the goal's list, from 0. */
  readonly index: number;
  /** Ids of the steps that must end first, each once. */
  readonly needs: readonly string[];
  /** Ids of the steps that need this one. */
  readonly dependants: readonly string[];
  /** Longest path of `estMs` from the start of this step to the end of the goal (its upward rank). */
  readonly rank: number;
}

/**
 * Checks a goal and works out its graph.
 *
 * @throws FoundationError `AGENTS_INVALID_GOAL`, with every breach in `details.issues`.
 */
export function planGoal(value: Goal): Plan {
  const goal = parseGoal(value);
  const indices = new Map(goal.steps.map((step, index) => [step, index]));
  const byId = new Map(goal.steps.map((step) => [step.id, step]));
  const needs = new Map(goal.steps.map((step) => [step.id, [...new Set(step.needs)]]));
  const dependants = dependantsOf(needs);
  const order = orderByNeeds(needs);
  const ranks = new Map<string, number>();
  for (const id of order.toReversed()) {
    const behind = (dependants.get(id) ?? []).map((dependant) => ranks.get(dependant) ?? 0);
    ranks.set(id, (byId.get(id)?.estMs ?? 1) + behind.reduce((a, b) => Math.max(a, b), 0));
  }
  const steps = new Map<string, PlannedStep>();
  for (const id of order) {
    const step = byId.get(id);
    if (step === undefined) continue;
    steps.set(id, {
      step,
      index: indices.get(step) ?? 0,
      needs: needs.get(id) ?? [],
      dependants: dependants.get(id) ?? [],
      rank: ranks.get(id) ?? 0,
    });
  }
  return { goal, steps };
}
