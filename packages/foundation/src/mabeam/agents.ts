import type { ProcessManager } from '../placement/process-manager.ts';
import type { Definition } from '../process/definition.ts';
import type { Client } from '../process/ref-types.ts';
import { resolveAgentRegistration, type AgentRegistration } from './agent-registry.ts';
import type { AgentId } from './message.ts';

/** `node.mabeam.agents`: processes registered as agents, each with a supervisor of its own. */
export class AgentRegistry {
  readonly #processes: ProcessManager;

  readonly #node: string;

  constructor(node: string, processes: ProcessManager) {
    this.#node = node;
    this.#processes = processes;
  }

  /**
   * Starts an agent on this node (a singleton: first on this node) under the name `id`, keeps it alive as `restart` says, and makes it
   * known to all nodes by its capabilities.
   *
   * @throws FoundationError `INVALID_OPTION` naming every bad field, `NAME_TAKEN`, `REFUSED` or `START_FAILED`.
   */
  async register<I, A>(
    id: AgentId,
    registration: AgentRegistration<Definition<I, A>, I>,
  ): Promise<Client<A>> {
    const agent = resolveAgentRegistration(id, registration);
    const { process, init, restart, capabilities, metadata } = agent;
    if (agent.strategy === 'singleton') {
      const options = { name: id, init, capabilities, metadata, preferNode: this.#node };
      await this.#processes.startSingleton(process, options);
    } else {
      const { type, ...rules } = restart;
      const options = { name: id, init, restart: type, capabilities, metadata };
      await this.#processes.startHere({ definition: process, options }, { rules });
    }
    return this.#processes.named(process, id);
  }
}
