import type { Clock } from '../clock.ts';
import type { LeaseOptions, Leases } from '../lease/leases.ts';
import type { ProcessManager } from '../placement/process-manager.ts';
import { anyBehaviour, coordinationMessage } from '../process/behaviour.ts';
import { refSymbol } from '../process/client.ts';
import type { Snapshots } from '../process/durability.ts';
import { noProcess } from '../process/exit.ts';
import { Pid } from '../process/pid.ts';
import { RefCore } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import type { Random } from '../random.ts';
import type { Variables } from '../values/variables.ts';
import { readAgents, type AgentListing } from './agent-info.ts';
import type { AgentOrder } from './agent-order.ts';
import { AgentRegistry } from './agent-registry.ts';
import { createCoordination, type Coordination } from './coordination.ts';
import { Core } from './core/core.ts';
import { catalogOf, clusterStore, localStore } from './core/variable-store.ts';
import { Election } from './election.ts';
import type { SessionId } from './message.ts';
import { Mutex } from './mutex.ts';
import type { NodeAgents } from './node-agents.ts';
import { readListing, readView, type SessionListing, type SessionView } from './session-view.ts';
import type { Messenger, ParticipantRef } from './session.ts';
import type { Solver } from './solver.ts';
import { MabeamTelemetry } from './telemetry/mabeam-telemetry.ts';
import { sessionObserver } from './telemetry/session-observer.ts';

/** `node.mabeam`: agents that decide together. */
export interface Mabeam {
  readonly agents: AgentRegistry;
  readonly core: Core;
  readonly coordination: Coordination;
  readonly telemetry: MabeamTelemetry;
  /** Sessions that another node, or this one, holds or remembers. */
  sessionsOn(node: string): Promise<SessionListing>;
  /** One session of another node, or this one; undefined when it knows none of that id. */
  sessionOn(node: string, id: SessionId): Promise<SessionView | undefined>;
  /** Agents that are registered on another node, or this one, with what they use, and those it knows to be lost. */
  agentsOn(node: string): Promise<AgentListing>;
  /**
   * One leader at a time among those who stand for election under this name. Asks nothing of the store yet.
   *
   * @throws FoundationError `INVALID_OPTION`
   */
  election(name: string, options?: LeaseOptions): Election;
  /**
   * Work that one at a time does in the whole cluster. Asks nothing of the store yet.
   *
   * @throws FoundationError `INVALID_OPTION`
   */
  mutex(name: string, options?: LeaseOptions): Mutex;
}

export interface MabeamParts {
  readonly runtime: Runtime;
  readonly processes: ProcessManager;
  readonly clock: Clock;
  readonly random: Random;
  /** Where durable sessions are written. */
  readonly journal: Snapshots;
  /** What answers for a node. @throws FoundationError `NODE_UNREACHABLE` */
  readonly system: (node: string, timeoutMs?: number) => NodeRef;
  /** What this node does for its agents. */
  readonly nodeAgents: NodeAgents;
  /** The nodes of now. */
  readonly nodes: () => readonly string[];
  readonly leases: Leases;
  readonly variables: Variables;
  readonly solver: Solver;
}

interface NodeRef {
  agents(order: unknown): Promise<unknown>;
  sessions(): Promise<unknown>;
  session(id: SessionId): Promise<Uint8Array | undefined>;
}

/** Milliseconds that another node has to carry out an order: to start an agent may take as long as its `init`. */
const orderMs = 180_000;

export function createMabeam(parts: MabeamParts): Mabeam {
  const { runtime, processes, system, nodeAgents, nodes } = parts;
  const { clock, random, journal, solver, leases, variables } = parts;
  const agents = new AgentRegistry({
    node: runtime.name,
    processes,
    directory: nodeAgents.directory,
    holder: (name) => runtime.directory.lookup(name),
    send: async (node, order) =>
      node === runtime.name
        ? nodeAgents.obey(order)
        : system(node, orderMs).agents(sendable(order)),
    nodes,
  });
  const messenger = processMessenger(runtime);
  const telemetry = new MabeamTelemetry(clock);
  const where = { node: runtime.name, clusterSize: () => nodes().length };
  const observe = sessionObserver(telemetry, where);
  const coordination = createCoordination({ messenger, clock, random, journal, solver, observe });
  const core = coreOf(parts, agents, coordination);
  core.onResult((result) => telemetry.variable(result));
  return {
    agents,
    core,
    coordination,
    telemetry,
    agentsOn: async (node) => readAgents(await system(node).agents({ kind: 'list' })),
    sessionsOn: async (node) => readListing(await system(node).sessions()),
    async sessionOn(node, id) {
      const view = await system(node).session(id);
      return view === undefined ? undefined : readView(view);
    },
    election: (name, options = {}) =>
      new Election(name, options, { node: runtime.name, leases, variables }),
    mutex: (name, options = {}) => new Mutex(name, options, { leases, clock }),
  };
}

function coreOf(
  { runtime, clock, random, nodes, variables, leases }: MabeamParts,
  agents: AgentRegistry,
  coordination: Coordination,
): Core {
  const { name: node, codec } = runtime;
  return new Core({
    node,
    clock,
    coordination,
    control: {
      running: (ids) => agents.running(ids),
      start: (id) => agents.start(id),
      stop: (id) => agents.stop(id),
      configure: (id, configuration) => agents.update(id, { configuration }),
    },
    load: () => ({
      nodes: nodes().length,
      processes: [...runtime.processes()].length,
      heapBytes: process.memoryUsage().heapUsed,
    }),
    stores: {
      local: localStore({ node, codec, clock, random }),
      cluster: clusterStore(variables, leases, codec),
    },
    catalog: catalogOf(variables),
  });
}

/** Of a definition only the name goes to another node, which must have it. */
function sendable(order: AgentOrder): AgentOrder {
  if (order.kind !== 'register') return order;
  const { process, ...rest } = order.registration;
  return { ...order, registration: { ...rest, process: { name: process.name } } };
}

/** Milliseconds that a notice may take to be taken. */
const noticeTimeoutMs = 30_000;

/** Asks participants by message: processes anywhere, by name, pid or ref. */
function processMessenger(runtime: Runtime): Messenger {
  const behaviour = anyBehaviour('participant');
  const send: Messenger['ask'] = (participant, request, options) => {
    const where = addressOf(participant);
    if (where === undefined) return Promise.reject(noProcess(participant.id));
    const ref = new RefCore(runtime, behaviour, { ...where, ...options });
    return ref.call(coordinationMessage, [request], undefined);
  };
  return {
    ask: send,
    tell(participant, notice) {
      const { signal } = new AbortController();
      // Whoever is gone need not be told, and what a participant thinks of it is its own matter.
      send(participant, notice, { timeoutMs: noticeTimeoutMs, signal }).catch(() => undefined);
    },
  };
}

function addressOf({ id, process }: ParticipantRef): { name: string } | { pid: Pid } | undefined {
  if (process === undefined) return { name: id };
  if (process instanceof Pid) return { pid: process };
  if (typeof process !== 'object' || process === null || !(refSymbol in process)) return undefined;
  const { name, pid } = (process[refSymbol] as RefCore).how;
  if (name !== undefined) return { name };
  return pid === undefined ? undefined : { pid };
}
