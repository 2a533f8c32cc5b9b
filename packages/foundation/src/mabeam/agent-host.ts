import { FoundationError } from '../errors.ts';
import type { AnyDefinition } from '../process/definition.ts';
import type { OrderToAgent } from './agent-order.ts';
import { resolveAgentRegistration, type AgentRegistration } from './agent-registration.ts';
import { updateAgent, type ChangingAgent } from './agent-update.ts';
import { HostedAgent, type HostParts } from './hosted-agent.ts';
import type { AgentId } from './message.ts';

/** What orders are for. */
export type OrderedAgent = ChangingAgent & Pick<HostedAgent, 'inTurn' | 'start' | 'stop' | 'end'>;

/** The agents that are registered on this node. */
export class AgentHost {
  readonly #parts: HostParts;
  readonly #agents = new Map<AgentId, HostedAgent>();

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /**
   * Registers an agent here, and starts it unless told otherwise. One that does not start is not registered.
   *
   * @throws FoundationError `INVALID_OPTION`, `NAME_TAKEN`, `REFUSED`, `START_FAILED`
   */
  async register(id: AgentId, registration: AgentRegistration<AnyDefinition>): Promise<void> {
    const resolved = resolveAgentRegistration(id, registration);
    if (this.#agents.has(id)) throw nameTaken(id, this.#parts.runtime.name);
    const agent = new HostedAgent(this.#parts, id, resolved);
    agent.check();
    this.#agents.set(id, agent);
    try {
      await agent.keep(() => this.#forget(agent));
      if (resolved.start !== false) await agent.inTurn(() => agent.start());
    } catch (error) {
      await agent.end();
      this.#forget(agent);
      throw error;
    }
  }

  #forget(agent: HostedAgent): void {
    if (this.#agents.get(agent.id) === agent) this.#agents.delete(agent.id);
  }

  /** Does what the registry of this node, or of another one, asks for. */
  async obey(agent: OrderedAgent, order: OrderToAgent): Promise<void> {
    switch (order.kind) {
      case 'start':
        return agent.inTurn(() => agent.start());
      case 'stop':
        return agent.inTurn(() => agent.stop());
      case 'restart':
        return agent.inTurn(() => agent.restart());
      case 'deregister':
        return agent.inTurn(() => agent.end());
      case 'update':
        return agent.inTurn(() => updateAgent(agent, order.changes, order));
    }
  }

  get(id: AgentId): HostedAgent | undefined {
    return this.#agents.get(id);
  }
}

export function nameTaken(id: AgentId, node: string): FoundationError {
  return new FoundationError(
    'NAME_TAKEN',
    `"${id}" is the name of an agent or process on ${node}`,
    {
      hint: 'Names are unique in the cluster. Deregister that one first, or choose another id.',
      details: { name: id, node },
    },
  );
}

export function unknownAgent(id: AgentId): FoundationError {
  return new FoundationError('UNKNOWN_AGENT', `no agent "${id}" is registered`, {
    hint: 'Register it first; `agents.find()` lists those that are.',
    details: { id },
  });
}
