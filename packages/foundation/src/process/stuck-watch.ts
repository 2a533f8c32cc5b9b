import type { Due } from './deadlines.ts';
import type { Process } from './process.ts';

/**
 * Reports a handler that does not settle. In a thread the process is ended; inline it goes on waiting
 * until its supervisor stops it, and is then abandoned with the reason `stuck`.
 */
export class StuckWatch implements Due {
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
    const { watches } = process.runtime;
    watches.add(this, watches.tickIn(process.behaviour.limits.stuckMs));
  }

  end(): void {
    this.#process.runtime.watches.remove(this);
  }

  expire(): void {
    const { runtime, pid, isAlive, behaviour } = this.#process;
    if (!isAlive) return;
    const { stuckMs } = behaviour.limits;
    runtime.events.emit('stuck', { pid, who: this.#process.describe(), afterMs: stuckMs });
    if (runtime.thread !== 0) this.#process.kill({ reason: 'stuck' });
  }
}
