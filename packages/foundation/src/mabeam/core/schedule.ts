import type { Clock, Timer } from '../../clock.ts';
import type { VariableLock } from './variable-store.ts';

export interface ScheduleParts {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Whether this node could: one that cannot leaves it to others. */
  readonly canRun: () => boolean;
  /** Undefined when somebody else has it. */
  readonly lock: () => Promise<VariableLock | undefined>;
  /** Never rejects. */
  readonly run: () => Promise<unknown>;
}

/**
 * Does something again and again, on one node of all that have the same schedule: on the one that holds its lock, until
 * that is lost. A turn that comes while the one before still runs is left out.
 */
export class Schedule {
  readonly #parts: ScheduleParts;
  readonly #timer: Timer;
  #term: VariableLock | undefined;
  #isRunning = false;
  #isStopped = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(parts.everyMs, () => void this.#turn());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
    void this.#term?.release();
  }

  async #turn(): Promise<void> {
    if (this.#isRunning || !this.#parts.canRun()) return;
    this.#isRunning = true;
    try {
      if (await this.#holdsTerm()) await this.#parts.run();
    } catch {
      // The store cannot say whose turn it is: the next one will tell.
    } finally {
      this.#isRunning = false;
    }
  }

  async #holdsTerm(): Promise<boolean> {
    if (this.#term?.signal.aborted === false) return true;
    this.#term = await this.#parts.lock();
    if (this.#isStopped) await this.#term?.release();
    return this.#term !== undefined && !this.#isStopped;
  }
}
