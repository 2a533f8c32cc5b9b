import {
  admits,
  defineProcess,
  messageOf,
  newFence,
  sleep,
  startNode,
  type Node,
} from '@foundation/core';

import type { LeaseFault } from './lease-fault.ts';
import { MachineClock } from './machine-clock.ts';
import { SimDirectory, SimDiscovery } from './sim-discovery.ts';
import { SimHost } from './sim-host.ts';
import { SimNetwork } from './sim-network.ts';
import { SimStore, SimStoreServer } from './sim-store.ts';
import { SimTransport } from './sim-transport.ts';
import { Simulation } from './simulation.ts';

/** What can happen to the nodes of a strong singleton. */
export type SingletonFault =
  | LeaseFault
  /** The nodes of one part do not reach those of the other; all reach the store. `left`: one bit a node. */
  | { readonly kind: 'split'; readonly left: number };

/** Faults, each some time after the one before. */
export type SingletonFaultPlan = readonly {
  readonly afterMs: number;
  readonly fault: SingletonFault;
}[];

/** What is simulated. */
export interface SimulatedSingletonOptions {
  readonly seed: string | number;
  readonly nodes: number;
}

/** What a run showed. */
export interface SingletonReport {
  readonly seed: string | number;
  /** Fingerprint of everything that happened. */
  readonly digest: string;
  /** What must not be and was; empty when all went well. */
  readonly problems: readonly string[];
  /** How many lives the singleton had, how many effects the resource took, and how many it refused. */
  readonly lives: number;
  readonly effects: number;
  readonly refused: number;
  /** Virtual milliseconds from the last fault until it worked. */
  readonly worksAfterMs: number | undefined;
  readonly events: number;
  /** Newest lines of what happened. */
  readonly trace: readonly string[];
}

/** Virtual milliseconds for a cluster to form, and for the singleton to work when the faults are over. */
const formMs = 5_000;
const worksWithinMs = 40_000;
/** Virtual milliseconds that the run goes on then. */
const stayMs = 4_000;
/** How long a node waits until it starts the singleton again that it could not start, in milliseconds. */
const retryMs = 500;
const drift = 0.05;

/**
 * Runs whole nodes with one strong singleton, which works on a fenced resource, through a plan of faults. Checks that
 * no life of it handles a message after a later one has, and that exactly one works when the faults are over.
 */
export async function simulateSingleton(
  options: SimulatedSingletonOptions,
  plan: SingletonFaultPlan,
): Promise<SingletonReport> {
  const world = new SingletonWorld(options);
  const { simulation } = world;
  await simulation.advance(formMs);
  for (const { afterMs, fault } of plan) {
    await simulation.advance(afterMs);
    world.inject(fault);
  }
  const worksAfterMs = await world.settle();
  await world.stop();
  return {
    ...world.counts,
    seed: options.seed,
    digest: simulation.digest(),
    problems: world.problems,
    worksAfterMs,
    events: simulation.events,
    trace: simulation.trace(),
  };
}

/** One life of a machine and of the node on it. */
interface Machine {
  readonly host: SimHost;
  readonly clock: MachineClock;
  node: Node | undefined;
}

class SingletonWorld {
  readonly simulation: Simulation;
  readonly problems: string[] = [];
  readonly counts = { lives: 0, effects: 0, refused: 0 };
  readonly #network: SimNetwork;
  readonly #directory: SimDirectory;
  readonly #server: SimStoreServer;
  readonly #machines: Machine[];
  readonly #fence = newFence();
  /** Every node that was started. */
  readonly #nodes: Node[] = [];
  #newest = 0;

  constructor({ seed, nodes }: SimulatedSingletonOptions) {
    this.simulation = new Simulation(seed);
    this.#network = new SimNetwork(this.simulation);
    this.#directory = new SimDirectory(this.simulation);
    this.#server = new SimStoreServer(this.simulation);
    this.#machines = Array.from({ length: nodes }, (_, index) => this.#boot(`n${index}`));
  }

  inject(fault: SingletonFault): void {
    this.simulation.note(JSON.stringify(fault));
    switch (fault.kind) {
      case 'cut':
        return this.#server.cut(this.#at(fault.node).host.node, fault.cut);
      case 'outage':
        this.#server.goAway(fault.how);
        this.simulation.schedule(fault.durationMs, () => this.#server.comeBack());
        return;
      case 'lose':
        return this.#server.lose(fault.share);
      case 'slow':
        return this.#server.slowDown(fault.byMs);
      case 'heal':
        this.#server.heal();
        return this.#network.heal();
      case 'split':
        return this.#split(fault.left);
      case 'restart': {
        const { host } = this.#at(fault.node);
        if (!host.isAlive) this.#machines[this.#indexOf(fault.node)] = this.#boot(host.node);
        return;
      }
      case 'crash':
        return this.#network.crash(this.#at(fault.node).host, 'kill');
      case 'pause':
        return this.#at(fault.node).host.freeze(fault.durationMs);
      case 'sleep':
        return this.#at(fault.node).clock.sleep(fault.durationMs);
      case 'step':
        return this.#at(fault.node).clock.step(fault.byMs);
    }
  }

  #split(left: number): void {
    const names = this.#machines.map(({ host }) => host.node);
    const isLeft = (_: string, index: number): boolean => ((left >> index) & 1) === 1;
    const some = names.filter(isLeft);
    const others = names.filter((name) => !some.includes(name));
    this.#network.split(some, others, 'reset');
  }

