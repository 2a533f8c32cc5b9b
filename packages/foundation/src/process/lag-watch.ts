import type { Timer } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/** Milliseconds between two looks at the clock. */
const lookMs = 20;
/** Late looks in a row after which the loop is taken for overloaded: one alone may be a single long handler. */
const lateLooks = 2;

/**
 * Measures how late the event loop is, and has the runtime refuse calls from outside while it is later
 * than it may be. What has been accepted goes on.
 */
export class LagWatch implements Disposable {
  readonly #runtime: Runtime;
  readonly #lagMaxMs: number;
  readonly #timer: Timer;
  #lookedAt: number;
  #late = 0;

  constructor(runtime: Runtime, lagMaxMs: number) {
    this.#runtime = runtime;
    this.#lagMaxMs = lagMaxMs;
    this.#lookedAt = runtime.clock.now();
    this.#timer = runtime.clock.every(lookMs, () => this.#look());
  }

  #look(): void {
    const now = this.#runtime.clock.now();
    const lagMs = Math.max(0, now - this.#lookedAt - lookMs);
    this.#lookedAt = now;
    this.#late = lagMs > this.#lagMaxMs ? this.#late + 1 : 0;
    this.#shed(this.#late >= lateLooks, lagMs);
  }

  #shed(isShedding: boolean, lagMs: number): void {
    const runtime = this.#runtime;
    if (runtime.isShedding === isShedding) return;
    runtime.isShedding = isShedding;
    runtime.events.emit('overload', { node: runtime.name, lagMs, isShedding });
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#runtime.isShedding = false;
  }
}
