import type { Timer } from '@foundation/core';
import type { Advertisement, Discovery, DiscoveryHandlers } from '@foundation/core/internal';

import type { SimHost } from './sim-host.ts';
import type { Simulation } from './simulation.ts';

interface Row {
  readonly advertised: Advertisement;
  readonly host: SimHost;
  seenMs: number;
}

/** How often a host says that it lives, how often it looks, and when its row counts for nothing. */
const heartbeatMs = 500;
const lookEveryMs = 1_000;
const staleMs = 5_000;

/** Where simulated hosts advertise themselves: a table, as on one machine. No cut hides it. */
export class SimDirectory {
  readonly simulation: Simulation;
  readonly #rows = new Map<string, Row>();

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  put(advertised: Advertisement, host: SimHost): void {
    this.#rows.set(advertised.node, { advertised, host, seenMs: this.simulation.nowMs });
  }

  remove({ node, incarnation }: Advertisement): void {
    if (this.#rows.get(node)?.advertised.incarnation === incarnation) this.#rows.delete(node);
  }

  /** Who seems to live. A killed process is known to be gone, a dark machine is not. */
  others(node: string): readonly Advertisement[] {
    const freshMs = this.simulation.nowMs - staleMs;
    return [...this.#rows.values()]
      .filter(({ host, seenMs }) => host.crashed !== 'kill' && seenMs >= freshMs)
      .map(({ advertised }) => advertised)
      .filter((advertised) => advertised.node !== node);
  }
}

/** Discovery of one host. Tells changes only, and late, as polling does. */
export class SimDiscovery implements Discovery {
  readonly name = 'sim';
  readonly #directory: SimDirectory;
  readonly #host: SimHost;
  #self: Advertisement | undefined;
  #handlers: DiscoveryHandlers | undefined;
  #told = '';
  #timer: Timer | undefined;

  constructor(directory: SimDirectory, host: SimHost) {
    this.#directory = directory;
    this.#host = host;
  }

  async start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    await this.#pause();
    this.#directory.put(self, this.#host);
    this.#self = self;
    this.#handlers = handlers;
    this.#look();
    this.#next(0);
  }

  async refresh(): Promise<void> {
    this.#look();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    if (this.#self !== undefined) this.#directory.remove(this.#self);
    this.#self = this.#handlers = undefined;
    this.#told = '';
    await this.#pause();
  }

  #next(sinceLookMs: number): void {
    const { simulation } = this.#directory;
    this.#timer = simulation.schedule(
      heartbeatMs,
      () => {
        if (this.#self !== undefined) this.#directory.put(this.#self, this.#host);
        const passedMs = sinceLookMs + heartbeatMs;
        if (passedMs >= lookEveryMs) this.#look();
        this.#next(passedMs >= lookEveryMs ? 0 : passedMs);
      },
      this.#host,
    );
  }

  #look(): void {
    if (this.#self === undefined) return;
    const others = this.#directory.others(this.#self.node);
    const seen = JSON.stringify(others);
    if (seen === this.#told) return;
    this.#told = seen;
    this.#handlers?.onPeers(others);
  }

  /** A table takes a moment. */
  #pause(): Promise<void> {
    const { simulation } = this.#directory;
    return new Promise((resolve) => {
      simulation.schedule(simulation.random.next() * 4, resolve, this.#host);
    });
  }
}
