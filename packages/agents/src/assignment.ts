import type { AgentHandle } from './agent-directory.ts';

export interface PickOptions {
  /** Ids to be taken only when there is no other. */
  readonly avoid: readonly string[];
  /** Steps that an agent is busy with, by id. */
  readonly loads: ReadonlyMap<string, number>;
  readonly preferNode: string | undefined;
}

/** The agent that gets a step: least loaded, then of the preferred node, then by id; `undefined` when there is none. */
export function pickAgent(
  agents: readonly AgentHandle[],
  { avoid, loads, preferNode }: PickOptions,
): AgentHandle | undefined {
  const load = (agent: AgentHandle): number => (loads.get(agent.id) ?? 0) + (agent.busy ?? 0);
  const isBetter = (a: AgentHandle, b: AgentHandle): boolean => {
    const [aAway, bAway] = [a.node !== preferNode, b.node !== preferNode];
    if (load(a) !== load(b)) return load(a) < load(b);
    return aAway === bAway ? a.id < b.id : bAway;
  };
  const others = avoid.length === 0 ? agents : agents.filter(({ id }) => !avoid.includes(id));
  let best: AgentHandle | undefined;
  for (const agent of others.length > 0 ? others : agents) {
    if (best === undefined || isBetter(agent, best)) best = agent;
  }
  return best;
}