  /** Ends all faults and waits until it works. Returns after how many milliseconds it did. */
  async settle(): Promise<number | undefined> {
    this.inject({ kind: 'heal' });
    for (const node of this.#machines.keys()) this.inject({ kind: 'restart', node });
    const beganMs = this.simulation.nowMs;
    const { effects } = this.counts;
    const works = await this.simulation.runUntil(
      () => this.counts.effects > effects && this.#hosts().length === 1,
      worksWithinMs,
    );
    const worksAfterMs = this.simulation.nowMs - beganMs;
    if (!works) this.problems.push(`it does not work ${worksWithinMs} ms after the last fault`);
    await this.simulation.advance(stayMs);
    const hosts = this.#hosts();
    if (hosts.length !== 1) this.problems.push(`it runs in the end on [${hosts.join()}]`);
    return works ? worksAfterMs : undefined;
  }

  /** Ends what would go on for ever. */
  async stop(): Promise<void> {
    for (const { host } of this.#machines) host.crash('kill');
    for (const node of this.#nodes) void node.stop();
    await this.simulation.advance(0);
  }

  /** Nodes that have registered it, each as that node itself knows. */
  #hosts(): readonly string[] {
    return this.#machines.flatMap(({ node, host }) => {
      const isHost = node?.registry
        .all()
        .some((each) => each.name === 'one' && each.node === node.name);
      return isHost === true && host.isAlive ? [host.node] : [];
    });
  }

  #at(node: number): Machine {
    return this.#machines[this.#indexOf(node)] as Machine;
  }

  #indexOf(node: number): number {
    return node % this.#machines.length;
  }

  // ── nodes ──────────────────────────────────────────────────────────────────

  #boot(name: string): Machine {
    const { simulation } = this;
    const { random } = simulation;
    const host = new SimHost(simulation, name);
    const rate = 1 + drift * (2 * random.next() - 1);
    const machine: Machine = {
      host,
      clock: new MachineClock(simulation, host, { rate }),
      node: undefined,
    };
    simulation.note(`start ${name}`);
    void this.#run(machine);
    return machine;
  }

  async #run(machine: Machine): Promise<void> {
    const { host, clock } = machine;
    const worker = this.#worker();
    const node = await startNode({
      name: host.node,
      clusterName: 'simulated',
      profile: 'test',
      processes: [worker],
      ports: {
        transport: new SimTransport(this.#network, host),
        discovery: new SimDiscovery(this.#directory, host),
        store: new SimStore(this.#server, { host, clock }),
      },
      clock,
      random: this.simulation.random,
    });
    machine.node = node;
    this.#nodes.push(node);
    const note = (line: string): void => this.simulation.note(`${host.node}: ${line}`);
    node.events.on('failover', ({ from }) => note(`failover from ${from}`));
    node.events.on('exit', ({ who, reason }) => note(`${who} ended: ${reason}`));
    node.events.on('problem', ({ what, error }) => note(`${what}: ${messageOf(error)}`));
    const singleton = { name: 'one', strategy: 'singleton', consistency: 'strong' } as const;
    for (let isStarted = false; !isStarted && host.isAlive;) {
      isStarted = await node.processes.start(worker, singleton).then(
        () => true,
        () => false,
      );
      if (!isStarted) await sleep(clock, retryMs);
    }
  }

  /** Works every few milliseconds: at once, and once more after a while. */
  #worker(): ReturnType<typeof defineProcess> {
    const { simulation } = this;
    return defineProcess('worker', {
      init: () => ({}),
      continue: (ctx) => {
        this.#onLife(ctx.node.name, ctx.fencingToken ?? 0);
        ctx.every(25, 'work');
      },
      timers: {
        work: async (ctx) => {
          const token = ctx.fencingToken ?? 0;
          this.#onAct(ctx.node.name, token);
          const clock = this.#machines.find(({ node }) => node?.name === ctx.node.name)?.clock;
          if (clock !== undefined) await sleep(clock, simulation.random.next() * 15);
          simulation.schedule(simulation.random.next() * 5, () => this.#onEffect(token));
        },
      },
    });
  }

  // ── checks ─────────────────────────────────────────────────────────────────

  #onLife(node: string, token: number): void {
    this.counts.lives++;
    this.simulation.note(`${node} runs it by token ${token}`);
  }

  /** A handler has begun. */
  #onAct(node: string, token: number): void {
    if (token < this.#newest) {
      this.problems.push(`${node} works by token ${token} after ${this.#newest} has`);
    }
    this.#newest = Math.max(this.#newest, token);
  }

  /** What it does has arrived at the resource. */
  #onEffect(token: number): void {
    if (admits(this.#fence, token)) this.counts.effects++;
    else this.counts.refused++;
  }
}
