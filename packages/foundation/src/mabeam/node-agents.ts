import { FoundationError } from '../errors.ts';
import type { ProcessManager } from '../placement/process-manager.ts';
import type { Singletons } from '../placement/singletons.ts';
import type { AnyDefinition } from '../process/definition.ts';
import { checkMetadata } from '../process/listing-check.ts';
import type { Runtime } from '../process/runtime.ts';
import type { Registry } from '../registry/registry.ts';
import { AgentDirectory } from './agent-directory.ts';
import { AgentHost, unknownAgent } from './agent-host.ts';
import {
  aboutSingleton,
  agentsListed,
  factsOf,
  type AgentListing,
  type AgentUsage,
} from './agent-info.ts';
import { AgentMeter, type MeterParts } from './agent-meter.ts';
import { parseOrder, type AgentOrder, type OrderToAgent } from './agent-order.ts';
import { resolveAgentRegistration, type AgentRegistration } from './agent-registration.ts';
import { isUp } from './agent-state.ts';
import type { AgentId } from './message.ts';
import { SingletonAgent } from './singleton-agent.ts';

export interface NodeAgentsParts extends Omit<MeterParts, 'processes'> {
  readonly runtime: Runtime;
  readonly processes: ProcessManager;
  readonly registry: Registry;
  readonly singletons: Pick<Singletons, 'stop' | 'restart' | 'end'>;
}

/** Milliseconds that a singleton has to tell what it uses. */
const usageMs = 2_000;

/** What a node does for the agents that are registered on it, whichever node asks. */
export class NodeAgents {
  readonly directory: AgentDirectory;
  readonly #parts: NodeAgentsParts;
  readonly #host: AgentHost;
  /** Singletons of which something is asked. */
  readonly #singletons = new Map<AgentId, SingletonAgent>();

  constructor(parts: NodeAgentsParts) {
    this.#parts = parts;
    this.directory = new AgentDirectory(parts.registry);
    this.#host = new AgentHost(parts);
  }

  /** Carries out an order of another node. */
  async take(order: unknown): Promise<unknown> {
    return this.obey(parseOrder(order));
  }

  async obey(order: AgentOrder): Promise<unknown> {
    switch (order.kind) {
      case 'list':
        return this.#list();
      case 'running':
        return order.ids.filter((id) => isUp(this.directory.get(id)?.status ?? 'registered'));
      case 'forget':
        return this.directory.forget(order.id);
      case 'register':
        return this.#register(order.id, order.registration);
      case 'usage':
        return this.#usage(order.id);
      case 'start':
      case 'stop':
      case 'restart':
      case 'deregister':
      case 'update': {
        const agent = this.#host.get(order.id);
        return agent === undefined ? this.#obeySingleton(order) : this.#host.obey(agent, order);
      }
    }
  }

  async #register(id: AgentId, given: AgentRegistration<AnyDefinition>): Promise<void> {
    const registration = { ...given, process: this.#definition(given.process) };
    if (registration.strategy !== 'singleton') return this.#host.register(id, registration);
    const agent = resolveAgentRegistration(id, registration);
    const { process, init, capabilities, metadata } = agent;
    const about = aboutSingleton({
      id,
      ...factsOf(agent),
      status: 'active',
      health: 'unknown',
      restarts: 0,
      version: 0,
      since: this.#parts.clock.wallNow(),
    });
    const { name: preferNode, codec } = this.#parts.runtime;
    checkMetadata(codec, { metadata: about });
    const options = { name: id, init, capabilities, metadata, preferNode, about };
    return this.#parts.processes.startSingleton(process, options);
  }

  /** From another node only its name came. */
  #definition(process: AnyDefinition): AnyDefinition {
    if ('spec' in process) return process;
    const definition = this.#parts.runtime.definition(process.name);
    if (definition !== undefined) return definition;
    const { name } = this.#parts.runtime;
    throw new FoundationError('UNKNOWN_DEFINITION', `${name} has no definition "${process.name}"`, {
      hint: 'List it in `processes` of `startNode` there.',
    });
  }

  async #obeySingleton(order: OrderToAgent): Promise<void> {
    const { id } = order;
    // Whoever inherits it needs its `init`.
    if (order.kind === 'update') this.#parts.runtime.codec.encode([order.changes], ['changes']);
    const agent = this.#singletons.get(id) ?? new SingletonAgent(id, this.#parts);
    this.#singletons.set(id, agent);
    await this.#host.obey(agent, order).finally(() => {
      if (agent.isIdle) this.#singletons.delete(id);
    });
  }

  async #list(): Promise<AgentListing> {
    const { name } = this.#parts.runtime;
    const own = this.directory
      .all()
      .filter(({ node, status }) => node === name && status !== 'lost');
    const told = own.slice(0, agentsListed);
    const views = told.map(async (agent) => {
      // What does not answer is listed all the same.
      const usage = await this.#usage(agent.id).catch(() => undefined);
      return { agent, usage };
    });
    return { agents: await Promise.all(views), total: own.length, lost: this.directory.lost() };
  }

  async #usage(id: AgentId): Promise<AgentUsage | undefined> {
    const agent = this.#host.get(id);
    if (agent !== undefined) return agent.usage();
    const { strategy, pid } = this.directory.get(id) ?? {};
    if (strategy !== 'singleton') throw unknownAgent(id);
    if (pid === undefined) return undefined;
    const meter = new AgentMeter(this.#parts, pid);
    return (await meter.read({ timeoutMs: usageMs, withState: true })).usage;
  }
}
