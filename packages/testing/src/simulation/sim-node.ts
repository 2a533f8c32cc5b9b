import type { Pid } from '@foundation/core';
import { Events } from '@foundation/core/internal';
import {
  Cluster,
  Codec,
  parseDelta,
  parseSharePart,
  detectorProfiles,
  Registry,
  ShareJoiner,
  splitShare,
  type ClusterTopic,
  type Link,
  type RegistryDelta,
} from '@foundation/core/internal';

import type { Flaw } from './fault.ts';
import { MachineClock, type MachineClockOptions } from './machine-clock.ts';
import { MemberHistory, type SeenLife } from './member-history.ts';
import { SimDiscovery, type SimDirectory } from './sim-discovery.ts';
import type { SimHost } from './sim-host.ts';
import type { SimNetwork } from './sim-network.ts';
import { SimTransport } from './sim-transport.ts';

export interface SimNodeParts {
  readonly host: SimHost;
  readonly network: SimNetwork;
  readonly directory: SimDirectory;
  /** How wrong its clocks are. */
  readonly clock: MachineClockOptions;
  readonly flaw: Flaw | undefined;
  /** Where breaches of what every node must keep go. */
  readonly problems: string[];
  /** The number of this node's next life. */
  readonly reserve: () => number;
}

type Topic = ClusterTopic | 'registry.share' | 'registry.delta' | 'registry.pull';

/** How long a process takes to start and to end, at most, in milliseconds. */
const startMs = 20;
const endMs = 30;
/** Within which a node has forgotten what was registered on another that is down, in milliseconds. */
const forgetMs = 100;

/** A life of a node: the real `Cluster` and `Registry` at a simulated host, wired as a node wires them. */
export class SimNode {
  readonly host: SimHost;
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly #parts: SimNodeParts;
  readonly clock: MachineClock;
  readonly #codec = new Codec();
  readonly #joiner = new ShareJoiner();
  readonly #running = new Map<number, string>();
  readonly #starting = new Set<string>();
  readonly #ending = new Set<number>();
  readonly #history: MemberHistory;
  #serial = 0;
  #isLeaving = false;

