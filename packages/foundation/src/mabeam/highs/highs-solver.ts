import { Worker } from 'node:worker_threads';

import { type Clock, systemClock, type Timer } from '../../clock.ts';
import { moduleBeside } from '../../module-beside.ts';
import { checkNumber, refuseUnknown, withDefaults } from '../../options.ts';
import type { Solver, SolverJob, SolverResult } from '../solver.ts';
import type { FromHighsThread, HighsTask, HighsThreadData } from './highs-message.ts';

/** How much a solver may use. */
export interface HighsSolverOptions {
  /** Megabytes that HiGHS may use, 24 to 4096. A problem that needs more has `failed`. @defaultValue 1024 */
  readonly memoryMaxMb?: number;
  /** Megabytes that may be kept from one problem to the next: HiGHS itself gives nothing back. @defaultValue 128 */
  readonly memoryKeptMb?: number;
  /** Milliseconds without a problem after which the thread ends. @defaultValue 30_000 */
  readonly idleMs?: number;
  /**
   * Milliseconds that a problem may take to stop when its time is up, at most a tenth of that time; then the thread is
   * ended, and the answer is the best that was found.
   *
   * @defaultValue 400
   */
  readonly graceMs?: number;
  /** Problems that may wait for others to be solved. @defaultValue 1_000 */
  readonly waitingMax?: number;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
}

const defaults: Required<HighsSolverOptions> = {
  memoryMaxMb: 1_024,
  memoryKeptMb: 128,
  idleMs: 30_000,
  graceMs: 400,
  waitingMax: 1_000,
  clock: systemClock,
};

/** Heap of the thread: the problem itself, in and out. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

/** A problem that is solved, or waits to be. */
interface Pending {
  readonly number: number;
  readonly job: SolverJob;
  /** When its time is up. */
  readonly deadline: number;
  /** Ends the wait, with an answer if there is one. */
  readonly settle: (result?: SolverResult) => void;
  /** The best that is known, in case that it has to be ended. */
  best?: SolverResult;
}

/**
 * HiGHS in a thread of its own, one problem after the other. The thread starts with the first problem, which is when
 * the package `highs` has to be there; it is replaced when it has taken much memory, does not stop in time, or breaks.
 */
export class HighsSolver implements Solver {
  readonly #settings: Required<HighsSolverOptions>;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  #running: Pending | undefined;
  #waiting: Pending[] = [];
  #idle: Timer | undefined;
  #count = 0;
  #isClosed = false;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: HighsSolverOptions = {}) {
    refuseUnknown('HighsSolver', options, Object.keys(defaults));
    this.#settings = withDefaults(defaults, options);
    const { memoryMaxMb, memoryKeptMb, idleMs, graceMs, waitingMax } = this.#settings;
    checkNumber('HighsSolver', { memoryMaxMb }, { min: 24, max: 4_096 });
    checkNumber('HighsSolver', { memoryKeptMb, idleMs, graceMs, waitingMax }, { min: 0 });
  }

  /** Its time counts from here on, other problems before it included. */
  solve(
    job: SolverJob,
    { budgetMs, signal }: { readonly budgetMs: number; readonly signal: AbortSignal },
  ): Promise<SolverResult> {
    if (this.#isClosed) return Promise.resolve(failure('the solver was closed'));
    if (this.#waiting.length >= this.#settings.waitingMax) {
      return Promise.resolve(failure(`${this.#waiting.length} problems wait already`));
    }
    if (signal.aborted) return Promise.resolve(limit('it was cancelled'));
    const { clock, graceMs } = this.#settings;
    const { promise, resolve } = Promise.withResolvers<SolverResult>();
    const onAbort = (): void => this.#cancel(pending);
    const longestMs = budgetMs + Math.min(graceMs, budgetMs / 10);
    const timer = clock.after(longestMs, () => this.#giveUp(pending, 'its time was up'));
    const pending: Pending = {
      number: ++this.#count,
      job,
      deadline: clock.now() + budgetMs,
      settle: (result) => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        if (result !== undefined) resolve(result);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(pending);
    this.#next();
    return promise;
  }

  /**
   * Ends the thread. What was to be solved stays without an answer: it is nobody's any more, or another coordinator's.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#running?.settle();
    for (const pending of this.#waiting) pending.settle();
    this.#waiting = [];
    this.#running = undefined;
    await this.#endThread();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const next = this.#waiting.shift();
    const { clock, idleMs } = this.#settings;
    if (next === undefined) {
      // It answers for a program that has something to do, it is not something to do.
      this.#worker?.unref();
      this.#idle ??= clock.after(idleMs, () => void this.#endThread(), 'background');
      return;
    }
    this.#idle?.cancel();
    this.#idle = undefined;
    this.#running = next;
    this.#worker ??= this.#startThread();
    this.#worker.ref();
    const { number, job, deadline } = next;
    const task: HighsTask = { number, job, budgetMs: Math.max(deadline - clock.now(), 0) };
    this.#worker.postMessage(task);
  }

  /** Nobody wants it any more: it is asked to stop, and made to if it does not. */
  #cancel(pending: Pending): void {
    if (this.#running !== pending) return this.#giveUp(pending, 'it was cancelled');
    Atomics.store(this.#stop, 0, pending.number);
    pending.settle(limit('it was cancelled'));
    const { clock, graceMs } = this.#settings;
    clock.after(graceMs, () => this.#giveUp(pending, 'it was cancelled'), 'background');
  }

  #giveUp(pending: Pending, why: string): void {
    if (this.#running === pending) {
      this.#running = undefined;
      void this.#endThread();
    } else if (this.#waiting.includes(pending)) {
      this.#waiting = this.#waiting.filter((other) => other !== pending);
    } else return;
    pending.settle(pending.best ?? limit(why));
    this.#next();
  }

  #startThread(): Worker {
    const { memoryMaxMb } = this.#settings;
    const data: HighsThreadData = { stop: this.#stop, memoryMaxMb };
    const worker = new Worker(moduleBeside(import.meta.url, 'highs-worker'), {
      workerData: data,
      name: 'foundation-solver',
      resourceLimits,
    });
    worker.on('message', (message: FromHighsThread) => this.#hear(worker, message));
    worker.once('error', (error) => this.#onLost(worker, error.message));
    worker.once('exit', (code) => this.#onLost(worker, `its thread ended with code ${code}`));
    return worker;
  }

  #hear(worker: Worker, message: FromHighsThread): void {
    const running = this.#running;
    if (this.#worker !== worker || running?.number !== message.number) return;
    if (message.kind !== 'done') {
      const news = message.kind === 'better' ? message.result : { bound: message.bound };
      running.best = { ...limit('its time was up'), ...running.best, ...news };
      return;
    }
    this.#running = undefined;
    const { result, memoryMb } = message;
    // What has failed may have broken HiGHS itself.
    if (memoryMb > this.#settings.memoryKeptMb || result.status === 'failed') {
      void this.#endThread();
    }
    running.settle(result);
    this.#next();
  }

  #onLost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const running = this.#running;
    this.#running = undefined;
    running?.settle(failure(`the solver broke: ${reason}`));
    this.#next();
  }

  async #endThread(): Promise<void> {
    this.#idle?.cancel();
    this.#idle = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function limit(detail: string): SolverResult {
  return { status: 'limit', solver: 'none', detail };
}

function failure(detail: string): SolverResult {
  return { status: 'failed', solver: 'none', detail };
}
