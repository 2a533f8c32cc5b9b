import { workerData } from 'node:worker_threads';

import type { Timer } from './clock.ts';
import { ClusterView } from './cluster/cluster-view.ts';
import { Cluster } from './cluster/cluster.ts';
import { HealthCheck } from './cluster/health-check.ts';
import { Quorum } from './cluster/quorum.ts';
import { withQuorum } from './cluster/stores/with-quorum.ts';
import { contextRoom, type ContextRoom } from './context/context-room.ts';
import { FoundationError, isFoundationError } from './errors.ts';
import { Events } from './events.ts';
import { listingOf } from './introspection/process-info.ts';
import { Leases, type LeaseProblem } from './lease/leases.ts';
import { HighsSolver } from './mabeam/highs/highs-solver.ts';
import { createMabeam, type Mabeam } from './mabeam/mabeam.ts';
import { NodeAgents } from './mabeam/node-agents.ts';
import { listSessions, viewSession } from './mabeam/session-view.ts';
import { Exchange, type Station } from './messaging/exchange.ts';
import { codecFor } from './messaging/runtime-codec.ts';
import { Switchboard } from './messaging/switchboard.ts';
import type { DrainOptions, Node, NodeCounters } from './node-api.ts';
import { nodeSettings, type NodeOptions, type NodeSettings } from './node-options.ts';
import { openPorts, type OpenPorts } from './node-ports.ts';
import { systemOf, systemProcess } from './node-system.ts';
import { checkNumber, refuseUnknown } from './options.ts';
import { ProcessManager } from './placement/process-manager.ts';
import { Singletons } from './placement/singletons.ts';
import type { Definition } from './process/definition.ts';
import { catchFloatingRejections } from './process/floating-rejections.ts';
import { LagWatch } from './process/lag-watch.ts';
import { checkMetadata } from './process/listing-check.ts';
import { firstSerial, Pid } from './process/pid.ts';
import { nodeStopped } from './process/process-errors.ts';
import type { Process } from './process/process.ts';
import type { Client, Group } from './process/ref-types.ts';
import { Runtime } from './process/runtime.ts';
import { endAll } from './process/shutdown.ts';
import type { Spawner } from './process/supervisor.ts';
import { Registry } from './registry/registry.ts';
import { offerMetrics } from './telemetry/metrics.ts';
import { isThreadData } from './thread/thread-message.ts';
import { Threads } from './thread/threads.ts';
import { Variables } from './values/variables.ts';

/** Milliseconds that a process may take to end when another node stops it; that gives up by itself. */
const stopMs = 60_000;

/** Milliseconds that each singleton has to end before it is started elsewhere, unless told otherwise. */
const drainMs = 30_000;

/** Milliseconds that another node has to hear that this one drains. */
const tellMs = 2_000;

/** Milliseconds that another node has to report: it may wait for others for a second. */
const healthMs = 3_000;

/** Milliseconds that a node may take to tell of its sessions. */
const sessionsMs = 5_000;

/** Milliseconds after the last link is up, by when names that both sides had are settled. */
const namesSettledMs = 500;

/**
 * Starts a node: it finds the others of its cluster by itself.
 *
 * @throws FoundationError `INVALID_OPTION`, `INVALID_NODE_NAME`, `NAME_TAKEN` (a living node has the
 * name), `ADDRESS_IN_USE`, `SECRET_INVALID` or `STORE_UNAVAILABLE`; nothing stays open then.
 */
export async function startNode(options: NodeOptions = {}): Promise<Node> {
  if (isThreadData(workerData)) throw inThread();
  const settings = await nodeSettings(options, { environment: process.env, cwd: process.cwd() });
  const ports = await openPorts(settings);
  const node = new RunningNode(settings, ports);
  try {
    await node.start();
  } catch (error) {
    await node.stop();
    throw error;
  }
  return node;
}

function inThread(): FoundationError {
  return new FoundationError('INVALID_OPTION', 'a node cannot be started in a thread of a node', {
    hint: 'A thread imports the module that `module` names: that must define processes and do nothing else.',
  });
}

class RunningNode implements Node {
  readonly name: string;
  readonly events = new Events();
  readonly registry: Registry;
  readonly processes: ProcessManager;
  readonly cluster: ClusterView;
  readonly mabeam: Mabeam;
  readonly context: ContextRoom;
  readonly leases: Leases;
  readonly variables: Variables;
  readonly #settings: NodeSettings;
  readonly #ports: OpenPorts;
  readonly #runtime: Runtime;
  readonly #threads: Threads;
  readonly #links: Cluster | undefined;
  readonly #switchboard: Switchboard;
  readonly #singletons: Singletons;
  readonly #agents: NodeAgents;
  readonly #solver: HighsSolver;
  /** What watches the node from inside, and ends with it. */
  readonly #watches = new DisposableStack();
  #isDraining = false;
  readonly #quorum: Quorum;
  readonly #health: HealthCheck;
  #verification: Timer | undefined = undefined;
  #stopped: Promise<void> | undefined = undefined;