  constructor(parts: SimNodeParts) {
    const { host, network, problems } = parts;
    const incarnation = parts.reserve();
    const events = new Events();
    this.#parts = parts;
    this.host = host;
    this.#history = new MemberHistory(host.node, problems);
    this.clock = new MachineClock(network.simulation, host, parts.clock);
    this.registry = new Registry({
      node: host.node,
      incarnation,
      clock: this.clock,
      events,
      broadcast: (delta) => this.#broadcast(delta),
      evict: (pid) => this.#evict(pid),
    });
    this.cluster = this.#makeCluster(incarnation, events);
    events.on('member-up', (life) => this.#history.up(this.incarnation, life));
    events.on('member-down', (life) => {
      this.#history.down(life);
      this.clock.after(forgetMs, () => this.#checkForgotten(life));
    });
    events.on('problem', ({ what, error }) => {
      // That datagrams do not pass is what a plan of faults may be about.
      if (what !== 'probes') problems.push(`${host.node}: ${what}: ${String(error)}`);
    });
    network.simulation.note(`start ${host.node}.${incarnation}`);
    void this.cluster.start();
  }

  get incarnation(): number {
    return this.cluster.identity.incarnation;
  }

  /** Processes that run here and are not about to end: serial number to name. */
  running(): readonly (readonly [number, string])[] {
    return [...this.#running].filter(([serial]) => !this.#ending.has(serial));
  }

  /** Names of processes that are about to end. */
  ending(): readonly string[] {
    return [...this.#running]
      .filter(([serial]) => this.#ending.has(serial))
      .map(([, name]) => name);
  }

  /** Whether something here is about to happen. */
  get isBusy(): boolean {
    const { host, network } = this.#parts;
    const isStill = host.standsStillUntilMs > network.simulation.nowMs;
    return isStill || this.#starting.size > 0 || this.#ending.size > 0;
  }

  /** Starts a process unless its name is taken. It is known by the name, and by a capability of the same word. */
  startProcess(name: string): void {
    if (this.registry.lookup(name) !== undefined || this.#starting.has(name)) return;
    this.#starting.add(name);
    this.#soon(startMs, () => {
      this.#starting.delete(name);
      const serial = ++this.#serial;
      this.#running.set(serial, name);
      this.registry.register(serial, 'simulated', { name, capabilities: [`can ${name}`] });
    });
  }

  endProcess(name: string): void {
    for (const [serial, runs] of this.#running) if (runs === name) this.#end(serial);
  }

  /** Whether it is there to stay. */
  get isUp(): boolean {
    return this.host.isAlive && !this.#isLeaving;
  }

  /** Leaves in order, then ends. */
  async stop(): Promise<void> {
    this.#isLeaving = true;
    await this.cluster.stop();
    this.#parts.network.crash(this.host, 'kill');
  }

  #end(serial: number): void {
    if (this.#ending.has(serial)) return;
    this.#ending.add(serial);
    this.#soon(endMs, () => {
      this.#ending.delete(serial);
      this.#running.delete(serial);
      this.registry.unregister(serial);
    });
  }

  #soon(limitMs: number, action: () => void): void {
    this.clock.after(this.#parts.network.simulation.random.next() * limitMs, action);
  }

  #evict(pid: Pid): void {
    if (this.#parts.flaw !== 'keeps-both-holders') this.#end(pid.serial);
  }

  #checkForgotten(life: SeenLife): void {
    const { node, incarnation } = life;
    const isKept = this.registry
      .all()
      .some(({ pid }) => pid.node === node && pid.incarnation === incarnation);
    if (!isKept || this.#history.isUp(life)) return;
    this.#parts.problems.push(
      `${this.host.node} keeps entries of ${node}.${incarnation}, which is over`,
    );
  }

  // ── the wiring of a node ───────────────────────────────────────────────────

  #makeCluster(incarnation: number, events: Events): Cluster {
    const { host, network, directory, flaw } = this.#parts;
    return new Cluster({
      identity: { cluster: 'simulated', node: host.node, incarnation, meta: {} },
      transport: new SimTransport(network, host),
      discovery: new SimDiscovery(directory, host),
      clock: this.clock,
      random: network.simulation.random,
      events,
      detector: detectorProfiles.lan,
      handlers: {
        onFrame: (link, _lane, frame) => this.#receive(link, this.#codec.decode(frame)),
        onUp: (_member, link) => this.#introduce(link),
        onRelinked: (_member, link) => {
          if (flaw !== 'tells-shares-once') this.#introduce(link);
        },
        onLinkDown: () => {},
        onDown: ({ node }) => {
          if (flaw !== 'keeps-shares-of-the-dead') this.registry.dropNode(node);
        },
        tell: (link, topic, body) => this.#tell(link, topic, body),
        onDiscovery: () => {},
        onRejoin: async () => this.#rejoin(),
      },
    });
  }

  #rejoin(): number {
    const { reserve, flaw } = this.#parts;
    const incarnation = flaw === 'keeps-its-life' ? this.incarnation : reserve();
    this.#parts.network.simulation.note(`rejoin ${this.host.node}.${incarnation}`);
    this.registry.rejoin(incarnation);
    return incarnation;
  }

  #introduce(link: Link): void {
    for (const part of splitShare(this.registry.ownShare()))
      this.#tell(link, 'registry.share', part);
  }

  #broadcast(delta: RegistryDelta): void {
    const { flaw, network } = this.#parts;
    if (flaw === 'loses-changes' && network.simulation.random.int(4) === 0) return;
    for (const link of this.cluster.links()) this.#tell(link, 'registry.delta', delta);
  }

  #tell(link: Link, topic: Topic, body: unknown): void {
    const lane = topic.startsWith('cluster.') ? 'control' : 'normal';
    link.send(lane, this.#codec.encode([topic, body]));
  }

  #receive(link: Link, message: unknown): void {
    const [topic, body] = message as [Topic, unknown];
    const { node, incarnation } = link.peer;
    if (topic === 'registry.share') {
      const part = parseSharePart(body);
      const share = part === undefined ? undefined : this.#joiner.add(link, part);
      if (share?.incarnation === incarnation) this.registry.receive({ kind: 'share', node, share });
    } else if (topic === 'registry.delta') {
      const delta = parseDelta(body);
      const isMissing =
        delta?.incarnation === incarnation &&
        !this.registry.receive({ kind: 'delta', node, delta });
      if (isMissing) this.#tell(link, 'registry.pull', null);
    } else if (topic === 'registry.pull') this.#introduce(link);
    else this.cluster.receive(link, topic, body);
  }
}
