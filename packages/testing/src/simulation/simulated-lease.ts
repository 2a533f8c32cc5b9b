import { admits, newFence, sleep, type Lease } from '@foundation/core';
import { Leases } from '@foundation/core/internal';

import type { LeaseFault, LeaseFaultPlan, LeaseFlaw } from './lease-fault.ts';
import { flawedRules } from './lease-flaws.ts';
import { MachineClock } from './machine-clock.ts';
import { SimHost } from './sim-host.ts';
import { SimStore, SimStoreServer } from './sim-store.ts';
import { Simulation } from './simulation.ts';

/** What is simulated. */
export interface SimulatedLeaseOptions {
  readonly seed: string | number;
  readonly nodes: number;
  /** A bug to plant. @defaultValue none */
  readonly flaw?: LeaseFlaw;
}

/** What a run showed. */
export interface LeaseReport {
  readonly seed: string | number;
  /** Fingerprint of everything that happened. */
  readonly digest: string;
  /** What must not be and was; empty when all went well. */
  readonly problems: readonly string[];
  /** How often the lease was granted, how many effects the resource took, and how many it refused. */
  readonly grants: number;
  readonly effects: number;
  readonly refused: number;
  /** Virtual milliseconds from the last fault until somebody held the lease. */
  readonly heldAfterMs: number | undefined;
  readonly events: number;
  /** Newest lines of what happened. */
  readonly trace: readonly string[];
}

/** Time of the lease, in milliseconds. */
const ttlMs = 1_000;
/** Virtual milliseconds within which somebody must hold it when the faults are over. */
const heldWithinMs = 8 * ttlMs;
/** Virtual milliseconds that the run goes on then. */
const stayMs = 2 * ttlMs;
/** Monotonic clocks run up to so much too fast or too slow: together what the margin of a lease allows. */
const drift = 0.05;

/**
 * Runs nodes that all want one lease, and work on one resource while they hold it, through a plan of faults.
 * Checks that no two hold it at any moment, that tokens grow from grant to grant, that the resource never takes an
 * effect of an earlier holder after one of a later, and that somebody holds it again when the faults are over.
 */
export async function simulateLease(
  options: SimulatedLeaseOptions,
  plan: LeaseFaultPlan,
): Promise<LeaseReport> {
  const world = new LeaseWorld(options);
  const { simulation } = world;
  for (const { afterMs, fault } of plan) {
    await world.advance(afterMs);
    world.inject(fault);
  }
  const heldAfterMs = await world.settle();
  return {
    ...world.counts,
    seed: options.seed,
    digest: simulation.digest(),
    problems: world.problems,
    heldAfterMs,
    events: simulation.events,
    trace: simulation.trace(),
  };
}

class LeaseWorld {
  readonly simulation: Simulation;
  readonly problems: string[] = [];
  readonly counts = { grants: 0, effects: 0, refused: 0 };
  readonly #options: SimulatedLeaseOptions;
  readonly #server: SimStoreServer;
  readonly #contestants: Contestant[];
  readonly #fence = newFence();
  #highestGranted = 0;
  #highestEffect = 0;

