import type { Clock } from '../clock.ts';
import { serveNobody } from '../context.ts';

/** Something with messages to handle. The ready queue runs through the entries themselves. */
export interface Runnable {
  nextReady: Runnable | undefined;
  /** Handles up to `budget` messages; returns how many it handled. */
  run(budget: number): number;
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

/** Messages one process handles before another gets its turn. */
const batchMax = 16;
/** Messages after which timers and sockets get a turn, however fast the handlers are. */
const turnMessagesMax = 1_024;
/** Milliseconds after which timers and sockets get a turn. */
const turnMsMax = 5;

/** Runs processes that have messages, in turn, and lets the event loop breathe. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #onError: (error: unknown) => void;
  #head: Runnable | undefined = undefined;
  #tail: Runnable | undefined = undefined;
  #isPosted = false;
  #handled = 0;

  /** @param onError - Told what an item threw; the others go on. */
  constructor(clock: Clock, turns: Turns, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#turns = turns;
    this.#onError = onError;
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

  readonly #drainInNewTurn = (): void => {
    this.#handled = 0;
    this.#drain();
  };

  readonly #drain = (): void => {
    serveNobody();
    let startedAt: number | undefined;
    let sinceLook = 0;
    for (let item = this.#shift(); item !== undefined; item = this.#shift()) {
      const handled = this.#run(item);
      this.#handled += handled;
      sinceLook += handled;
      if (sinceLook < batchMax) continue;
      sinceLook = 0;
      const now = this.#clock.now();
      startedAt ??= now;
      if (this.#handled < turnMessagesMax && now - startedAt < turnMsMax) continue;
      this.#turns.next(this.#drainInNewTurn);
      return;
    }
    this.#isPosted = false;
  };

  #run(item: Runnable): number {
    try {
      return item.run(batchMax);
    } catch (error) {
      this.#onError(error);
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
