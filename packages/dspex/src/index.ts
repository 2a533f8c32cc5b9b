/**
 * Optimizers of programs and of whole teams of agents.
 *
 * @packageDocumentation
 */
export {
  agentTeamOptimizer,
  type AgentTeam,
  type AgentTeamOptimizer,
  type ExecutionContext,
  type Split,
} from './agent-team-optimizer.ts';
export { dspexErrors } from './errors.ts';
export {
  optimize,
  type OptimizationResult,
  type OptimizeOptions,
  type RoundReport,
} from './optimize.ts';
export { bestOf, byRank, type Failed, type Measured, type Outcome } from './outcome.ts';
export { paretoFront, type CostAndScore } from './pareto.ts';
export { coordinateAscent } from './strategies/coordinate-ascent.ts';
export { portfolio, portfolioDefaults, type PortfolioOptions } from './strategies/portfolio.ts';
export { randomSearch } from './strategies/random.ts';
export { tpe, tpeDefaults, type TpeOptions } from './strategies/tpe.ts';
export type { RunView, Strategy } from './strategy.ts';
export {
  scoreMinusCost,
  type EvaluationContext,
  type Measurement,
  type Objective,
  type OptimizationTarget,
} from './target.ts';
