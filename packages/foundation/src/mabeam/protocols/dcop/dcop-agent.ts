import type { ParticipantHandlers } from '../../participant.ts';
import type { DcopConstraint } from './dcop-problem.ts';
import { choiceOf, utilOf } from './dpop-questions.ts';
import { improvementOf } from './local-search-questions.ts';
import { beliefOf, factorOf } from './max-sum-questions.ts';

/** What a constraint costs that only its owners know: a cost for each assignment, in rows. */
export type PrivateCosts<C> = (ctx: C, constraint: DcopConstraint) => readonly number[];

/**
 * An agent that does its part of a DPOP, a max-sum, an MGM or a DSA honestly.
 *
 * @param costs - Of the constraints whose costs are not in the spec.
 */
export function dcopAgent<C>(costs: PrivateCosts<C> = unknownCosts): ParticipantHandlers<C> {
  return {
    util: (ctx, { tasks, objective }) =>
      tasks.map((task) => [...utilOf(task, objective, (each) => costs(ctx, each))]),
    choice: (ctx, { tasks, objective }) =>
      tasks.map((task) => choiceOf(task, objective, (each) => costs(ctx, each))),
    messages: (ctx, { beliefs, factors, objective }) => ({
      beliefs: beliefs.map((task) => beliefOf(task, objective)),
      factors: factors.map((task) => factorOf(task, objective, (each) => costs(ctx, each))),
    }),
    improve: (ctx, { tasks, objective }) =>
      tasks.map((task) => improvementOf(task, objective, (each) => costs(ctx, each))),
  };
}

function unknownCosts(_ctx: unknown, { name }: DcopConstraint): never {
  throw new Error(`the costs of ${name} are not in the spec, and this agent does not know them`);
}
