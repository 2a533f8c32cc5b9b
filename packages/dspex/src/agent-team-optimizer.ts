import type { Configuration, VariableSpace } from '@foundation/ml';

import { optimize, type OptimizationResult, type OptimizeOptions } from './optimize.ts';
import type { EvaluationContext, Measurement, Objective, OptimizationTarget } from './target.ts';

/** The half of the data a team is scored on: the search sees `validation` only. */
export type Split = 'validation' | 'test';

/** Which evaluation a goal is for. */
export interface ExecutionContext {
  /** Which candidate this is, from 0; `undefined` when a team is scored outside a search. */
  readonly index: number | undefined;
  readonly split: Split;
  readonly signal: AbortSignal;
}

/** How a family of agent teams is described, run and scored. */
export interface AgentTeam<C extends Configuration, Goal, Report> {
  readonly id: string;
  /** Every architecture a team can have. */
  readonly space: VariableSpace<C>;
  readonly objective: Objective;
  /** The goal of scoring one architecture on one half of the data. Pure. */
  goalFor(configuration: C, split: Split): Goal;
  /** Reaches the goal: a planner's, or a placement that ships the goal to a node. Rejects when it cannot. */
  execute(goal: Goal, context: ExecutionContext): Promise<Report>;
  /** What a report says about the team. Pure. */
  measure(report: Report): Measurement;
}

/** Searches the architectures of a team; each candidate is one goal, carried out by real agents. */
export interface AgentTeamOptimizer<C extends Configuration = Configuration> {
  /** The team as any optimizer sees it, scored on the validation half. */
  readonly target: OptimizationTarget<C>;
  /** Finds the best architecture on the validation half; see {@link optimize}. */
  optimize(options?: OptimizeOptions<C>): Promise<OptimizationResult<C>>;
  /** Scores one architecture on either half, outside any search. */
  score(
    configuration: C,
    options: { readonly split: Split; readonly signal?: AbortSignal },
  ): Promise<Measurement>;
}

/** Makes an optimizer of a team's architecture. It knows nothing of goals and agents but the three functions given. */
export function agentTeamOptimizer<C extends Configuration, Goal, Report>(
  team: AgentTeam<C, Goal, Report>,
): AgentTeamOptimizer<C> {
  const { id, space, objective } = team;
  const run = async (configuration: C, context: ExecutionContext): Promise<Measurement> =>
    team.measure(await team.execute(team.goalFor(configuration, context.split), context));
  const target: OptimizationTarget<C> = {
    id,
    space,
    objective,
    evaluate: (configuration, { index, signal }: EvaluationContext) =>
      run(configuration, { index, signal, split: 'validation' }),
  };
  return {
    target,
    optimize: (options) => optimize(target, options),
    score: async (configuration, { split, signal = new AbortController().signal }) =>
      run(space.parse(configuration), { index: undefined, split, signal }),
  };
}
