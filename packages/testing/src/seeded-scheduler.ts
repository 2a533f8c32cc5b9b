import type { Random } from '@foundation/core';
import type { Runnable, Scheduler } from '@foundation/core/internal';

/**
 * Runs processes in an order drawn from a seed: one message of one of those that are ready, then draws
 * again. What is sent in one turn of the event loop becomes ready together.
 */
export class SeededScheduler implements Scheduler {
  readonly #random: Random;
  readonly #ready: Runnable[] = [];
  #isPosted = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether no process has a message to handle. */
  get isIdle(): boolean {
    return this.#ready.length === 0;
  }

  enqueue(item: Runnable): void {
    this.#ready.push(item);
    if (this.#isPosted) return;
    this.#isPosted = true;
    setImmediate(this.#runOne);
  }

  /** One message at a time. */
  look(): number {
    return 0;
  }

  readonly #runOne = (): void => {
    this.#isPosted = false;
    const at = this.#random.int(this.#ready.length);
    const [item] = this.#ready.splice(at, 1);
    try {
      item?.run();
    } catch (error) {
      item?.crash(error);
    }
    if (this.#ready.length === 0 || this.#isPosted) return;
    this.#isPosted = true;
    setImmediate(this.#runOne);
  };
}
