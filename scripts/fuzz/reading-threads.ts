import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { together, type Reading, type ReadingOrder } from './reading.ts';

/** Threads that share the inputs to a decoder, so that all processors have something to do. */
export class ReadingThreads implements AsyncDisposable {
  readonly #workers: readonly Worker[];

  constructor(count: number) {
    const program = new URL('reading-thread.ts', import.meta.url);
    this.#workers = Array.from({ length: count }, () => new Worker(program));
  }

  /** Has bad inputs read. The same seed gives the same inputs to the same number of threads. */
  async read(decoder: string, { inputs, seed }: Omit<ReadingOrder, 'decoder'>): Promise<Reading> {
    const share = Math.ceil(inputs / this.#workers.length);
    const readings = this.#workers.map(async (worker, index): Promise<Reading> => {
      const order: ReadingOrder = { decoder, inputs: share, seed: `${seed} ${index}` };
      worker.postMessage(order);
      const [reading] = await once(worker, 'message');
      return reading;
    });
    return together(await Promise.all(readings));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
