import { tell } from '../events.ts';
import type { Delta, Registration, SingletonRecord } from '../registry/registry-state.ts';
import type { Change, Registry } from '../registry/registry.ts';
import type { AgentHealth } from './agent-health-state.ts';
import { agentIn, agentOfSingleton, type AgentInfo } from './agent-info.ts';
import { agentStatusAfter, type AgentStatus } from './agent-state.ts';
import type { AgentId } from './message.ts';

/** What happens to agents, wherever they are. `lost`: its node is gone; a singleton is registered anew by its heir. */
export type AgentEvent =
  | { readonly kind: 'registered' | 'updated' | 'deregistered' | 'lost'; readonly agent: AgentInfo }
  | { readonly kind: 'status'; readonly agent: AgentInfo; readonly before: AgentStatus }
  | { readonly kind: 'health'; readonly agent: AgentInfo; readonly before: AgentHealth };

/** Most lost agents that a node remembers; the oldest go. */
export const lostAgentsMax = 1_000;

/** The agents of the cluster, as the registry of this node knows them, and those that went with their nodes. */
export class AgentDirectory {
  readonly #registry: Pick<Registry, 'lookup'>;
  /** By node, and there by what they stand under in its share. */
  readonly #nodes = new Map<string, Map<string, AgentInfo>>();
  readonly #byId = new Map<AgentId, Set<AgentInfo>>();
  readonly #lost = new Map<AgentId, AgentInfo>();
  readonly #listeners = new Set<(event: AgentEvent) => void>();

  constructor(registry: Pick<Registry, 'lookup' | 'onChange' | 'shares'>) {
    this.#registry = registry;
    for (const share of registry.shares()) this.#follow(share);
    registry.onChange((change) => this.#follow(change));
  }

  // ── reads ──────────────────────────────────────────────────────────────────

  /** Of several of one id, which only a split can bring about, the one that runs. */
  get(id: AgentId): AgentInfo | undefined {
    const known = [...(this.#byId.get(id) ?? [])].map((each) => this.#now(each));
    const [first] = known.toSorted(byNode);
    return known.find(({ status }) => status === 'active') ?? first ?? this.#lost.get(id);
  }

  /** By id, lost ones among them. */
  all(): readonly AgentInfo[] {
    const known = [...this.#byId.values()].flatMap((each) => [...each]);
    return [...known.map((each) => this.#now(each)), ...this.#lost.values()].toSorted(byId);
  }

  lost(): readonly AgentInfo[] {
    return [...this.#lost.values()];
  }

  onEvent(listener: (event: AgentEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Lets go of an agent that was lost. */
  forget(id: AgentId): void {
    const agent = this.#lost.get(id);
    if (agent !== undefined && this.#lost.delete(id)) this.#tell({ kind: 'deregistered', agent });
  }

  #now(agent: AgentInfo): AgentInfo {
    const holder = this.#registry.lookup(agent.id);
    const pid = holder?.node === agent.node ? holder : undefined;
    if (agent.strategy === 'local') return agent.status === 'active' ? { ...agent, pid } : agent;
    if (pid !== undefined) return { ...agent, pid, status: 'active' };
    return agent.status === 'registered' ? agent : { ...agent, status: 'restarting' };
  }

  // ── changes ────────────────────────────────────────────────────────────────

  #follow(change: Change): void {
    const { node } = change;
    switch (change.kind) {
      case 'delta':
        return this.#apply(node, change.delta);
      case 'share':
        return this.#replace(node, change.share);
      case 'drop':
        for (const [key, agent] of this.#nodes.get(node) ?? []) {
          this.#remove(node, key);
          this.#lose(agent);
        }
        this.#nodes.delete(node);
    }
  }

  #apply(node: string, { set, removed, setSingleton, removedSingleton }: Delta): void {
    if (removed !== undefined) this.#deregister(node, String(removed));
    if (removedSingleton !== undefined) this.#deregister(node, nameKey(removedSingleton));
    if (set !== undefined) this.#set(node, String(set.serial), localAgent(node, set));
    if (setSingleton !== undefined) {
      const agent = agentOfSingleton(node, setSingleton);
      this.#set(node, nameKey(setSingleton.name), agent);
    }
  }

  #replace(
    node: string,
    share: {
      readonly registrations: readonly Registration[];
      readonly singletons: readonly SingletonRecord[];
    },
  ): void {
    const entries = new Map<string, AgentInfo | undefined>();
    for (const each of share.registrations)
      entries.set(String(each.serial), localAgent(node, each));
    for (const each of share.singletons)
      entries.set(nameKey(each.name), agentOfSingleton(node, each));
    const known = Array.from(this.#nodes.get(node)?.keys() ?? []);
    for (const key of known) if (!entries.has(key)) this.#deregister(node, key);
    for (const [key, agent] of entries) this.#set(node, key, agent);
  }

  #set(node: string, key: string, agent: AgentInfo | undefined): void {
    if (agent === undefined) return;
    const before = this.#nodes.get(node)?.get(key);
    this.#remove(node, key);
    const agents = this.#nodes.get(node) ?? new Map<string, AgentInfo>();
    const same = this.#byId.get(agent.id) ?? new Set();
    this.#nodes.set(node, agents.set(key, agent));
    this.#byId.set(agent.id, same.add(agent));
    this.#lost.delete(agent.id);
    for (const event of eventsOf(before, agent)) this.#tell(event);
  }

  #deregister(node: string, key: string): void {
    const agent = this.#remove(node, key);
    if (agent !== undefined) this.#tell({ kind: 'deregistered', agent });
  }

  #remove(node: string, key: string): AgentInfo | undefined {
    const agent = this.#nodes.get(node)?.get(key);
    if (agent === undefined) return undefined;
    this.#nodes.get(node)?.delete(key);
    const same = this.#byId.get(agent.id);
    same?.delete(agent);
    if (same?.size === 0) this.#byId.delete(agent.id);
    return agent;
  }

  #lose(known: AgentInfo): void {
    const status = agentStatusAfter(known.status, 'node-lost');
    const agent: AgentInfo = { ...known, status, health: 'unknown' };
    if (!this.#byId.has(known.id)) this.#lost.set(known.id, agent);
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > lostAgentsMax && oldest !== undefined) this.#lost.delete(oldest);
    this.#tell({ kind: 'lost', agent });
  }

  #tell(event: AgentEvent): void {
    for (const listener of this.#listeners) tell(listener, event);
  }
}

/** What has become of an agent between two looks at it. */
function eventsOf(before: AgentInfo | undefined, agent: AgentInfo): readonly AgentEvent[] {
  if (before === undefined) return [{ kind: 'registered', agent }];
  const events: AgentEvent[] = [];
  if (agent.version !== before.version) events.push({ kind: 'updated', agent });
  if (agent.status !== before.status) events.push({ kind: 'status', agent, before: before.status });
  if (agent.health !== before.health) events.push({ kind: 'health', agent, before: before.health });
  return events;
}

function localAgent(node: string, { process, metadata }: Registration): AgentInfo | undefined {
  return agentIn({ node, process, metadata });
}

/** Serial numbers have no such prefix. */
function nameKey(name: string): string {
  return `name ${name}`;
}

function byId(a: AgentInfo, b: AgentInfo): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : byNode(a, b);
}

function byNode(a: AgentInfo, b: AgentInfo): number {
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}
