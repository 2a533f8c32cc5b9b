import type { Clock, Timer } from '../clock.ts';
import type { Behaviour } from '../process/behaviour.ts';
import type { Pid } from '../process/pid.ts';
import { numberOf, type CounterBoard } from './counter-board.ts';

export interface BusyWatchHandlers {
  /** Asks the thread to show each so many milliseconds that its event loop comes round. */
  begin(everyMs: number): void;
  /** It has not come round for longer than it may; `pid` is the process at work, where that is known. */
  onBusy(busyMs: number, pid: Pid | undefined): void;
}

interface Watched {
  readonly maxBusyMs: number;
  readonly pid: Pid | undefined;
}

/** Milliseconds between two beats of a thread, and between two looks at it. */
const beatMs = 20;

/**
 * Tells when a handler holds its thread longer than `maxBusyMs` of its process. The thread shows in shared
 * memory that its event loop comes round, which costs it nothing while nobody watches. Time in which the
 * main thread stood still, perhaps with the whole program, is not held against it.
 */
export class BusyWatch {
  readonly #board: CounterBoard;
  readonly #clock: Clock;
  readonly #handlers: BusyWatchHandlers;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined = undefined;
  #hasBegun = false;
  #beats = 0;
  #lookedAt = 0;
  #busyMs = 0;

  constructor(board: CounterBoard, clock: Clock, handlers: BusyWatchHandlers) {
    this.#board = board;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** Watches a process, or the start of one, until it is disposed. */
  watch({ limits }: Behaviour, pid?: Pid): Disposable {
    const { maxBusyMs } = limits;
    const watched: Watched = { maxBusyMs, pid };
    this.#watched.add(watched);
    if (maxBusyMs !== Infinity) this.#begin();
    return { [Symbol.dispose]: () => void this.#watched.delete(watched) };
  }

  end(): void {
    this.#timer?.cancel();
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#handlers.begin(beatMs);
    this.#lookedAt = this.#clock.now();
    this.#look();
  }

  #look(): void {
    this.#timer = this.#clock.after(beatMs, () => this.#look(), 'background');
    const [now, { beats }] = [this.#clock.now(), this.#board];
    const sinceMs = Math.min(now - this.#lookedAt, 2 * beatMs);
    this.#lookedAt = now;
    // Before its first beat it is starting, which may take its time.
    const isHeld = beats === this.#beats && beats > 0 && !this.#board.isLoading;
    this.#busyMs = isHeld ? this.#busyMs + sinceMs : 0;
    this.#beats = beats;
    const suspects = this.#suspects();
    // Who may take longest says how long all may: it could be that one.
    const maxBusyMs = Math.max(...suspects.map((each) => each.maxBusyMs));
    if (suspects.length === 0 || this.#busyMs <= maxBusyMs + beatMs) return;
    this.#timer.cancel();
    this.#handlers.onBusy(this.#busyMs, suspects.length === 1 ? suspects[0]?.pid : undefined);
  }

  /**
   * Who may hold the thread: the process whose handler runs. Otherwise one whose handler has not settled,
   * or one that is being started; anybody where there is none of them.
   */
  #suspects(): readonly Watched[] {
    const { running } = this.#board;
    const runs = running === undefined ? [] : this.#numbered([running]);
    if (runs.length > 0) return runs;
    const starting = [...this.#watched].filter(({ pid }) => pid === undefined);
    const others = [...this.#numbered(this.#board.busy()), ...starting];
    return others.length > 0 ? others : [...this.#watched];
  }

  #numbered(numbers: readonly number[]): readonly Watched[] {
    return [...this.#watched].filter(
      ({ pid }) => pid !== undefined && numbers.includes(numberOf(pid.serial)),
    );
  }
}