  constructor(options: SimulatedLeaseOptions) {
    this.#options = options;
    this.simulation = new Simulation(options.seed);
    this.#server = new SimStoreServer(this.simulation);
    this.#contestants = Array.from({ length: options.nodes }, (_, index) =>
      this.#boot(`n${index}`),
    );
  }

  /** Lets time pass, and looks at who holds the lease whenever anything happens. */
  async advance(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    return this.simulation.runUntil(() => this.#look() || isDone(), durationMs);
  }

  inject(fault: LeaseFault): void {
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
        return this.#server.heal();
      case 'restart': {
        const { host } = this.#at(fault.node);
        if (!host.isAlive) this.#contestants[this.#indexOf(fault.node)] = this.#boot(host.node);
        return;
      }
      case 'pause':
        return this.#at(fault.node).host.freeze(fault.durationMs);
      case 'sleep':
        return this.#at(fault.node).clock.sleep(fault.durationMs);
      case 'crash':
        return this.#at(fault.node).host.crash('kill');
      case 'step':
        return this.#at(fault.node).clock.step(fault.byMs);
    }
  }

  /** Ends all faults and waits for a holder. Returns after how many milliseconds there was one. */
  async settle(): Promise<number | undefined> {
    this.simulation.note('the faults end');
    this.#server.heal();
    for (const node of this.#contestants.keys()) this.inject({ kind: 'restart', node });
    const beganMs = this.simulation.nowMs;
    const isHeld = await this.advance(heldWithinMs, () => this.#holders().length > 0);
    const heldAfterMs = this.simulation.nowMs - beganMs;
    if (!isHeld) this.problems.push(`nobody holds it ${heldWithinMs} ms after the last fault`);
    await this.advance(stayMs);
    return isHeld ? heldAfterMs : undefined;
  }

  #boot(name: string): Contestant {
    return new Contestant(name, {
      simulation: this.simulation,
      server: this.#server,
      flaw: this.#options.flaw,
      onGrant: (token) => this.#onGrant(name, token),
      onEffect: (token) => this.#onEffect(name, token),
    });
  }

  #at(node: number): Contestant {
    return this.#contestants[this.#indexOf(node)] as Contestant;
  }

  #indexOf(node: number): number {
    return node % this.#contestants.length;
  }

  // ── checks ─────────────────────────────────────────────────────────────────

  #holders(): readonly Contestant[] {
    return this.#contestants.filter(({ host, lease }) => {
      return host.isAlive && lease !== undefined && lease.remainingMs > 0;
    });
  }

  /** Stops at the first breach. */
  #look(): boolean {
    const holders = this.#holders();
    if (holders.length > 1 && this.problems.length === 0) {
      const names = holders.map(({ host, lease }) => `${host.node} by token ${lease?.token}`);
      this.problems.push(`at ${this.simulation.nowMs} ms it is held by ${names.join(' and ')}`);
    }
    return this.problems.length > 0;
  }

  #onGrant(node: string, token: number): void {
    this.counts.grants++;
    this.simulation.note(`${node} has token ${token}`);
    if (token <= this.#highestGranted) {
      this.problems.push(`${node} was granted token ${token} after ${this.#highestGranted}`);
    }
    this.#highestGranted = token;
  }

  #onEffect(node: string, token: number): void {
    const isTaken = this.#options.flaw === 'no-fence' || admits(this.#fence, token);
    this.simulation.note(`effect of ${node} by token ${token}: ${isTaken}`);
    if (!isTaken) {
      this.counts.refused++;
      return;
    }
    this.counts.effects++;
    if (token < this.#highestEffect) {
      this.problems.push(
        `an effect of token ${token} was taken after one of ${this.#highestEffect}`,
      );
    }
    this.#highestEffect = Math.max(this.#highestEffect, token);
  }
}

interface ContestantParts {
  readonly simulation: Simulation;
  readonly server: SimStoreServer;
  readonly flaw: LeaseFlaw | undefined;
  readonly onGrant: (token: number) => void;
  /** What it does has arrived at the resource. */
  readonly onEffect: (token: number) => void;
}

/** A program that wants the lease and works while it has it, as carefully as a program can. */
class Contestant {
  readonly host: SimHost;
  readonly clock: MachineClock;
  lease: Lease | undefined;
  readonly #parts: ContestantParts;
  readonly #leases: Leases;

  constructor(name: string, parts: ContestantParts) {
    const { simulation, server, flaw } = parts;
    const { random } = simulation;
    this.#parts = parts;
    this.host = new SimHost(simulation, name);
    // Often as wrong as can be: that is where the mistakes are.
    const rate = 1 + drift * (random.int(2) === 0 ? random.int(3) - 1 : 2 * random.next() - 1);
    const wallOffsetMs = Math.round((random.next() - 0.5) * 10_000);
    this.clock = new MachineClock(simulation, this.host, { rate, wallOffsetMs });
    this.#leases = new Leases({
      prefix: 'lease',
      node: name,
      store: new SimStore(server, { host: this.host, clock: this.clock }),
      clock: this.clock,
      random,
      onProblem: () => {},
      rules: flawedRules(flaw),
    });
    simulation.note(`start ${name} at ${rate}`);
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.host.isAlive) {
      this.lease = await this.#leases.acquire('singleton', { ttlMs });
      this.#parts.onGrant(this.lease.token);
      await this.#work(this.lease);
      await this.lease.release();
    }
  }

  async #work(lease: Lease): Promise<void> {
    const { simulation, onEffect } = this.#parts;
    const { random } = simulation;
    while (lease.isHeld && random.int(60) > 0) {
      // It has looked, and is held up before it acts: no care helps against that.
      await sleep(this.clock, random.next() * 20);
      simulation.schedule(random.next() * 5, () => onEffect(lease.token));
      await sleep(this.clock, random.next() * 30);
    }
  }
}
