import type { Clock, Timer } from '@foundation/core';

import type { SimHost } from './sim-host.ts';
import type { Simulation } from './simulation.ts';

/** How wrong the clocks of a machine are. */
export interface MachineClockOptions {
  /** How fast its monotonic clock runs; 1 is right. @defaultValue 1 */
  readonly rate?: number;
  /** How far its wall clock is off at first, in milliseconds. @defaultValue 0 */
  readonly wallOffsetMs?: number;
}

/** Wall time at the start of every simulation: 2025-01-01. */
const epochMs = 1_735_689_600_000;

/** The clocks of one machine: they run too fast or too slow, are set, and the monotonic one stands still in its sleep. */
export class MachineClock implements Clock {
  readonly #simulation: Simulation;
  readonly #host: SimHost;
  readonly #rate: number;
  #wallOffsetMs: number;
  /** The sleep at hand, or the last one, and all earlier ones together. */
  #fellAsleepMs = 0;
  #wakesMs = 0;
  #sleptMs = 0;

  constructor(simulation: Simulation, host: SimHost, options: MachineClockOptions = {}) {
    this.#simulation = simulation;
    this.#host = host;
    this.#rate = options.rate ?? 1;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
  }

  now(): number {
    const { nowMs } = this.#simulation;
    const asleepMs = Math.min(nowMs, this.#wakesMs) - this.#fellAsleepMs;
    return (nowMs - this.#sleptMs - asleepMs) * this.#rate;
  }

  wallNow(): number {
    return epochMs + this.#wallOffsetMs + this.#simulation.nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const dueMs = this.now() + delayMs;
    let timer: Timer;
    const wait = (): void => {
      const leftMs = dueMs - this.now();
      if (leftMs <= 0) action();
      else timer = this.#simulation.schedule(this.#trueMs(leftMs), wait, this.#host);
    };
    timer = this.#simulation.schedule(this.#trueMs(delayMs), wait, this.#host);
    return { cancel: () => timer.cancel() };
  }

  /** At least so much that time goes on, however little of it is left. */
  #trueMs(ownMs: number): number {
    return Math.max(ownMs / this.#rate, 1e-6);
  }

  every(periodMs: number, action: () => void): Timer {
    let next: Timer;
    const tick = (): void => {
      next = this.after(periodMs, tick);
      action();
    };
    next = this.after(periodMs, tick);
    return { cancel: () => next.cancel() };
  }

  /** Lets the machine sleep: nothing runs, and its monotonic clock stands still. */
  sleep(durationMs: number): void {
    const { nowMs } = this.#simulation;
    this.#host.freeze(durationMs);
    if (nowMs >= this.#wakesMs) {
      this.#sleptMs += this.#wakesMs - this.#fellAsleepMs;
      this.#fellAsleepMs = nowMs;
    }
    this.#wakesMs = Math.max(this.#wakesMs, nowMs + durationMs);
  }

  /** Sets the wall clock forward, or back. */
  step(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }
}
