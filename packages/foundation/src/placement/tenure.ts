import { sleep, type Clock, type Timer } from '../clock.ts';
import type { Lease } from '../lease/lease.ts';
import type { Leases } from '../lease/leases.ts';
import type { ExitReason } from '../process/exit.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';

export interface TenureParts {
  readonly leases: Leases;
  readonly clock: Clock;
  /** Runs it here; `onEnded` runs when it has ended for good. */
  readonly start: (
    record: SingletonRecord,
    lease: Lease,
    onEnded: (reason: ExitReason) => void,
  ) => Promise<void>;
  /** Ends what runs here. Resolves when it has ended, or has not in time. */
  readonly stop: (name: string, reason: 'shutdown' | 'killed', timeoutMs: number) => Promise<void>;
  /** The lease was granted, and the process is about to start. */
  readonly onGranted: (record: SingletonRecord) => void;
  readonly onFailed: (failed: FailedStart) => void;
  /** It has ended because somebody wanted that. */
  readonly onOver: (record: SingletonRecord) => void;
}

/** A start that came to nothing. */
export interface FailedStart {
  readonly record: SingletonRecord;
  readonly error: unknown;
  /** Otherwise nobody has run it yet, and nobody will. */
  readonly isTriedAgain: boolean;
}

/** Milliseconds after which it is asked for again. */
const retryMs = 500;
/** Milliseconds for which a lease is kept when its singleton has ended for good: by then the others know that. */
const knownMs = 500;
/** The last part of a lease, of 1, in which the process is asked to end, since nobody has renewed it for long. */
const graceShare = 0.2;
/** Milliseconds before the end of a lease at which the process is killed: a thread may take so long. */
const killMs = 200;

/**
 * What a node has to do with one strong singleton: it asks for its lease, runs it while it holds that, ends it
 * in time, and asks again.
 */
export class Tenure {
  readonly record: SingletonRecord;
  readonly #parts: TenureParts;
  readonly #quit = new AbortController();
  #isNew: boolean;
  #isServing = false;
  #isHandedOver = false;
  #token = 0;

  constructor(record: SingletonRecord, isNew: boolean, parts: TenureParts) {
    this.record = record;
    this.#isNew = isNew;
    this.#parts = parts;
  }

  /** Whether the singleton runs here, or is about to. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /** That of the newest lease that was held here; 0 before. */
  get token(): number {
    return this.#token;
  }

  /** Whether nobody has run it yet. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Asks no more, and leaves what runs here to whoever asks next, whatever it ends with. */
  handOver(): void {
    this.#isHandedOver = true;
    this.quit();
  }

  /** Asks no more. What runs here goes on. */
  quit(): void {
    this.#quit.abort();
  }

  /** Goes on until the singleton has ended for good, or until {@link quit}. */
  async run(): Promise<void> {
    const { leases, clock } = this.#parts;
    const { name } = this.record;
    const { signal } = this.#quit;
    try {
      for (;;) {
        const lease = await leases.acquire(name, { signal });
        if (!(await this.#serve(lease)) || signal.aborted) return;
        // Others come first.
        await sleep(clock, retryMs);
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  #failed(error: unknown): boolean {
    const { record } = this;
    const isTriedAgain = !this.#isNew;
    this.#parts.onFailed({ record, error, isTriedAgain });
    return isTriedAgain;
  }

  /** Returns whether to ask again. */
  async #serve(lease: Lease): Promise<boolean> {
    await using _held = lease;
    this.#isServing = true;
    this.#token = lease.token;
    try {
      this.#parts.onGranted(this.record);
      return await this.#runUnder(lease);
    } finally {
      this.#isServing = false;
    }
  }

  async #runUnder(lease: Lease): Promise<boolean> {
    const { clock } = this.#parts;
    const ended = Promise.withResolvers<ExitReason>();
    try {
      await this.#parts.start(this.record, lease, ended.resolve);
    } catch (error) {
      return this.#failed(error);
    }
    this.#isNew = false;
    using leaving = new Leaving(lease, this.record.name, this.#parts);
    const reason = await ended.promise;
    if (leaving.stopping !== undefined) {
      await leaving.stopping;
      return true;
    }
    if (reason !== 'normal' || this.#isHandedOver) return true;
    this.#parts.onOver(this.record);
    await sleep(clock, knownMs);
    return false;
  }
}

/** Sees to it that a process ends before its lease does: first it is asked, then it is killed. */
class Leaving implements Disposable {
  readonly #lease: Lease;
  readonly #name: string;
  readonly #parts: TenureParts;
  readonly #graceMs: number;
  readonly #onLost = (): void => this.#kill();
  #timer: Timer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(lease: Lease, name: string, parts: TenureParts) {
    this.#lease = lease;
    this.#name = name;
    this.#parts = parts;
    this.#graceMs = Math.max(killMs, graceShare * lease.ttlMs);
    lease.signal.addEventListener('abort', this.#onLost, { once: true });
    // It may have been lost while the process started.
    if (lease.isHeld) this.#look();
    else this.#kill();
  }

  /** Settles when the process has ended because its lease does; undefined as long as that need not be. */
  get stopping(): Promise<void> | undefined {
    return this.#stopping;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#lease.signal.removeEventListener('abort', this.#onLost);
  }

  #look(): void {
    const leftMs = this.#lease.remainingMs;
    if (leftMs > this.#graceMs) return this.#later(leftMs - this.#graceMs, () => this.#look());
    this.#stopping = this.#parts.stop(this.#name, 'shutdown', leftMs);
    return this.#later(leftMs - killMs, () => this.#kill());
  }

  #kill(): void {
    this.#timer?.cancel();
    this.#stopping = this.#parts.stop(this.#name, 'killed', this.#lease.ttlMs);
  }

  #later(delayMs: number, action: () => void): void {
    this.#timer = this.#parts.clock.after(Math.max(0, delayMs), action, 'background');
  }
}
