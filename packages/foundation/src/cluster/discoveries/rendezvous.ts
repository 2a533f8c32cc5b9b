import { readFileSync } from 'node:fs';

import { systemClock, type Clock, type Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import type { Advertisement, Discovery, DiscoveryHandlers } from '../discovery.ts';
import type { SqliteDatabase } from '../stores/sqlite-database.ts';
import type { Freshness, Holding, NodeRow } from '../stores/sqlite-protocol.ts';

/** Where nodes of one machine meet, and how often they look. */
export interface RendezvousOptions {
  /** The cluster's file. May be shared with the store. */
  readonly database: SqliteDatabase;
  /** How often this node says that it lives, in milliseconds. @defaultValue 500 */
  readonly heartbeatMs?: number;
  /** Age after which a node's row counts for nothing, in milliseconds. @defaultValue 5000 */
  readonly staleMs?: number;
  /** How often it looks for changes, in milliseconds. @defaultValue 1000 */
  readonly refreshMs?: number;
  readonly clock?: Clock;
  readonly machine?: Machine;
}

/** What all processes of one machine have in common, and this one's place in it. */
export interface Machine {
  /** Differs after each boot; empty where the system does not tell. */
  readonly bootId: string;
  readonly osPid: number;
  /** Milliseconds of a clock that never goes back and is the same in every process. */
  now(): number;
}

/** The machine this program runs on. */
export const systemMachine: Machine = {
  bootId: readBootId(),
  osPid: process.pid,
  // CLOCK_MONOTONIC, unlike `performance.now()`, which starts with the process.
  now: () => Number(process.hrtime.bigint() / 1_000_000n),
};

/**
 * Nodes of one machine meet in a table of the cluster's file: nothing to install, no address to
 * configure. A node that starts reads all others' rows and dials them, so that nobody has to poll to
 * form a cluster.
 *
 * A row is believed while its heartbeat is fresh, the machine was not rebooted, and the operating
 * system still knows the process.
 */
export class RendezvousDiscovery implements Discovery {
  readonly name = 'rendezvous';
  readonly #database: SqliteDatabase;
  readonly #options: Required<Omit<RendezvousOptions, 'database'>>;
  #opened = false;
  #self: Advertisement | undefined;
  #handlers: DiscoveryHandlers | undefined;
  #told: string | undefined;
  #timers: Timer[] = [];

  constructor({ database, ...options }: RendezvousOptions) {
    this.#database = database;
    this.#options = {
      heartbeatMs: 500,
      staleMs: 5_000,
      refreshMs: 1_000,
      clock: systemClock,
      machine: systemMachine,
      ...options,
    };
  }

  /**
   * Holds a name for this process before it has an address, until `stop`.
   *
   * @returns the incarnation to start with: the time of day in milliseconds, and more than any that
   * was handed out in this cluster before.
   * @throws FoundationError `NAME_TAKEN` or `STORE_UNAVAILABLE`
   */
  reserve(node: string): Promise<number> {
    return this.#orStop(async () => {
      await this.#open();
      const holding = await this.#database.ask('reserve', {
        row: this.#row({ node, incarnation: 0, address: '' }),
        atLeast: this.#options.clock.wallNow(),
        limit: this.#freshness(),
      });
      const incarnation = incarnationOf(node, holding);
      this.#keep({ node, incarnation, address: '' });
      return incarnation;
    });
  }

  /** @throws FoundationError `NAME_TAKEN` or `STORE_UNAVAILABLE`; the name is let go then. */
  start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    return this.#orStop(async () => {
      await this.#open();
      await this.#hold(self);
      this.#keep(self);
      this.#handlers = handlers;
      await this.#look();
      this.#repeat(this.#options.refreshMs, () => this.refresh());
    });
  }

  async refresh(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      this.#handlers?.onError(error);
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    const self = this.#self;
    this.#self = this.#handlers = this.#told = undefined;
    if (!this.#opened) return;
    this.#opened = false;
    try {
      // When this fails the row goes stale, or goes with the process.
      if (self !== undefined) await this.#database.ask('withdraw', self).catch(() => undefined);
    } finally {
      await this.#database.close();
    }
  }

  async #look(): Promise<void> {
    const rows = await this.#database.ask('look', this.#freshness());
    const peers = rows.filter(({ node }) => node !== this.#self?.node);
    const seen = JSON.stringify(peers);
    if (this.#handlers === undefined || seen === this.#told) return;
    this.#told = seen;
    this.#handlers.onPeers(peers);
  }

  async #orStop<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #open(): Promise<void> {
    if (this.#opened) return;
    await this.#database.open();
    this.#opened = true;
  }

  /** Remembers who this node is, and keeps its row fresh from now on. */
  #keep(self: Advertisement): void {
    const isFirst = this.#self === undefined;
    this.#self = self;
    if (isFirst) this.#repeat(this.#options.heartbeatMs, () => this.#beat());
  }

  async #beat(): Promise<void> {
    try {
      if (this.#self !== undefined) await this.#hold(this.#self);
    } catch (error) {
      this.#handlers?.onError(error);
    }
  }

  async #hold(self: Advertisement): Promise<void> {
    const limit = this.#freshness();
    const holding = await this.#database.ask('hold', { row: this.#row(self), limit });
    incarnationOf(self.node, holding);
  }

  /** Does something again and again, never twice at once. */
  #repeat(periodMs: number, action: () => Promise<void>): void {
    let isRunning = false;
    const tick = async (): Promise<void> => {
      if (isRunning) return;
      isRunning = true;
      await action();
      isRunning = false;
    };
    this.#timers.push(this.#options.clock.every(periodMs, () => void tick()));
  }

  #row(self: Advertisement): NodeRow {
    const { machine } = this.#options;
    return { ...self, bootId: machine.bootId, osPid: machine.osPid, heartbeat: machine.now() };
  }

  #freshness(): Freshness {
    const { machine, staleMs } = this.#options;
    return { bootId: machine.bootId, now: machine.now(), staleMs };
  }
}

function incarnationOf(node: string, holding: Holding): number {
  if (holding.outcome === 'held') return holding.incarnation;
  const { osPid } = holding;
  throw new FoundationError('NAME_TAKEN', `the node "${node}" runs in process ${osPid} already`, {
    hint: 'Give this node another name, or stop that process.',
    details: { node, osPid },
  });
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
