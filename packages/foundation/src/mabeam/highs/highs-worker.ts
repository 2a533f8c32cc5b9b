import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../../clock.ts';
import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import type { SolverResult } from '../solver.ts';
import { solveWithHighs } from './highs-job.ts';
import type { FromHighsThread, HighsTask, HighsThreadData } from './highs-message.ts';
import { loadHighs } from './load-highs.ts';

// The thread of a solver: HiGHS computes without a pause, and a host without a pause hears nobody.
const { stop, memoryMaxMb }: HighsThreadData = workerData;
const mb = 2 ** 20;
const tell = (message: FromHighsThread): void => parentPort?.postMessage(message);

/** As much of the global object as is needed here. */
declare const WebAssembly: {
  readonly Memory: {
    readonly prototype: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  };
};

capMemory();
const loading = loadHighs();
// Each task tells of it.
loading.catch(() => undefined);

parentPort?.on('message', (task: HighsTask) => void work(task));

async function work({ number, job, budgetMs }: HighsTask): Promise<void> {
  const since = systemClock.now();
  try {
    const highs = await loading;
    const result = solveWithHighs(highs, job, {
      budgetMs: budgetMs - (systemClock.now() - since),
      isOver: () => Atomics.load(stop, 0) === number,
      onBetter: (better) => tell({ kind: 'better', number, result: better }),
      onBound: (bound) => tell({ kind: 'bound', number, bound }),
    });
    tell({ kind: 'done', number, result, memoryMb: highs.memoryBytes / mb });
  } catch (error) {
    tell({ kind: 'done', number, result: unloaded(error), memoryMb: 0 });
  }
}

function unloaded(error: unknown): SolverResult {
  const hint = isFoundationError(error) ? `. ${error.hint ?? ''}` : '';
  return { status: 'failed', solver: 'none', detail: messageOf(error) + hint };
}

/** What HiGHS takes is no part of the heap that a thread's `resourceLimits` limit: it gets no more than this. */
function capMemory(): void {
  const { prototype } = WebAssembly.Memory;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the memory that is to grow
  const { grow } = prototype;
  prototype.grow = function growWithin(pages: number): number {
    if (this.buffer.byteLength + pages * 65_536 <= memoryMaxMb * mb) return grow.call(this, pages);
    throw new FoundationError('OVERLOADED', `HiGHS wants more than ${memoryMaxMb} MB`);
  };
}
