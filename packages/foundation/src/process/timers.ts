import type { Timer } from '../clock.ts';
import type { Request } from '../context/request.ts';
import { Note } from './envelope.ts';
import type { Process } from './process.ts';

/** A run of a timer that waits in the mailbox: what was cancelled meanwhile is passed over. */
export class TimerNote extends Note {
  readonly #timers: Timers;
  readonly #timer: NamedTimer;

  constructor(timers: Timers, timer: NamedTimer) {
    super('timer', timer.name, [], undefined, timer.request);
    this.#timers = timers;
    this.#timer = timer;
  }

  override get isOpen(): boolean {
    return this.#timer.waiting === this;
  }

  /** Called when it is handled: from now on the timer may run again. */
  taken(): void {
    this.#timers.taken(this.#timer);
  }

  /** Called when it is put off. Returns false when it is void by now, or another run stands for it. */
  putOff(): boolean {
    return this.#timers.putOff(this.#timer, this);
  }
}

interface NamedTimer {
  readonly name: string;
  readonly request: Request | undefined;
  readonly periodMs: number | undefined;
  dueMs: number;
  handle: Timer | undefined;
  waiting: TimerNote | undefined;
}

/** The named timers of one process: one of each name, at most one run of each in the mailbox. */
export class Timers {
  readonly #process: Process;
  readonly #timers = new Map<string, NamedTimer>();

  constructor(process: Process) {
    this.#process = process;
  }

  /** How many are set. */
  get count(): number {
    return this.#timers.size;
  }

  set(
    name: string,
    ms: number,
    options: { isPeriodic: boolean; request: Request | undefined },
  ): void {
    const { runtime, isAlive } = this.#process;
    this.cancel(name);
    if (!isAlive) return;
    const timer: NamedTimer = {
      name,
      request: options.request,
      periodMs: options.isPeriodic ? ms : undefined,
      dueMs: options.isPeriodic ? runtime.clock.now() + ms : 0,
      handle: undefined,
      waiting: undefined,
    };
    this.#timers.set(name, timer);
    this.#arm(timer, ms);
  }

  cancel(name: string): void {
    const timer = this.#timers.get(name);
    if (timer === undefined) return;
    this.#timers.delete(name);
    timer.handle?.cancel();
    timer.waiting = undefined;
  }

  taken(timer: NamedTimer): void {
    timer.waiting = undefined;
    if (timer.periodMs === undefined) this.#timers.delete(timer.name);
  }

  putOff(timer: NamedTimer, run: TimerNote): boolean {
    const isPeriodic = timer.periodMs !== undefined;
    const known = this.#timers.get(timer.name);
    if (known !== (isPeriodic ? timer : undefined) || timer.waiting !== undefined) return false;
    timer.waiting = run;
    this.#timers.set(timer.name, timer);
    return true;
  }

  end(): void {
    for (const name of this.#timers.keys()) this.cancel(name);
  }

  #arm(timer: NamedTimer, ms: number): void {
    timer.handle = this.#process.runtime.clock.after(ms, () => this.#fire(timer));
  }

  #fire(timer: NamedTimer): void {
    if (timer.periodMs !== undefined) this.#arm(timer, this.#untilNext(timer, timer.periodMs));
    // A run that still waits stands for this one, too.
    if (timer.waiting !== undefined) return;
    timer.waiting = new TimerNote(this, timer);
    this.#process.deliver(timer.waiting);
  }

  /** Keeps the rhythm; what a standstill has missed is left out. */
  #untilNext(timer: NamedTimer, periodMs: number): number {
    const now = this.#process.runtime.clock.now();
    const missed = Math.max(0, Math.floor((now - timer.dueMs) / periodMs));
    timer.dueMs += (missed + 1) * periodMs;
    return Math.max(0, timer.dueMs - now);
  }
}
