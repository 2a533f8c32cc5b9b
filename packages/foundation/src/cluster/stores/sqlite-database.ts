import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { systemClock, type Clock, type Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { moduleBeside } from '../../module-beside.ts';
import {
  isRead,
  type BatchAnswer,
  type SqliteOperation,
  type SqliteProtocol,
  type SqliteRequest,
  type SqliteSettings,
} from './sqlite-protocol.ts';

/** Which file, how safe, how patient. */
export interface SqliteDatabaseOptions {
  /** The file; its directory must exist. */
  readonly path: string;
  /** `NORMAL` survives `kill -9` of any process, `FULL` also a power loss. @defaultValue 'NORMAL' */
  readonly synchronous?: 'NORMAL' | 'FULL';
  /** How long one try waits for another process's lock, in milliseconds. @defaultValue 50 */
  readonly busyMs?: number;
  /** How long an operation is tried before `STORE_UNAVAILABLE`, in milliseconds. @defaultValue 2000 */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

/** Pause between two tries, in milliseconds. The thread itself waits `busyMs` in each. */
const retryMs = 10;

/** Opening may take this many milliseconds longer: a loaded machine is slow to start a thread. */
const startMs = 8_000;

interface Pending {
  readonly request: SqliteRequest;
  readonly timeoutMs: number;
  readonly deadline: number;
  readonly settle: (reply: unknown) => void;
  readonly fail: (error: FoundationError) => void;
}

/**
 * One process's door to the cluster's SQLite file, shared by its store and its rendezvous.
 *
 * `node:sqlite` is synchronous, so it runs in a thread. What is asked during one turn of the event
 * loop, or while the thread is at work, goes to it as one batch and is one transaction (group
 * commit). The thread keeps the program alive only while something is unanswered.
 */
export class SqliteDatabase {
  readonly #settings: SqliteSettings;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  #users = 0;
  #worker: Worker | undefined;
  #waiting: Pending[] = [];
  #sent: readonly Pending[] = [];
  /** Whether a batch is being collected, carried out, or waits for its next try. */
  #isActive = false;
  #watch: { readonly deadline: number; readonly timer: Timer } | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: SqliteDatabaseOptions) {
    const { path, synchronous = 'NORMAL', busyMs = 50, deadlineMs = 2_000 } = options;
    this.#settings = { path, synchronous, busyMs };
    this.#deadlineMs = deadlineMs;
    this.#clock = options.clock ?? systemClock;
  }

  get synchronous(): 'NORMAL' | 'FULL' {
    return this.#settings.synchronous;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /**
   * Opens the file for one more user; each one closes it once.
   *
   * @throws FoundationError `STORE_UNAVAILABLE`
   */
  async open(): Promise<void> {
    this.#users++;
    try {
      await this.ask('open', null);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Lets go; the last user's call waits for what is unanswered and closes the file. */
  async close(): Promise<void> {
    this.#users--;
    if (this.#users > 0) return;
    if (this.#isActive) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    const worker = this.#worker;
    if (this.#users > 0 || worker === undefined) return;
    this.#worker = undefined;
    this.#watch?.timer.cancel();
    this.#watch = undefined;
    worker.ref();
    worker.postMessage(null);
    await once(worker, 'exit');
  }

  /**
   * Asks the database thread.
   *
   * @throws FoundationError `STORE_UNAVAILABLE` when it is closed, broken, or locked until the deadline.
   */
  ask<Op extends SqliteOperation>(
    op: Op,
    body: SqliteProtocol[Op]['request'],
  ): Promise<SqliteProtocol[Op]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#users === 0) {
        reject(this.#unavailable(`is not open for "${op}"`, 'Start the store before you use it.'));
        return;
      }
      const timeoutMs = this.#deadlineMs + (op === 'open' ? startMs : 0);
      const deadline = this.#clock.now() + timeoutMs;
      this.#waiting.push({
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two belong together by `Op`
        request: { op, body } as SqliteRequest,
        timeoutMs,
        deadline,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread replies by `Op`, too
        settle: (reply) => resolve(reply as SqliteProtocol[Op]['reply']),
        fail: reject,
      });
      this.#watchUntil(deadline);
      if (this.#isActive) return;
      this.#isActive = true;
      setImmediate(() => this.#sendBatch());
    });
  }

  #sendBatch(): void {
    if (this.#waiting.length === 0) {
      this.#isActive = false;
      this.#worker?.unref();
      for (const resolve of this.#whenIdle.splice(0)) resolve();
      return;
    }
    const worker = (this.#worker ??= this.#startWorker());
    this.#sent = this.#waiting;
    this.#waiting = [];
    worker.ref();
    worker.postMessage(this.#sent.map(({ request }) => request));
  }

  #onAnswer(answer: BatchAnswer): void {
    const sent = this.#sent;
    this.#sent = [];
    switch (answer.kind) {
      case 'done':
        for (const [index, pending] of sent.entries()) pending.settle(answer.replies[index]);
        break;
      case 'failed':
        this.#failAll(sent, answer.message);
        break;
      case 'busy':
        this.#onBusy(sent, answer.reads);
        return;
    }
    setImmediate(() => this.#sendBatch());
  }

  #onBusy(sent: readonly Pending[], reads: readonly unknown[] | undefined): void {
    const isAnswered = ({ request }: Pending): boolean => reads !== undefined && isRead(request);
    for (const [index, pending] of sent.filter(isAnswered).entries()) {
      pending.settle(reads?.[index]);
    }
    this.#waiting = [...sent.filter((pending) => !isAnswered(pending)), ...this.#waiting];
    // Too late for another whole try: failed now, while it is certain that nothing was written.
    this.#expire(retryMs + 2 * this.#settings.busyMs);
    this.#clock.after(retryMs, () => this.#sendBatch());
  }

  #startWorker(): Worker {
    const worker = new Worker(moduleBeside(import.meta.url, 'sqlite-worker'), {
      workerData: this.#settings,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'foundation-sqlite',
    });
    worker.on('message', (answer: BatchAnswer) => this.#onAnswer(answer));
    worker.once('error', (error: Error) => this.#onLost(worker, error.message));
    worker.once('exit', (code) => this.#onLost(worker, `its thread ended with code ${code}`));
    return worker;
  }

  /** The thread broke: what it had is failed, the next batch starts another one. */
  #onLost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#failAll(this.#sent, reason);
    this.#sent = [];
    if (this.#isActive) setImmediate(() => this.#sendBatch());
  }

  /** One background timer for all: it rings at the earliest deadline, or earlier. */
  #watchUntil(deadline: number): void {
    if (this.#watch !== undefined && this.#watch.deadline <= deadline) return;
    this.#watch?.timer.cancel();
    const onDeadline = (): void => {
      this.#watch = undefined;
      this.#expire();
      const now = this.#clock.now();
      const open = [...this.#sent, ...this.#waiting].filter((pending) => pending.deadline > now);
      if (open.length > 0) {
        this.#watchUntil(open.reduce((least, each) => Math.min(least, each.deadline), Infinity));
      } else this.#worker?.unref(); // it may hang in the disk; the program need not
    };
    const timer = this.#clock.after(deadline - this.#clock.now(), onDeadline, 'background');
    this.#watch = { deadline, timer };
  }

  /** Fails what is past its deadline. A batch that the thread still has stays there, unanswered. */
  #expire(aheadMs = 0): void {
    const now = this.#clock.now() + aheadMs;
    for (const { request, timeoutMs, deadline, fail } of [...this.#sent, ...this.#waiting]) {
      if (deadline > now) continue;
      fail(
        this.#unavailable(
          `did not answer "${request.op}" within ${timeoutMs} ms`,
          'Another process holds its lock: look for one that is stopped or in a debugger.',
        ),
      );
    }
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
  }

  #failAll(pending: readonly Pending[], reason: string): void {
    const error = this.#unavailable(
      `failed: ${reason}`,
      'Check that the file and its directory can be written, and that the disk is not full.',
    );
    for (const { fail } of pending) fail(error);
  }

  #unavailable(what: string, hint: string): FoundationError {
    const { path } = this.#settings;
    return new FoundationError('STORE_UNAVAILABLE', `the database ${path} ${what}`, {
      hint,
      details: { path },
    });
  }
}
