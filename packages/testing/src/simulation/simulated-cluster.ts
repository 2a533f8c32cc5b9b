import type { Fault, FaultPlan, Flaw } from './fault.ts';
import { SimDirectory } from './sim-discovery.ts';
import { SimDisk } from './sim-disk.ts';
import { SimHost, type CrashKind } from './sim-host.ts';
import { SimNetwork } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import { Simulation } from './simulation.ts';

/** What is simulated. */
export interface SimulatedClusterOptions {
  readonly seed: string | number;
  readonly nodes: number;
  /** A bug to plant. @defaultValue none */
  readonly flaw?: Flaw;
}

/** What a run showed. */
export interface SimulationReport {
  readonly seed: string | number;
  /** Fingerprint of everything that happened. */
  readonly digest: string;
  /** What must not be and was; empty when all went well. */
  readonly problems: readonly string[];
  /** Virtual milliseconds from the last fault until all agreed. */
  readonly agreedAfterMs: number | undefined;
  readonly events: number;
  /** Newest lines of what happened. */
  readonly trace: readonly string[];
}

/** Virtual milliseconds within which all must agree after the last fault, and then go on agreeing. */
const agreeMs = 40_000;
const stayMs = 6_000;
const lookEveryMs = 100;
/** Wall clocks differ by up to this much, in milliseconds. */
const wallOffsetMs = 2_000;
/** Monotonic clocks run up to so much too fast or too slow. */
const drift = 0.05;

/**
 * Runs a cluster through a plan of faults, then ends all faults but crashes and checks that the living
 * agree: on who is a member, on every entry of the registry, on one holder for each name.
 */
export async function simulateCluster(
  options: SimulatedClusterOptions,
  plan: FaultPlan,
): Promise<SimulationReport> {
  const cluster = new SimulatedCluster(options);
  const { simulation } = cluster;
  for (const { afterMs, fault } of plan) {
    await simulation.advance(afterMs);
    cluster.inject(fault);
  }
  const agreedAfterMs = await cluster.settle();
  return {
    seed: options.seed,
    digest: simulation.digest(),
    problems: cluster.problems,
    agreedAfterMs,
    events: simulation.events,
    trace: simulation.trace(),
  };
}

class SimulatedCluster {
  readonly simulation: Simulation;
  readonly problems: string[] = [];
  readonly #options: SimulatedClusterOptions;
  readonly #network: SimNetwork;
  readonly #directory: SimDirectory;
  readonly #disks = new Map<string, SimDisk>();
  readonly #nodes: SimNode[];
  /** Names that a node held which is gone: who still sees it may have given way to it. */
  readonly #heldByTheGone = new Set<string>();

  constructor(options: SimulatedClusterOptions) {
    this.#options = options;
    this.simulation = new Simulation(options.seed);
    this.#network = new SimNetwork(this.simulation);
    this.#directory = new SimDirectory(this.simulation);
    this.#nodes = Array.from({ length: options.nodes }, (_, index) => this.#boot(`n${index}`));
  }

