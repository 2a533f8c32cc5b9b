import { systemClock, type Clock, type Timer } from '../src/clock.ts';

/** Milliseconds between the looks of a node at its event loop: nothing else repeats so often. */
const lookMs = 20;

/** The real clock, for a node that is told how late its event loop is. */
export class LateClock implements Clock {
  #aheadMs = 0;
  #look: () => void = () => {};
  now = (): number => systemClock.now() + this.#aheadMs;
  wallNow = (): number => systemClock.wallNow();

  after(...timer: Parameters<Clock['after']>): Timer {
    return systemClock.after(...timer);
  }

  every(periodMs: number, action: () => void): Timer {
    if (periodMs > lookMs) return systemClock.every(periodMs, action);
    this.#look = action;
    return { cancel: () => (this.#look = () => {}) };
  }

  /** The event loop comes round, late by so much at least. */
  look(lateMs: number): void {
    this.#aheadMs += lookMs + lateMs;
    this.#look();
  }
}
