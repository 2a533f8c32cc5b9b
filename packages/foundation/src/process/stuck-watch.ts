import type { Due } from './deadlines.ts';
import type { Process } from './process.ts';

/** Milliseconds after which a handler that has not settled is reported. */
export const stuckAfterMs = 60_000;

/**
 * Reports a handler that does not settle. No more can be done about it inline: its process goes on
 * waiting until its supervisor stops it, and is then abandoned with the reason `stuck`.
 */
export class StuckWatch implements Due {
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
    const { watches } = process.runtime;
    watches.add(this, watches.tickIn(stuckAfterMs));
  }

  end(): void {
    this.#process.runtime.watches.remove(this);
  }

  expire(): void {
    const { runtime, pid, isAlive } = this.#process;
    if (isAlive)
      runtime.events.emit('stuck', { pid, who: this.#process.describe(), afterMs: stuckAfterMs });
  }
}