  inject(fault: Fault): void {
    this.simulation.note(JSON.stringify(fault));
    switch (fault.kind) {
      case 'heal':
        return this.#network.heal();
      case 'cut':
        return this.#network.cut(this.#name(fault.a), this.#name(fault.b), fault.how);
      case 'cut-one-way':
        return this.#network.cutOneWay(this.#name(fault.a), this.#name(fault.b));
      case 'lose':
        return this.#network.lose(fault.share);
      case 'break':
        return this.#network.break(this.#name(fault.a), this.#name(fault.b));
      case 'slow':
        return this.#network.slowDown(this.#name(fault.a), this.#name(fault.b), fault.extraMs);
      case 'split': {
        const names = this.#nodes.map(({ host }) => host.node);
        const isLeft = (index: number): boolean => ((fault.left >> index) & 1) === 1;
        const left = names.filter((_, index) => isLeft(index));
        return this.#network.split(
          left,
          names.filter((name) => !left.includes(name)),
          fault.how,
        );
      }
      case 'restart':
        return this.#restart(fault.node);
      case 'crash':
      case 'stop':
      case 'freeze':
      case 'sleep':
      case 'step':
      case 'register':
      case 'unregister':
        return this.#injectInto(fault);
    }
  }

  /** Ends all faults and waits until the living agree. Returns after how many milliseconds. */
  async settle(): Promise<number | undefined> {
    this.#endFaults();
    const beganMs = this.simulation.nowMs;
    const held = this.#living().flatMap((node) => node.running().map(([, name]) => name));
    // Another holder may have given way to one that is about to end.
    const ending = new Set(this.#living().flatMap((node) => node.ending()));
    const kept = new Set(
      held.filter((name) => !this.#heldByTheGone.has(name) && !ending.has(name)),
    );
    let agreedMs: number | undefined;
    while (
      this.simulation.nowMs - (agreedMs ?? beganMs) <
      (agreedMs === undefined ? agreeMs : stayMs)
    ) {
      await this.simulation.advance(lookEveryMs);
      const isAgreed = this.#disagreements(kept).length === 0;
      agreedMs = isAgreed ? (agreedMs ?? this.simulation.nowMs) : undefined;
    }
    this.problems.push(...this.#disagreements(kept));
    return agreedMs === undefined ? undefined : agreedMs - beganMs;
  }

  // ── faults ─────────────────────────────────────────────────────────────────

  #boot(name: string): SimNode {
    const { simulation } = this;
    const { random } = simulation;
    const clock = {
      rate: 1 + drift * (2 * random.next() - 1),
      wallOffsetMs: Math.round((2 * random.next() - 1) * wallOffsetMs),
    };
    return new SimNode({
      host: new SimHost(simulation, name),
      network: this.#network,
      directory: this.#directory,
      clock,
      flaw: this.#options.flaw,
      problems: this.problems,
      reserve: () => this.#reserve(name),
    });
  }

  /** The machine of a node counts its lives, on its disk. */
  #reserve(name: string): number {
    const { flaw } = this.#options;
    const disk = this.#disk(name);
    const last = Number(disk.read('incarnation') ?? 0);
    const isReused = flaw === 'reuses-incarnations' && last > 0;
    const incarnation = isReused ? last : last + 1;
    disk.write('incarnation', String(incarnation));
    if (flaw !== 'does-not-sync') disk.sync();
    return incarnation;
  }

  #disk(name: string): SimDisk {
    const disk = this.#disks.get(name) ?? new SimDisk();
    this.#disks.set(name, disk);
    return disk;
  }

  #restart(index: number): void {
    const node = this.#nodes[index];
    if (node !== undefined && !node.host.isAlive) this.#nodes[index] = this.#boot(node.host.node);
  }

  #injectInto(
    fault: Exclude<Extract<Fault, { readonly node: number }>, { kind: 'restart' }>,
  ): void {
    const node = this.#nodes[fault.node];
    if (node === undefined || !node.host.isAlive) return;
    switch (fault.kind) {
      case 'crash':
      case 'stop':
        for (const [, name] of node.running()) this.#heldByTheGone.add(name);
        if (fault.kind === 'stop') void node.stop();
        else this.#crash(node, fault.how);
        return;
      case 'freeze':
        return node.host.freeze(fault.durationMs);
      case 'sleep':
        return node.clock.sleep(fault.durationMs);
      case 'step':
        return node.clock.step(fault.byMs);
      case 'register':
        return node.startProcess(fault.name);
      case 'unregister':
        return node.endProcess(fault.name);
    }
  }

  #crash({ host }: SimNode, how: CrashKind): void {
    this.#network.crash(host, how);
    if (how === 'power-off') this.#disk(host.node).losePower(this.simulation.random);
  }

  #endFaults(): void {
    this.simulation.note('the faults end');
    this.#network.heal();
    for (const a of this.#nodes) {
      for (const b of this.#nodes) this.#network.slowDown(a.host.node, b.host.node, 0);
    }
  }

  // ── checks ─────────────────────────────────────────────────────────────────

  /** @param kept - names that were held when the faults ended: they must have a holder. */
  #disagreements(kept: ReadonlySet<string>): readonly string[] {
    const living = this.#living();
    const members = living.map((node) => `${node.host.node}.${node.incarnation}`).join(' ');
    const truth = living.flatMap(entriesOf).toSorted().join(' ');
    const names = living.flatMap((node) => node.running().map(([, name]) => name));
    return [
      ...living.filter((node) => node.isBusy).map(({ host }) => `${host.node} is busy`),
      ...living.flatMap((node) => difference(node, 'members', [viewOf(node), members])),
      ...living.flatMap((node) => difference(node, 'registry', [registryOf(node), truth])),
      ...names
        .filter((name, at) => names.indexOf(name) !== at)
        .map((name) => `${name} has two holders`),
      ...[...kept]
        .filter((name) => !names.includes(name))
        .map((name) => `${name} has lost its holder`),
    ];
  }

  #living(): readonly SimNode[] {
    return this.#nodes.filter(({ isUp }) => isUp);
  }

  #name(index: number): string {
    return `n${index % this.#nodes.length}`;
  }
}

function difference(
  node: SimNode,
  what: string,
  [seen, truth]: readonly [string, string],
): readonly string[] {
  return seen === truth ? [] : [`${node.host.node}'s ${what}: [${seen}] instead of [${truth}]`];
}

function viewOf(node: SimNode): string {
  const others = node.cluster.peers().map((peer) => {
    const mark = peer.status === 'up' ? '' : '?';
    return `${peer.node}.${peer.incarnation}${mark}`;
  });
  return [...others, `${node.host.node}.${node.incarnation}`].toSorted().join(' ');
}

/** What a node's registry says, through each of its doors. */
function registryOf(node: SimNode): string {
  const seen = node.registry.all().map(({ pid, name, capabilities }) => {
    const isFirst = name !== undefined && node.registry.lookup(name)?.equals(pid);
    const isListed = capabilities.every((capability) =>
      node.registry.withCapability(capability).some((each) => each.pid.equals(pid)),
    );
    return `${pid.toString()}${isFirst && isListed ? '=' : '≠'}${name}`;
  });
  return seen.toSorted().join(' ');
}

function entriesOf(node: SimNode): readonly string[] {
  return node
    .running()
    .map(([serial, name]) => `<${node.host.node}.${node.incarnation}.${serial}>=${name}`);
}
