/**
 * Goals, plans, and the planner that runs them over agents.
 *
 * @packageDocumentation
 */
export {
  defineAgent,
  type AgentAction,
  type AgentApi,
  type AgentDefinition,
  type AgentSpec,
  type GoalOutline,
  type StepRequest,
} from './agent.ts';
export {
  fixedDirectory,
  type AgentDirectory,
  type AgentHandle,
  type AgentsByCapability,
  type ExecuteStepOptions,
} from './agent-directory.ts';
export { nodeDirectory } from './node-directory.ts';
export { agentsErrors } from './errors.ts';
export { type GoalIssue, goalIssues } from './goal-issue.ts';
export { parseGoal, retryDefaults, type Goal, type RetryPolicy, type Step } from './goal.ts';
export { planDefaults, type PlanOptions } from './plan-options.ts';
export { type PlanReport, type StepReport } from './plan-report.ts';
export { type PlanStatus } from './plan-state.ts';
export { planGoal, type Plan, type PlannedStep } from './plan.ts';
export { createPlanner, type Planner, type PlannerOptions } from './planner.ts';
export { from, isReference, resolveInput, type Reference } from './reference.ts';
export { type StepStatus } from './step-record.ts';
