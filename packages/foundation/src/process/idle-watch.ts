import type { Due } from './deadlines.ts';
import { Note } from './envelope.ts';
import type { Process } from './process.ts';

/**
 * Tells a process once when no message has come for a while. It is entered in the wheel once, not for
 * each message: when it is due it looks when the process became idle, and waits for the rest.
 */
export class IdleWatch implements Due {
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly #process: Process;
  readonly #idleMs: number;
  #dueAtTick = 0;
  #isWaiting = false;
  /** Messages handled when it told. */
  #toldAt = -1;

  constructor(process: Process) {
    this.#process = process;
    this.#idleMs = process.behaviour.limits.idleMs;
  }

  /** The process has nothing to do, from now on. */
  begin(): void {
    const { runtime, handled } = this.#process;
    // The notice itself is a message: it does not count.
    if (handled === this.#toldAt) return;
    this.#dueAtTick = runtime.watches.tickIn(this.#idleMs);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    runtime.watches.add(this, this.#dueAtTick);
  }

  end(): void {
    this.#process.runtime.watches.remove(this);
  }

  expire(): void {
    const { runtime, status, handled, behaviour, isAtRest } = this.#process;
    this.#isWaiting = false;
    // It becomes idle again when it has done what it is at.
    if (status !== 'idle') return;
    // A reply that is owed, or work that goes on, is something to do.
    if (!isAtRest) this.#dueAtTick = runtime.watches.tickIn(this.#idleMs);
    if (this.#dueAtTick > this.dueTick) {
      this.#isWaiting = true;
      runtime.watches.add(this, this.#dueAtTick);
      return;
    }
    if (!behaviour.info.has('idle')) return this.#process.stop({ reason: 'normal' });
    this.#toldAt = handled + 1;
    this.#process.deliver(new Note('idle', 'idle', [{ idleMs: this.#idleMs }]));
  }
}
