import type { StepRequest } from './agent.ts';

/** An agent as the planner sees it. */
export interface AgentHandle {
  /** Unique in the cluster. */
  readonly id: string;
  /** Name of the node that hosts it. */
  readonly node: string;
  /** Steps it is busy with for others than the asking planner. @defaultValue 0 */
  readonly busy?: number;
  /**
   * Carries out one step. Resolves with the result, or with a refusal; rejects with a `FoundationError`, `PROCESS_DOWN`,
   * `NODE_DOWN`, `NO_PROCESS` or `OVERLOADED` when the agent cannot.
   */
  executeStep(request: StepRequest, options: ExecuteStepOptions): Promise<unknown>;
}

/** How long a step may take. */
export interface ExecuteStepOptions {
  /** Milliseconds left for the step. */
  readonly timeoutMs: number;
  /** Aborts when the step is given up. */
  readonly signal: AbortSignal;
}

/** Where the planner finds agents: a port. */
export interface AgentDirectory {
  /** Agents alive now that offer a capability, in the same order on every node. */
  byCapability(capability: string): readonly AgentHandle[];
  /** Calls `listener` after agents came or went, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** Agents that never change, by capability. */
export type AgentsByCapability = Readonly<Record<string, readonly AgentHandle[]>>;

/** A directory of agents that never change. */
export function fixedDirectory(agents: AgentsByCapability): AgentDirectory {
  const table = new Map(Object.entries(agents));
  return {
    byCapability: (capability) => table.get(capability) ?? [],
    onChange: () => () => {},
  };
}
