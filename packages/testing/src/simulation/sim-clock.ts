import type { Clock, Timer } from '@foundation/core';

import { Simulation, type Owner } from './simulation.ts';

/** Whose clock it is, and how wrong. */
export interface SimClockOptions {
  /** Whose clock it is: its timers end with it. @defaultValue nobody's */
  readonly owner?: Owner;
  /** How far its wall clock is off, in milliseconds. @defaultValue 0 */
  readonly wallOffsetMs?: number;
}

/** Wall time at the start of every simulation: 2025-01-01. */
const epochMs = 1_735_689_600_000;

/** A clock that stands still until it is told to move. Clocks of one simulation move together. */
export class SimClock implements Clock {
  readonly #simulation: Simulation;
  readonly #owner: Owner | undefined;
  readonly #wallOffsetMs: number;

  /** @param simulation - what drives it. @defaultValue one of its own, with seed 0 */
  constructor(simulation: Simulation = new Simulation(0), options: SimClockOptions = {}) {
    this.#simulation = simulation;
    this.#owner = options.owner;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
  }

  now(): number {
    return this.#simulation.nowMs;
  }

  wallNow(): number {
    return epochMs + this.#wallOffsetMs + this.#simulation.nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#simulation.schedule(delayMs, action, this.#owner);
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

  /** Lets `durationMs` pass; timers that become due run in order, promises settle in between. */
  advance(durationMs: number): Promise<void> {
    return this.#simulation.advance(durationMs);
  }

  /**
   * Lets time pass until a condition holds.
   *
   * @returns whether it held within `limitMs`
   */
  runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.#simulation.runUntil(condition, limitMs);
  }
}
