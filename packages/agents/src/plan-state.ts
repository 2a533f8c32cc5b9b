import type { FoundationError } from '@foundation/core';

import { needFailed, noAgent, stepTimeout } from './errors.ts';
import type { PlanEffect, PlanEvent } from './plan-event.ts';
import type { PlanOptions } from './plan-options.ts';
import type { Plan } from './plan.ts';
import { ReadyQueue } from './ready-queue.ts';
import { isEmpty, resolveInput } from './reference.ts';
import { mayRetry, retryDelayMs } from './retry.ts';
import { byIndex, byRank, isFinal, newRecord } from './step-record.ts';
import type { StepRecord } from './step-record.ts';

/** Where a plan stands; all but `running` are final. */
export type PlanStatus = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'timed-out';

export type PlanStateOptions = Required<
  Pick<PlanOptions, 'concurrency' | 'deadlineMs' | 'onUnassignable' | 'order'>
>;

/** A call's timer may fire this much before ours for the same moment. */
const timerSlackMs = 2;

/**
 * Decides what a plan does next: list scheduling over the graph of steps, with retries, deadlines and cancellation.
 *
 * A state machine without clock, chance or I/O: the same events at the same times give the same effects.
 * Ready steps start by longest remaining path, then id. An event costs O(log ready + dependants).
 *
 * @remarks Source of the scheduler and its bounds: Graham 1969, "Bounds on multiprocessing timing anomalies".
 */
export class PlanState {
  readonly records: ReadonlyMap<string, StepRecord>;
  readonly results = new Map<string, unknown>();
  #status: PlanStatus = 'running';
  readonly #options: PlanStateOptions;
  readonly #ready: ReadyQueue<StepRecord>;
  /** Steps that found no agent. */
  #parked: StepRecord[] = [];
  #running = 0;
  #open: number;
  #tokens = 0;
  #dueAt = Number.POSITIVE_INFINITY;
  #now = 0;
  #effects: PlanEffect[] = [];
  #incomplete = false;

  constructor(plan: Plan, options: PlanStateOptions) {
    this.#options = options;
    this.#ready = new ReadyQueue(options.order === 'listed' ? byIndex : byRank);
    this.records = new Map([...plan.steps].map(([id, planned]) => [id, newRecord(planned)]));
    this.#open = this.records.size;
  }

  get status(): PlanStatus {
    return this.#status;
  }

  /**
   * Takes in what happened at `now` (milliseconds of any clock that never goes back) and says what to do. Events given
   * together are all taken in before anything starts, so that the most urgent step goes first.
   */
  apply(events: readonly PlanEvent[], now: number): readonly PlanEffect[] {
    this.#now = now;
    this.#effects = [];
    for (const event of events) if (this.#status === 'running') this.#take(event);
    this.#dispatch();
    this.#finishIfDone();
    return this.#effects;
  }

  #take(event: PlanEvent): void {
    switch (event.kind) {
      case 'begin':
        return this.#begin();
      case 'started':
        return this.#started(event.step, event.token, event.agent);
      case 'unassignable':
        return this.#unassignable(event.step, event.token);
      case 'agents-changed':
        return this.#unpark();
      case 'succeeded':
        return this.#succeeded(event.step, event.token, event.result);
      case 'failed':
        return this.#failed(event.step, event.token, event.error);
      case 'retry-due':
        return this.#retryDue(event.step, event.token);
      case 'step-expired':
        return this.#stepExpired(event.step);
      case 'plan-expired':
        return this.#stop('timed-out');
      case 'cancel':
        return this.#stop('cancelled');
    }
  }

  #begin(): void {
    const { deadlineMs } = this.#options;
    if (this.#dueAt !== Number.POSITIVE_INFINITY) return;
    this.#dueAt = this.#now + deadlineMs;
    this.#effects.push({ kind: 'timer', delayMs: deadlineMs, event: { kind: 'plan-expired' } });
    for (const record of this.records.values()) {
      if (record.planned.needs.length === 0) this.#makeReady(record);
    }
  }

