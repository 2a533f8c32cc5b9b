import { FoundationError, type Clock } from '@foundation/core';
import {
  MemoryStore,
  type Store,
  type StorePromises,
  type Versioned,
  type WatchHandlers,
} from '@foundation/core/internal';

import type { SimHost } from './sim-host.ts';
import type { Simulation } from './simulation.ts';

/** What a cut between a host and the store stops: its questions, the answers, or both. */
export type StoreCut = 'questions' | 'answers' | 'both';

/** How a store is when it is not there: it says that it has no majority, or nothing at all. */
export type StoreOutage = 'refusing' | 'silent';

/** How long a message takes, in milliseconds. */
const delayMinMs = 0.2;
const delayMaxMs = 4;

/** A linearizable store somewhere else: what is done there happens at one moment, what is said about it may get lost. */
export class SimStoreServer {
  readonly simulation: Simulation;
  readonly data = new MemoryStore();
  /** Compare-and-sets that have arrived. */
  writes = 0;
  readonly #cuts = new Map<string, StoreCut>();
  readonly #watches = new Set<() => void>();
  #outage: StoreOutage | undefined;
  #lossShare = 0;
  #slowMs = 0;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  // ── faults ─────────────────────────────────────────────────────────────────

  cut(node: string, cut: StoreCut): void {
    this.#cuts.set(node, cut);
  }

  /** Ends all faults of the store and of the ways to it. */
  heal(): void {
    this.#cuts.clear();
    this.#lossShare = 0;
    this.#slowMs = 0;
    this.#outage = undefined;
    for (const tellAgain of this.#watches) tellAgain();
  }

  goAway(outage: StoreOutage): void {
    this.#outage = outage;
  }

  comeBack(): void {
    this.#outage = undefined;
    for (const tellAgain of this.#watches) tellAgain();
  }

  /** So many of the answers get lost. */
  lose(share: number): void {
    this.#lossShare = share;
  }

  /** Every other message takes longer, by up to so many milliseconds. */
  slowDown(byMs: number): void {
    this.#slowMs = byMs;
  }

  // ── messages ───────────────────────────────────────────────────────────────

  question(host: SimHost, arrive: (outage: StoreOutage | undefined) => void): void {
    const cut = this.#cuts.get(host.node);
    if (cut === 'questions' || cut === 'both') return;
    this.simulation.schedule(this.#delayMs(), () => arrive(this.#outage));
  }

  answer(host: SimHost, arrive: () => void): void {
    const cut = this.#cuts.get(host.node);
    const isLost = this.simulation.random.next() < this.#lossShare;
    if (isLost || cut === 'answers' || cut === 'both') return;
    this.simulation.schedule(this.#delayMs(), arrive, host);
  }

  onBack(tellAgain: () => void): Disposable {
    this.#watches.add(tellAgain);
    return { [Symbol.dispose]: () => void this.#watches.delete(tellAgain) };
  }

  #delayMs(): number {
    const { random } = this.simulation;
    const isSlow = this.#slowMs > 0 && random.int(2) === 0;
    const extraMs = isSlow ? random.next() * this.#slowMs : 0;
    return delayMinMs + random.next() * (delayMaxMs - delayMinMs) + extraMs;
  }
}

/** The same as one host sees it. */
export class SimStore implements Store {
  readonly name = 'simulated';
  readonly promises: StorePromises = {
    scope: 'cluster',
    outlives: 'power-loss',
    voters: 3,
    leaseMs: 1_000,
    caveats: [],
  };
  readonly #server: SimStoreServer;
  readonly #host: SimHost;
  readonly #clock: Clock;
  readonly #deadlineMs: number;

  /** @param options - `deadlineMs`: how long an answer is waited for, in milliseconds */
  constructor(
    server: SimStoreServer,
    options: { readonly host: SimHost; readonly clock: Clock; readonly deadlineMs?: number },
  ) {
    this.#server = server;
    this.#host = options.host;
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs ?? 700;
  }

  async start(): Promise<void> {}

  get(key: string): Promise<Versioned | undefined> {
    return this.#ask(() => this.#server.data.get(key));
  }

  compareAndSet(key: string, version: number, value: Uint8Array): Promise<number | undefined> {
    return this.#ask(() => {
      this.#server.writes++;
      return this.#server.data.compareAndSet(key, version, value);
    });
  }

  delete(key: string, version: number): Promise<boolean> {
    return this.#ask(() => this.#server.data.delete(key, version));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#ask(() => this.#server.data.list(prefix));
  }

  /** Tells of changes that get through; after an outage of everything that is there. */
  async watch(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    const { data } = this.#server;
    const told = new Map<string, number>();
    let isOver = false;
    const onChange = (key: string, found: Versioned | undefined): void => {
      this.#server.answer(this.#host, () => {
        const isOld = found !== undefined && found.version <= (told.get(key) ?? 0);
        if (isOver || isOld) return;
        if (found !== undefined) told.set(key, found.version);
        handlers.onChange(key, found);
      });
    };
    const tellAll = async (): Promise<void> => {
      const keys = await data.list(prefix);
      for (const key of new Set([...keys, ...told.keys()])) onChange(key, await data.get(key));
    };
    const back = this.#server.onBack(() => void tellAll());
    const watch = await this.#ask(() => data.watch(prefix, { ...handlers, onChange }));
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        back[Symbol.dispose]();
        watch[Symbol.dispose]();
      },
    };
  }

  async stop(): Promise<void> {}

  /** What arrives is carried out, whether or not the answer does, and however late it is. */
  #ask<T>(carryOut: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(unavailable(this.#deadlineMs));
      const timer = this.#clock.after(this.#deadlineMs, late);
      this.#server.question(this.#host, (outage) => {
        if (outage === 'silent') return;
        const settle = (action: () => void): void => {
          this.#server.answer(this.#host, () => {
            timer.cancel();
            action();
          });
        };
        if (outage === 'refusing') settle(() => reject(noQuorum()));
        else void carryOut().then((value) => settle(() => resolve(value)));
      });
    });
  }
}

function unavailable(deadlineMs: number): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `no answer within ${deadlineMs} ms`);
}

function noQuorum(): FoundationError {
  return new FoundationError('NO_QUORUM', 'the store has no majority');
}
