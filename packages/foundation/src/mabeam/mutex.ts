import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Lease } from '../lease/lease.ts';
import type { LeaseOptions, Leases } from '../lease/leases.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { keyOf } from './election.ts';

/** How long one waits for its turn. */
export interface MutexRunOptions {
  /** Milliseconds to wait for it. @defaultValue Infinity */
  readonly timeoutMs?: number;
  /** Gives up waiting. Work that has begun is told by `hold.signal` only of the loss of the mutex. */
  readonly signal?: AbortSignal;
}

/** What the work is given while it has the mutex. */
export interface MutexHold {
  /** Fencing token: higher than that of everybody who had the mutex before. */
  readonly token: number;
  /** Whether it still has the mutex, by the clocks of this machine. */
  readonly isHeld: boolean;
  /** Aborts when it has lost the mutex: stop then. */
  readonly signal: AbortSignal;
}

export interface MutexParts {
  readonly leases: Leases;
  readonly clock: Clock;
}

/**
 * Work that one at a time does in the whole cluster, made by `node.mabeam.mutex`. It is a lease: who stands still for too
 * long loses it, and what must not happen twice is done by a resource that checks the token.
 */
export class Mutex {
  readonly name: string;
  readonly #parts: MutexParts;
  readonly #key: string;
  readonly #lease: LeaseOptions;

  constructor(name: string, options: LeaseOptions, parts: MutexParts) {
    refuseUnknown('mabeam.mutex', options, ['ttlMs']);
    this.name = name;
    this.#key = keyOf('mutex', name);
    this.#parts = parts;
    this.#lease = options;
  }

  /**
   * Waits for its turn, does the work, and makes room, however that ended. Work that asks for the same mutex again
   * waits for itself.
   *
   * @returns what the work has returned
   * @throws FoundationError `INVALID_OPTION`, `ABORTED` when it was not its turn in time (the work was not begun),
   * `LEASE_LOST` when the work has ended without the mutex, or what the work has thrown
   */
  async run<T>(
    work: (hold: MutexHold) => T | Promise<T>,
    options: MutexRunOptions = {},
  ): Promise<T> {
    if (typeof work !== 'function') throw invalidOption('mutex.run', { work }, 'a function');
    const lease = await this.#acquire(options);
    try {
      const returned = await work(holdOf(lease));
      if (lease.isHeld) return returned;
    } finally {
      await lease.release();
    }
    throw this.#lostMeanwhile(lease);
  }

  async #acquire(options: MutexRunOptions): Promise<Lease> {
    refuseUnknown('mutex.run', options, ['timeoutMs', 'signal']);
    const { timeoutMs = Infinity, signal } = options;
    checkNumber('mutex.run', { timeoutMs }, { min: 0, endless: true });
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidOption('mutex.run', { signal }, 'an AbortSignal');
    }
    const { leases, clock } = this.#parts;
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort(signal?.reason);
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    let isLate = false;
    const timer =
      timeoutMs === Infinity
        ? undefined
        : clock.after(timeoutMs, () => {
            isLate = true;
            waiting.abort();
          });
    try {
      return await leases.acquire(this.#key, { ...this.#lease, signal: waiting.signal });
    } catch (error) {
      throw isLate ? this.#tooLate(timeoutMs, error) : error;
    } finally {
      timer?.cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #tooLate(timeoutMs: number, cause: unknown): FoundationError {
    const message = `the mutex "${this.name}" was not free within ${timeoutMs} ms`;
    return new FoundationError('ABORTED', message, {
      hint: 'The work was not begun. Try again, wait longer, or see who works for so long.',
      details: { name: this.name, timeoutMs },
      cause,
      traits: { retryable: true, outcome: 'not-executed' },
    });
  }

  #lostMeanwhile({ token, signal }: Lease): FoundationError {
    const message = `the mutex "${this.name}" was lost before the work had ended`;
    return new FoundationError('LEASE_LOST', message, {
      hint: 'Another may have worked at the same time. A resource that checks `hold.token` refuses the earlier one.',
      details: { name: this.name, token },
      cause: signal.reason,
      traits: { retryable: false, outcome: 'unknown' },
    });
  }
}

function holdOf(lease: Lease): MutexHold {
  return {
    token: lease.token,
    get isHeld() {
      return lease.isHeld;
    },
    signal: lease.signal,
  };
}