  #started(step: string, token: number, agent: string): void {
    const record = this.#live(step, token);
    if (record === undefined) return;
    record.agent = agent;
    record.startedAt ??= this.#now;
  }

  #unassignable(step: string, token: number): void {
    const record = this.#live(step, token);
    if (record === undefined) return;
    record.attempts--;
    if (this.#options.onUnassignable === 'fail') {
      this.#fail(record, noAgent(record.planned.step));
      return;
    }
    this.#pause(record);
    this.#parked.push(record);
  }

  #unpark(): void {
    const parked = this.#parked;
    this.#parked = [];
    for (const record of parked) if (record.status === 'pending') this.#enqueue(record);
  }

  #succeeded(step: string, token: number, result: unknown): void {
    const record = this.#live(step, token);
    if (record === undefined) return;
    this.results.set(step, result);
    record.error = undefined;
    this.#end(record, 'succeeded');
    this.#release(record);
  }

  #failed(step: string, token: number, error: FoundationError): void {
    const record = this.#live(step, token);
    if (record === undefined) return;
    const isLate = error.code === 'CALL_TIMEOUT' && this.#now + timerSlackMs >= record.dueAt;
    if (isLate && record.dueAt === this.#dueAt) return this.#stop('timed-out');
    if (isLate) return this.#stepExpired(step);
    record.error = error;
    if (!mayRetry(record.planned.step, record.attempts, error)) return this.#fail(record, error);
    if (record.agent !== undefined) record.avoid = [...record.avoid, record.agent];
    this.#pause(record);
    const delayMs = retryDelayMs(record.planned.step.retry, record.attempts);
    this.#effects.push({ kind: 'timer', delayMs, event: { kind: 'retry-due', step, token } });
  }

  #retryDue(step: string, token: number): void {
    const record = this.records.get(step);
    if (record?.status === 'pending' && record.token === token) this.#enqueue(record);
  }

  #stepExpired(step: string): void {
    const record = this.records.get(step);
    if (record === undefined || isFinal(record.status)) return;
    this.#abort(record);
    this.#fail(record, stepTimeout(record.planned.step, record.error));
  }

  #fail(record: StepRecord, error: FoundationError): void {
    record.error = error;
    this.#end(record, 'failed');
    switch (record.planned.step.onFail ?? 'fail-plan') {
      case 'fail-plan':
        return this.#stop('failed');
      case 'skip-dependents':
        this.#incomplete = true;
        return this.#skipDependants(record, error);
      case 'continue':
        return this.#release(record);
    }
  }

  #skipDependants(failed: StepRecord, cause: FoundationError): void {
    const open = [failed];
    for (let record = open.pop(); record !== undefined; record = open.pop()) {
      for (const dependant of this.#dependantsOf(record)) {
        if (isFinal(dependant.status)) continue;
        dependant.error = needFailed(failed.planned.step, cause);
        this.#end(dependant, 'skipped');
        open.push(dependant);
      }
    }
  }

  /** Counts a finished step off its dependants; one that is skipped by its condition is finished, too. */
  #release(finished: StepRecord): void {
    const open = [finished];
    for (let record = open.pop(); record !== undefined; record = open.pop()) {
      for (const dependant of this.#dependantsOf(record)) {
        dependant.needsLeft--;
        if (dependant.needsLeft > 0 || dependant.status !== 'pending') continue;
        if (!this.#makeReady(dependant)) open.push(dependant);
      }
    }
  }

  /** Queues a step, or skips it when its condition is unmet and says false. */
  #makeReady(record: StepRecord): boolean {
    const { when } = record.planned.step;
    if (when !== undefined && isEmpty(resolveInput(when, this.results))) {
      this.#end(record, 'skipped');
      return false;
    }
    this.#enqueue(record);
    return true;
  }

  #enqueue(record: StepRecord): void {
    record.status = 'ready';
    this.#ready.push(record);
  }

  #dispatch(): void {
    while (this.#running < this.#options.concurrency) {
      const record = this.#ready.shift();
      if (record === undefined) return;
      if (record.status === 'ready') this.#start(record);
    }
  }

  #start(record: StepRecord): void {
    const { step } = record.planned;
    if (record.token === 0) this.#setDeadline(record);
    record.status = 'running';
    record.attempts++;
    record.token = ++this.#tokens;
    this.#running++;
    this.#effects.push({
      kind: 'start',
      step,
      attempt: record.attempts,
      token: record.token,
      input: resolveInput(step.input, this.results),
      timeoutMs: Math.max(0, record.dueAt - this.#now),
      avoid: record.avoid,
    });
  }

  #setDeadline(record: StepRecord): void {
    const { id, deadlineMs } = record.planned.step;
    record.dueAt = Math.min(this.#dueAt, this.#now + (deadlineMs ?? Number.POSITIVE_INFINITY));
    if (deadlineMs === undefined) return;
    this.#effects.push({
      kind: 'timer',
      delayMs: deadlineMs,
      event: { kind: 'step-expired', step: id },
    });
  }

  /** Takes a running step back to wait; its slot is free. */
  #pause(record: StepRecord): void {
    record.status = 'pending';
    this.#running--;
  }

  #end(record: StepRecord, status: 'succeeded' | 'failed' | 'cancelled' | 'skipped'): void {
    if (record.status === 'running') this.#running--;
    record.status = status;
    record.endedAt = this.#now;
    this.#open--;
  }

  #abort(record: StepRecord): void {
    if (record.status === 'running') this.#effects.push({ kind: 'abort', token: record.token });
  }

  #stop(status: PlanStatus): void {
    for (const record of this.records.values()) {
      if (isFinal(record.status)) continue;
      this.#abort(record);
      this.#end(record, 'cancelled');
    }
    this.#finish(status);
  }

  #finishIfDone(): void {
    if (this.#open === 0) this.#finish(this.#incomplete ? 'failed' : 'succeeded');
  }

  #finish(status: PlanStatus): void {
    if (this.#status !== 'running') return;
    this.#status = status;
    this.#effects.push({ kind: 'finish' });
  }

  #live(step: string, token: number): StepRecord | undefined {
    const record = this.records.get(step);
    return record?.status === 'running' && record.token === token ? record : undefined;
  }

  *#dependantsOf(record: StepRecord): Generator<StepRecord> {
    for (const id of record.planned.dependants) {
      const dependant = this.records.get(id);
      if (dependant !== undefined) yield dependant;
    }
  }
}
