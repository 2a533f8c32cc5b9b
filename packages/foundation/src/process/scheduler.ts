import type { Clock } from '../clock.ts';

/** Something with messages to handle. The ready queue runs through the entries themselves. */
export interface Runnable {
  nextReady: Runnable | undefined;
  /** Handles messages until there are none or the scheduler says so; returns how many it handled. */
  run(): number;
  /** Ends it by what {@link run} threw. */
  crash(error: unknown): void;
}

/** Decides which process handles its messages when, and for how long. */
export interface Scheduler {
  /** Takes something that has messages; it must not be in the queue already. */
  enqueue(item: Runnable): void;
  /**
   * Asked by whoever runs, after its first message and then as told, whether it may go on.
   *
   * @returns after how many messages of this run to ask again; 0 to make room for others.
   */
  look(handled: number): number;
}

/** How work is put off: to the end of this turn of the event loop, or to the next turn. */
export interface Turns {
  soon(action: () => void): void;
  next(action: () => void): void;
}

const settled = Promise.resolve();
export const systemTurns: Turns = {
  soon: (action) => {
    void settled.then(action);
  },
  next: (action) => {
    setImmediate(action);
  },
};

/** Messages that one process handles while others wait, however fast they are. */
export const batchMax = 16;
/** Milliseconds that one process may take while others wait; a handler that runs is never interrupted. */
export const sliceMs = 1;
/** Messages after which timers and sockets get a turn, however fast the handlers are. */
const turnMessagesMax = 1_024;
/** Milliseconds after which timers and sockets get a turn. */
const turnMsMax = 5;

/**
 * Runs processes that have messages, in turn, and lets the event loop breathe. The clock is read as
 * seldom as slices allow: not at all for a lone message, and ever more rarely while messages are quick.
 */
export class FairScheduler implements Scheduler {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #head: Runnable | undefined = undefined;
  #tail: Runnable | undefined = undefined;
  #isPosted = false;
  /** Messages of this turn of the event loop, without those of the run at hand. */
  #handled = 0;
  /** When the clock was looked at last, and first in this drain. */
  #now = 0;
  #drainedSince: number | undefined = undefined;
  /** No later than the run at hand began. */
  #ranSince = 0;
  #isTurnOver = false;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  enqueue(item: Runnable): void {
    if (this.#tail === undefined) this.#head = item;
    else this.#tail.nextReady = item;
    this.#tail = item;
    if (this.#isPosted) return;
    this.#isPosted = true;
    if (this.#handled < turnMessagesMax) this.#turns.soon(this.#drain);
    else this.#turns.next(this.#drainInNewTurn);
  }

  look(handled: number): number {
    const isContended = this.#head !== undefined;
    if (isContended && handled >= batchMax) return 0;
    const isFirst = this.#drainedSince === undefined;
    const leftMs = this.#leftMs(handled);
    if (leftMs <= 0) return 0;
    const tookMs = this.#now - this.#ranSince;
    // How long it has run is not known at the first look of a drain: who shares gives way.
    if (isContended && (isFirst || tookMs >= sliceMs)) return 0;
    const more = affordable(handled, tookMs, isContended ? sliceMs - tookMs : leftMs);
    return handled + Math.min(handled, more);
  }

  readonly #drainInNewTurn = (): void => {
    this.#handled = 0;
    this.#drain();
  };

  readonly #drain = (): void => {
    this.#drainedSince = undefined;
    this.#isTurnOver = false;
    let [sinceLook, lookAfter] = [0, 1];
    for (let item = this.#shift(); item !== undefined; item = this.#shift()) {
      const handled = this.#run(item);
      this.#handled += handled;
      sinceLook += handled;
      if (this.#head === undefined || (sinceLook < lookAfter && !this.#isTurnOver)) continue;
      const since = this.#now;
      const leftMs = this.#leftMs(0);
      if (leftMs <= 0) return this.#turns.next(this.#drainInNewTurn);
      lookAfter = Math.min(2 * sinceLook, affordable(sinceLook, this.#now - since, leftMs));
      sinceLook = 0;
    }
    this.#isPosted = false;
    return undefined;
  };

  /** Milliseconds left of this turn of the event loop, 0 when it is over; reads the clock. */
  #leftMs(handled: number): number {
    let leftMs = 0;
    if (this.#handled + handled < turnMessagesMax) {
      this.#now = this.#clock.now();
      this.#drainedSince ??= this.#now;
      leftMs = turnMsMax - (this.#now - this.#drainedSince);
    }
    this.#isTurnOver = leftMs <= 0;
    return leftMs;
  }

  #run(item: Runnable): number {
    this.#ranSince = this.#now;
    try {
      return item.run();
    } catch (error) {
      item.crash(error);
      return 1;
    }
  }

  #shift(): Runnable | undefined {
    const item = this.#head;
    if (item === undefined) return undefined;
    this.#head = item.nextReady;
    if (this.#head === undefined) this.#tail = undefined;
    item.nextReady = undefined;
    return item;
  }
}

/** Messages that fit into the time left, going by how long the last ones took; at least one. */
function affordable(handled: number, tookMs: number, leftMs: number): number {
  return tookMs === 0 ? Infinity : Math.max(1, Math.floor((leftMs / tookMs) * handled));
}
