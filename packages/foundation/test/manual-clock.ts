import type { Clock, Timer } from '../src/clock.ts';

/** All that is ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Time that passes only when told to. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly action: () => void }[] = [];
  now = (): number => this.#now;
  wallNow = (): number => 1_000_000 + this.#now;

  after(delayMs: number, action: () => void): Timer {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((each) => each !== timer)) };
  }

  every(periodMs: number, action: () => void): Timer {
    let timer: Timer;
    const tick = (): void => {
      timer = this.after(periodMs, tick);
      action();
    };
    timer = this.after(periodMs, tick);
    return { cancel: () => timer.cancel() };
  }

  /** Timers that are waiting. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass, timer by timer, with everything that each of them sets off. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settled();
    while (this.#fireNext(end)) await settled();
    this.#now = end;
  }

  /** The same at once: nothing runs but the timers themselves. */
  jump(byMs: number): void {
    const end = this.#now + byMs;
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** The event loop stood still: time has passed, and no timer came in between. */
  stall(byMs: number): void {
    this.#now += byMs;
  }

  #fireNext(end: number): boolean {
    const next = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined) return false;
    this.#timers = this.#timers.filter((each) => each !== next);
    this.#now = Math.max(this.#now, next.at);
    next.action();
    return true;
  }
}