  constructor(settings: NodeSettings, ports: OpenPorts) {
    const { name, clock } = settings;
    const { incarnation } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.name = name;
    this.#quorum = new Quorum(settings);
    this.registry = new Registry({
      node: name,
      incarnation,
      clock,
      events: this.events,
      broadcast: (delta) => this.#switchboard.broadcast('registry.delta', delta),
      evict: (pid, error) =>
        this.#runtime.signal(pid, { kind: 'stop', exit: { reason: 'name_conflict', error } }),
    });
    this.#runtime = new Runtime({
      name,
      incarnation,
      clock,
      events: this.events,
      copiesMessages: settings.profile.copiesMessages,
      directory: this.registry,
      codec: codecFor,
      exchange: (runtime) =>
        new Exchange(runtime, { send: (to, packet) => this.#switchboard.send(to, packet) }),
      snapshots: ports.snapshots,
      spawner: this.#spawn,
      abandon: (pid) => this.#abandon(pid),
      random: settings.random,
      scheduler: settings.scheduler,
    });
    this.leases = this.#makeLeases('lease', this.#onLeaseProblem);
    this.variables = this.#makeVariables();
    this.context = contextRoom({ codec: this.#runtime.codec, clock, random: settings.random });
    this.#threads = new Threads(this.#runtime, this.registry, {
      route: (to, bytes, packet) => this.#switchboard.fromThread(to, bytes, packet),
      onLost: (thread) => this.#switchboard.threadLost(thread),
    });
    this.#links = this.#makeCluster();
    this.#switchboard = new Switchboard({
      runtime: this.#runtime,
      threads: this.#threads,
      registry: this.registry,
      cluster: () => this.#links,
    });
    this.#singletons = this.#makeSingletons();
    this.processes = new ProcessManager(this.#runtime, this.#singletons, {
      checkRunning: this.#checkRunning,
      station: (node) => this.cluster.station(node),
      parentOf: (pid) => this.#threads.parentOf(pid),
    });
    this.#agents = this.#makeAgents();
    this.#solver = new HighsSolver({ clock });
    this.mabeam = this.#makeMabeam();
    this.cluster = new ClusterView({
      settings,
      cluster: this.#links,
      self: () => this.incarnation,
      quorum: this.#quorum,
      health: (station) =>
        station.node === name
          ? this.#health.report()
          : systemOf(this.#runtime, station, healthMs).health(),
    });
    this.#health = this.#makeHealth();
  }

  get incarnation(): number {
    return this.#runtime.incarnation;
  }

  async start(): Promise<void> {
    this.#watches.use(catchFloatingRejections(this.#runtime));
    this.#watches.defer(() => this.mabeam.core.stop());
    this.#watches.defer(() => this.mabeam.telemetry.stop());
    this.#watches.use(offerMetrics(this.#runtime, () => this.#threads.count));
    const { lagMaxMs } = this.#settings;
    if (lagMaxMs !== Infinity) this.#watches.use(new LagWatch(this.#runtime, lagMaxMs));
    // Not among the definitions, of which other nodes may start one.
    const system = systemProcess({
      listings: async () => [listingOf(this.#runtime), ...(await this.#threads.listings())],
      startSingleton: (record) => this.#singletons.startHere(record),
      stopProcess: (pid, reason) => this.processes.end({ pid }, { reason, timeoutMs: stopMs }),
      sharedStatistics: (pid) => this.#threads.sharedStatistics(pid),
      snapshots: this.#ports.snapshots,
      health: () => this.cluster.health(),
      agents: (order) => this.#agents.take(order),
      sessions: () => listSessions(this.mabeam.coordination),
      session: (id) => viewSession(this.mabeam.coordination, id),
      drains: ({ node, incarnation }) => this.cluster.drains(node, incarnation),
    });
    await this.#runtime.spawn(system);
    for (const definition of this.#settings.processes) this.#runtime.define(definition);
    this.#watches.use(this.#health);
    this.#watches.defer(() => this.#quorum.stop());
    this.#watches.use(this.cluster.onChange(() => this.#membersChanged()));
    await this.#links?.start();
    await this.#links?.greeted();
    await this.#switchboard.introduced();
  }

  ref<I, A>(process: Definition<I, A>, name: string): Client<A> {
    return this.#runtime.ref(process, name);
  }

  group<I, A>(process: Definition<I, A>, group: string): Group<A> {
    return this.#runtime.group(process, group);
  }

  counters(): NodeCounters {
    return { ...this.#runtime.counters, refused: this.#links?.counters().refused ?? {} };
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    this.#checkRunning();
    refuseUnknown('node.drain', options, ['timeoutMs']);
    const { timeoutMs = drainMs } = options;
    checkNumber('node.drain', { timeoutMs }, { above: 0 });
    this.#isDraining = true;
    this.cluster.drains(this.name, this.incarnation);
    const others = this.cluster.all().filter(({ isSelf }) => !isSelf);
    await Promise.all(others.map((each) => this.#tellOfDraining(each)));
    await this.#singletons.handOver(timeoutMs);
  }

  async leave(options: DrainOptions = {}): Promise<void> {
    await this.drain(options);
    await this.stop();
  }

  /** One that cannot be told learns it from the goodbye. */
  async #tellOfDraining(node: Station): Promise<void> {
    const self = new Pid(this.name, this.incarnation, firstSerial(0));
    await systemOf(this.#runtime, node, tellMs)
      .drains(self)
      .catch(() => {});
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { clock } = this.#settings;
    this.cluster.stop();
    this.#singletons.retire();
    const [system, ...roots] = [...this.#runtime.processes()].filter(
      ({ parent }) => parent === undefined,
    );
    const singletons = roots.filter((each) => this.#keepsSingleton(each));
    const others = roots.filter((each) => !singletons.includes(each));
    await Promise.all([endAll(others, clock), this.#threads.endProcesses()]);
    // Last, as the others start them again only when this node has said goodbye.
    await endAll(singletons, clock);
    await this.#singletons.release();
    if (system !== undefined) await endAll([system], clock);
    // Children of what was killed.
    for (const each of this.#runtime.processes()) each.kill({ reason: 'stuck' });
    this.#runtime.isStopped = true;
    await this.#threads.stop();
    await this.#solver.close();
    this.variables.stop();
    await this.leases.stop();
    await this.#links?.stop();
    await this.#ports.close();
    this.#watches.dispose();
  }

  #keepsSingleton({ relations }: Process): boolean {
    return this.registry.singletons(this.name).some(({ name }) => {
      const pid = this.registry.lookup(name);
      return pid !== undefined && relations.links.has(pid.place);
    });
  }

  readonly #checkRunning = (): void => {
    if (this.#stopped === undefined) return;
    throw nodeStopped(this.name, 'It starts nothing any more. Start another node.');
  };

  readonly #spawn: Spawner = async (behaviour, options, linkTo) => {
    this.#checkRunning();
    checkMetadata(this.#runtime.codec, options);
    if (behaviour.spec.isolation === 'thread')
      return this.#threads.spawn(behaviour, options, linkTo);
    const process = await this.#runtime.spawn(
      behaviour,
      linkTo === undefined ? options : { ...options, linkTo },
    );
    return process.pid;
  };

  async #abandon(pid: Pid): Promise<'abandoned' | 'terminated'> {
    if (pid.thread !== 0) return this.#threads.abandon(pid);
    this.#runtime.find(pid)?.kill({ reason: 'stuck' });
    return 'abandoned';
  }

  /** Asks a process, wherever it is. One that does not answer may be there. */
  async #isRunning(pid: Pid): Promise<boolean> {
    try {
      await this.processes.inspect(pid).statistics();
      return true;
    } catch (error) {
      return !isFoundationError(error) || error.code !== 'NO_PROCESS';
    }
  }

  async #startThere(node: string, record: Parameters<Singletons['startHere']>[0]): Promise<void> {
    await systemOf(this.#runtime, this.cluster.station(node)).startSingleton(record);
  }

  readonly #onLeaseProblem = ({ what, error }: LeaseProblem): void => {
    this.events.emit('problem', { what, error });
  };

  #makeLeases(prefix: string, onProblem: (problem: LeaseProblem) => void): Leases {
    const { name, clock, random } = this.#settings;
    const store = withQuorum(this.#ports.store, this.#quorum);
    return new Leases({ prefix, node: name, store, clock, random, onProblem });
  }

  #makeVariables(): Variables {
    const { name, clock, random } = this.#settings;
    const store = withQuorum(this.#ports.store, this.#quorum);
    return new Variables({ node: name, store, codec: this.#runtime.codec, clock, random });
  }

  #makeSingletons(): Singletons {
    const { clock, role } = this.#settings;
    return new Singletons(this.name, this.registry, {
      clock,
      events: this.events,
      quorum: this.#quorum,
      leases: this.#makeLeases('singleton', (problem) => this.#singletons.onLeaseProblem(problem)),
      handlers: {
        candidates: (definition) => this.cluster.hostsOf(definition),
        canRun: (definition) =>
          role === 'member' && this.#runtime.definition(definition) !== undefined,
        startHere: (...started) => this.processes.startRecord(...started),
        stopHere: (singleton, reason, timeoutMs) =>
          this.processes
            .end({ pid: undefined, name: singleton }, { reason, timeoutMs })
            .catch(() => {}), // it has ended already, or is left behind
        isRunning: (pid) => this.#isRunning(pid),
        startThere: (node, record) => this.#startThere(node, record),
      },
    });
  }

  #makeAgents(): NodeAgents {
    const { registry, processes } = this;
    return new NodeAgents({
      runtime: this.#runtime,
      processes,
      registry,
      singletons: this.#singletons,
      clock: this.#settings.clock,
      threadUsage: (thread) => this.#threads.usage(thread),
    });
  }

  #makeMabeam(): Mabeam {
    const { clock, random } = this.#settings;
    const [runtime, processes] = [this.#runtime, this.processes];
    return createMabeam({
      runtime,
      processes,
      clock,
      random,
      journal: this.#ports.snapshots,
      system: (node, timeoutMs = sessionsMs) =>
        systemOf(this.#runtime, this.cluster.station(node), timeoutMs),
      nodeAgents: this.#agents,
      nodes: () => this.cluster.members().map(({ node }) => node),
      leases: this.leases,
      variables: this.variables,
      solver: this.#solver,
    });
  }

  #makeCluster(): Cluster | undefined {
    const { name, clock, random, detector, role, processes } = this.#settings;
    const { transport, discovery, cluster, incarnation } = this.#ports;
    if (transport === undefined || discovery === undefined) return undefined;
    const meta = { role, processes: processes.map((each) => each.name), osPid: process.pid };
    return new Cluster({
      identity: { cluster, node: name, incarnation, meta },
      transport,
      discovery,
      clock,
      random,
      detector,
      events: this.events,
      handlers: {
        onFrame: (link, _lane, frame) => this.#switchboard.fromLink(link, frame),
        onUp: (member, link) => {
          this.#switchboard.introduce(link);
          if (this.#isDraining) void this.#tellOfDraining(member);
          this.#singletons.settle();
          this.#verifyStates();
        },
        onRelinked: (_member, link) => {
          this.#switchboard.introduce(link);
          this.#verifyStates();
        },
        onLinkDown: (node) => this.#switchboard.nodeLost(node),
        onDown: ({ node }, reason) => {
          if (reason === 'left') this.#quorum.left(node);
          // Without a quorum nothing is inherited.
          this.#membersChanged();
          this.#singletons.onNodeDown(node);
          this.registry.dropNode(node);
          this.#singletons.settle();
        },
        tell: (link, topic, body) => this.#switchboard.tell(link, topic, body),
        onRejoin: () => this.#rejoin(),
        onDiscovery: (error) => this.#health.discoveryTold(error),
      },
    });
  }

  #makeHealth(): HealthCheck {
    const { clock, voters, cluster } = this.#settings;
    const { store, transport, discovery } = this.#ports;
    const askMs = 1_000;
    return new HealthCheck({
      clock,
      view: this.cluster,
      cluster: this.#links,
      quorum: this.#quorum,
      isVotersConfigured: voters !== undefined,
      store,
      isNetwork: cluster !== 'local' && cluster !== 'off',
      transport: transport?.name,
      discovery: discovery?.name,
      ask: (node) => systemOf(this.#runtime, node, askMs).ping(),
    });
  }

  #membersChanged(): void {
    const members = this.cluster.members().filter(({ link }) => link === 'up');
    this.#quorum.view(members.map(({ node }) => node));
  }

  /**
   * A node that was not seen for a while may have run a singleton of this one, and gone further with
   * its state. Whoever keeps the name must know, as soon as the other has given it up.
   */
  #verifyStates(): void {
    const verify = (): void => {
      if (this.#stopped !== undefined) return;
      for (const each of this.#runtime.processes()) this.#runtime.verify(each);
    };
    this.#verification?.cancel();
    this.#verification = this.#settings.clock.after(namesSettledMs, verify, 'background');
  }

  async #rejoin(): Promise<number> {
    const incarnation = await this.#ports.reserve();
    this.#runtime.incarnation = incarnation;
    this.#threads.tellRejoin(incarnation);
    this.#singletons.onRejoin();
    this.registry.rejoin(incarnation);
    return incarnation;
  }
}
