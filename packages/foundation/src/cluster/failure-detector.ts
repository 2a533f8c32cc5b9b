import type { Clock, Timer } from '../clock.ts';

/**
 * Who is silent: the contract. It only suspects; a redial decides. Broken links are noticed without
 * it, at once.
 */
export interface FailureDetector {
  /** Begins to watch a node. */
  watch(node: string): void;
  forget(node: string): void;
  /** Something was received from a node: it lives. */
  heard(node: string): void;
  /** Look at a node now. */
  probe(node: string): void;
  stop(): void;
}

export interface FailureDetectorHandlers {
  /** Sends a ping; the answer, or anything else, comes back as `heard`. */
  ping(node: string): void;
  onSilent(node: string): void;
}

export interface PingOptions {
  /** Milliseconds between pings. @defaultValue 1000 */
  readonly pingEveryMs: number;
  /** Milliseconds of silence after which a node is suspected. @defaultValue 4000 */
  readonly silentAfterMs: number;
  /** Milliseconds that a suspected node has to answer a redial. @defaultValue 2000 */
  readonly redialMs: number;
}

/** When a silent node is suspected unless told otherwise. */
export const pingDefaults: PingOptions = {
  pingEveryMs: 1_000,
  silentAfterMs: 4_000,
  redialMs: 2_000,
};

/** Pings every node over its link. A node whose own loop stood still accuses nobody for that time. */
export class PingDetector implements FailureDetector {
  readonly #clock: Clock;
  readonly #options: PingOptions;
  readonly #handlers: FailureDetectorHandlers;
  readonly #silentMs = new Map<string, number>();
  readonly #timer: Timer;
  #lastRound: number;

  constructor(clock: Clock, options: PingOptions, handlers: FailureDetectorHandlers) {
    this.#clock = clock;
    this.#options = options;
    this.#handlers = handlers;
    this.#lastRound = clock.now();
    this.#timer = clock.every(options.pingEveryMs, () => this.#round());
  }

  watch(node: string): void {
    this.#silentMs.set(node, 0);
  }

  forget(node: string): void {
    this.#silentMs.delete(node);
  }

  heard(node: string): void {
    if (this.#silentMs.has(node)) this.#silentMs.set(node, 0);
  }

  probe(node: string): void {
    if (this.#silentMs.has(node)) this.#handlers.ping(node);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #round(): void {
    const now = this.#clock.now();
    // What this node slept through says nothing about the others.
    const passedMs = Math.min(now - this.#lastRound, this.#options.pingEveryMs * 1.5);
    this.#lastRound = now;
    for (const [node, silentMs] of this.#silentMs) {
      const total = silentMs + passedMs;
      this.#silentMs.set(node, total);
      if (total < this.#options.silentAfterMs) this.#handlers.ping(node);
      else this.#handlers.onSilent(node);
    }
  }
}
