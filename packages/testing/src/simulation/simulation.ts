import { createHash } from 'node:crypto';

import { defineErrors, seededRandom, type Random, type Timer } from '@foundation/core';
import { checkNumber } from '@foundation/core/internal';

import { EventHeap, type Due } from './event-heap.ts';

export const testingError = defineErrors({
  TESTING_ENDLESS: { retryable: false, outcome: 'unknown' },
});

/** Whom an event belongs to. What belongs to the dead never happens; what belongs to one that stands still waits. */
export interface Owner {
  readonly isAlive: boolean;
  /** Virtual milliseconds before which it does nothing. */
  readonly standsStillUntilMs: number;
}

interface Planned extends Due {
  atMs: number;
  action: (() => void) | undefined;
  readonly owner: Owner | undefined;
}

/** Events after which a simulation is given up: it does not come to rest. */
const eventsMax = 5_000_000;
/** Lines of the trace that are kept to be shown; the digest covers all. */
const traceLinesMax = 2_000;

/**
 * Virtual time, chance and order from one seed: one queue for everything that happens, timers and
 * arriving messages alike. What is due at the same moment happens in an order drawn from the seed, and
 * promises settle before the next event. The same seed and the same program give the same
 * {@link digest}.
 */
export class Simulation {
  readonly seed: string | number;
  /** Chance for whatever is simulated. */
  readonly random: Random;
  readonly #ties: Random;
  readonly #heap = new EventHeap<Planned>();
  readonly #hash = createHash('sha256');
  #lines: string[] = [];
  #nowMs = 0;
  #events = 0;

  readonly #settle: () => Promise<void>;

  /** @param settle - Resolves when nothing runs any more until time passes. @defaultValue promises have settled */
  constructor(seed: string | number, settle: () => Promise<void> = settlePromises) {
    this.seed = seed;
    this.#settle = settle;
    this.random = seededRandom(seed);
    this.#ties = seededRandom(`${seed}/order`);
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  /** Plans an event, `delayMs` from now. Of the same moment, the order is drawn. */
  schedule(delayMs: number, action: () => void, owner?: Owner): Timer {
    return this.scheduleAt(this.#nowMs + delayMs, action, owner);
  }

  /** Plans an event for a moment, or for now when that has passed. */
  scheduleAt(momentMs: number, action: () => void, owner?: Owner): Timer {
    const atMs = Math.max(this.#nowMs, momentMs);
    const planned: Planned = { atMs, tie: this.#ties.next(), action, owner };
    this.#heap.push(planned);
    return {
      cancel() {
        planned.action = undefined;
      },
    };
  }

  /** Enters a line into the trace. */
  note(line: string): void {
    const entry = `${this.#nowMs.toFixed(3)} ${line}`;
    this.#hash.update(entry).update('\n');
    this.#lines.push(entry);
    if (this.#lines.length > 2 * traceLinesMax) this.#lines = this.#lines.slice(-traceLinesMax);
  }

  /** The newest lines of the trace. */
  trace(): readonly string[] {
    return this.#lines.slice(-traceLinesMax);
  }

  /** A fingerprint of everything noted so far, in hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /**
   * Lets `durationMs` of virtual time pass. An error thrown by an event is thrown here.
   *
   * @throws FoundationError `INVALID_OPTION`
   */
  async advance(durationMs: number): Promise<void> {
    checkNumber('advance', { durationMs }, { min: 0 });
    const untilMs = this.#nowMs + durationMs;
    await this.#run(untilMs, () => false);
    this.#nowMs = untilMs;
  }

  /**
   * Lets time pass until a condition holds.
   *
   * @returns whether it held within `limitMs` of virtual time
   */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + limitMs;
    const isMet = await this.#run(untilMs, condition);
    if (!isMet) this.#nowMs = untilMs;
    return isMet;
  }

  /** @throws FoundationError `TESTING_ENDLESS` */
  async #run(untilMs: number, isDone: () => boolean): Promise<boolean> {
    await this.#settle();
    for (;;) {
      if (isDone()) return true;
      const next = this.#heap.next;
      if (next === undefined || next.atMs > untilMs) return false;
      this.#heap.pop();
      this.#nowMs = next.atMs;
      if (this.#happens(next)) await this.#settle();
    }
  }

  #happens(planned: Planned): boolean {
    const { action, owner } = planned;
    if (action === undefined || owner?.isAlive === false) return false;
    if (owner !== undefined && owner.standsStillUntilMs > this.#nowMs) {
      planned.atMs = owner.standsStillUntilMs;
      this.#heap.push(planned);
      return false;
    }
    if (++this.#events > eventsMax) {
      throw testingError(
        'TESTING_ENDLESS',
        `seed ${this.seed} is not done after ${eventsMax} events`,
        {
          hint: 'Something plans events for ever at the same moment, or the time to simulate is too long.',
        },
      );
    }
    action();
    return true;
  }
}

/** One turn of the real event loop: every microtask runs before it. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
