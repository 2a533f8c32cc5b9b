import { sleep } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { finalFailure, isMismatch } from './jet-stream-failure.ts';
import type { NatsSettings } from './nats-options.ts';

/** Pauses between two tries, in milliseconds; each is twice the one before. */
const pauseMinMs = 2;
const pauseMaxMs = 250;
/** The longest where another one was in the way: that is over as soon as that one is. */
const waysMaxMs = 16;

/** What is tried again and again, and how long. */
export interface TriesOptions {
  /** For messages: `"get" of key`. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly settings: NatsSettings;
  /** Whether nothing is to be tried again. */
  isOver(): boolean;
}

/** The tries of one operation on a store, until its deadline. */
export class Tries {
  /** Whether a write of it may have been, or may still be, carried out. */
  isUnclear = false;
  readonly #options: TriesOptions;
  readonly #deadline: number;
  #pauseMs = pauseMinMs;

  constructor(options: TriesOptions) {
    this.#options = options;
    this.#deadline = options.settings.clock.now() + options.deadlineMs;
  }

  /**
   * Does something until it does not fail.
   *
   * @throws FoundationError `STORE_UNAVAILABLE` at the deadline, or what trying again cannot change.
   */
  async until<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        await this.pause(error);
      }
    }
  }

  /**
   * Waits for the next try. Throws as `until` does.
   *
   * @param error - why the last one failed. @defaultValue another one was in the way
   */
  async pause(error?: unknown): Promise<void> {
    const final = finalFailure(error);
    if (final !== undefined) throw final;
    const { clock, random } = this.#options.settings;
    const pauseMs = this.#pauseMs * (0.5 + random.next());
    const isLate = clock.now() + pauseMs > this.#deadline;
    if (isLate || this.#options.isOver()) throw this.#late(error);
    const isInTheWay = error === undefined || isMismatch(error);
    this.#pauseMs = Math.min(2 * this.#pauseMs, isInTheWay ? waysMaxMs : pauseMaxMs);
    await sleep(clock, pauseMs);
  }

  #late(cause: unknown): FoundationError {
    const { what, deadlineMs } = this.#options;
    const found = this.isUnclear
      ? 'and whether it was carried out cannot be found out'
      : 'it was not carried out';
    const when = this.#options.isOver() ? 'before the store stopped' : `within ${deadlineMs} ms`;
    return new FoundationError(
      'STORE_UNAVAILABLE',
      `JetStream did not settle ${what} ${when}; ${found}`,
      {
        hint: 'A new leader is found within ten seconds while most of the servers run and reach each other.',
        details: { deadlineMs },
        traits: { retryable: true, outcome: this.isUnclear ? 'unknown' : 'not-executed' },
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}
