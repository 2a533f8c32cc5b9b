import type { Clock, Timer } from '../clock.ts';
import { leaveScope } from '../context/scope.ts';

const slotCount = 512;
/** Precision of deadlines, in milliseconds: a call never times out early, and at most three ticks late. */
export const tickMs = 10;
/** Time in which the loop stood still longer than this does not count against a call. */
const stallTicksMax = 10;

/** Something that can be too late. Kept in a list that runs through the entries themselves. */
export interface Due {
  dueTick: number;
  before: Due | undefined;
  after: Due | undefined;
  expire(): void;
}

class Slot implements Due {
  dueTick = 0;
  before: Due = this;
  after: Due = this;
  expire(): void {}
}

/**
 * Deadlines of pending calls: adding and removing one is a handful of assignments and never reads
 * the clock. The timer runs only while there are some.
 *
 * Source: Varghese and Lauck 1987, hashed timing wheel (scheme 6).
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #kind: 'foreground' | 'background';
  readonly #onTick: () => void;
  readonly #slots: readonly Slot[];
  /** Entries since the timer last came. The time before that does not count for them. */
  readonly #fresh = new Slot();
  #timer: Timer | undefined;
  #tick = 0;
  #lastNow = 0;
  #idleTicks = 0;
  count = 0;

  /**
   * @param kind - `background` deadlines do not keep the program alive.
   * @param onTick - Runs when the first entry comes, and each tick while there are some.
   */
  constructor(
    clock: Clock,
    kind: 'foreground' | 'background' = 'foreground',
    onTick: () => void = nothing,
  ) {
    this.#clock = clock;
    this.#kind = kind;
    this.#onTick = onTick;
    this.#slots = Array.from({ length: slotCount }, () => new Slot());
  }

  /** Whether the wheel turns: it does while there are entries, and a little longer. */
  get isTicking(): boolean {
    return this.#timer !== undefined;
  }

  /** The tick at which something `delayMs` from now is due. */
  tickIn(delayMs: number): number {
    return this.#tick + 1 + Math.ceil(delayMs / tickMs);
  }

  /** Milliseconds left until a tick, 0 when it is over. */
  remainingMs(dueTick: number): number {
    return Math.max(0, (dueTick - this.#tick - 1) * tickMs);
  }

  add(entry: Due, dueTick: number): void {
    entry.dueTick = dueTick;
    append(this.#fresh, entry);
    this.count++;
    if (this.#timer === undefined) this.#start();
  }

  /** Forgets an entry; harmless when it is not there. */
  remove(entry: Due): void {
    const { before, after } = entry;
    if (before === undefined || after === undefined) return;
    before.after = after;
    after.before = before;
    entry.before = undefined;
    entry.after = undefined;
    this.count--;
  }

  #start(): void {
    this.#onTick();
    this.#lastNow = this.#clock.now();
    this.#idleTicks = 0;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer = this.#clock.after(tickMs, this.#onTimer, this.#kind);
  }

  readonly #onTimer = (): void => {
    // It was set by whoever came first, and goes round for all.
    leaveScope();
    this.#onTick();
    const now = this.#clock.now();
    const elapsed = Math.floor((now - this.#lastNow) / tickMs);
    this.#lastNow += elapsed * tickMs;
    const ticks = Math.min(elapsed, stallTicksMax);
    this.#settle(now > this.#lastNow ? ticks : ticks - 1);
    for (let step = ticks; step > 0; step--) this.#advance();
    this.#idleTicks = this.count === 0 ? this.#idleTicks + 1 : 0;
    if (this.#idleTicks > 1) this.#timer = undefined;
    else this.#schedule();
  };

  /** Gives fresh entries their slots, as if they had been added now: they may have been, after a stall. */
  #settle(missedTicks: number): void {
    const fresh = this.#fresh;
    for (let entry = fresh.after; entry !== fresh; entry = fresh.after) {
      const { before, after } = entry as Slot;
      before.after = after;
      after.before = before;
      entry.dueTick += Math.max(0, missedTicks);
      append(this.#slots[entry.dueTick % slotCount] as Slot, entry);
    }
  }

  #advance(): void {
    this.#tick++;
    const slot = this.#slots[this.#tick % slotCount] as Slot;
    const due: Due[] = [];
    for (let entry: Due = slot.after; entry !== slot; entry = entry.after as Due) {
      if (entry.dueTick <= this.#tick) due.push(entry);
    }
    for (const entry of due) {
      // One that expires may end others of the same moment: a call made on its behalf.
      if (entry.before === undefined) continue;
      this.remove(entry);
      entry.expire();
    }
  }
}

function nothing(): void {}

function append(slot: Slot, entry: Due): void {
  const last = slot.before;
  entry.before = last;
  entry.after = slot;
  last.after = entry;
  slot.before = entry;
}
