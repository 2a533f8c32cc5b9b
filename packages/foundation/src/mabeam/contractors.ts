import { type Clock, sleep, systemClock, type Timer } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Worth } from './bidders.ts';
import type { CoordinationRequest } from './message.ts';
import { clipped, isRecord } from './parse.ts';
import type { ParticipantHandlers } from './participant.ts';
import type { AwardQuestion, Performance } from './protocols/contract-net-questions.ts';

/**
 * Does a task. What it returns is the result (nothing: it is done), what it throws a failure. Of `ctx` it takes what it
 * needs before it waits for anything: later messages use the same one.
 *
 * @param signal - Aborted when the award holds no longer: it was cancelled, or nobody asks after it any more.
 */
// oxlint-disable-next-line max-params -- in which process, what, until when
export type Work<C> = (ctx: C, award: AwardQuestion, signal: AbortSignal) => unknown;

export interface ContractorOptions {
  /** @defaultValue the system's */
  readonly clock?: Clock;
}

/** Heartbeats without a question after which nobody waits for a result any more. Until then it can be asked for again. */
const heartbeatsMissed = 4;

/**
 * A contractor that proposes to do each task for what it costs, unless that is more than is paid, and does it, however long
 * that takes: until it is done it answers `working`. It stops when it is told to, and when its coordinator is gone.
 *
 * To say its true cost is best where the `pricing` is `vickrey`; by `first` it gains nothing.
 */
// oxlint-disable-next-line max-params -- what it costs, how it is done, by which clock
export function contractor<C>(
  cost: Worth<C>,
  work: Work<C>,
  { clock = systemClock }: ContractorOptions = {},
): ParticipantHandlers<C> {
  const jobs = new Map<string, Job>();
  const forget = (key: string): void => {
    jobs.get(key)?.end();
    jobs.delete(key);
  };
  return {
    propose(ctx, { maxCost }) {
      const own = typeof cost === 'function' ? cost(ctx) : cost;
      return maxCost === undefined || own <= maxCost ? { cost: own } : { decline: 'costs more' };
    },
    async perform(ctx, award, request) {
      const key = keyOf(request, award.fencing);
      const job = jobs.get(key) ?? (award.heartbeat === 0 ? new Job(clock) : undefined);
      if (job === undefined) return { act: 'failure', reason: 'knows of no such award' };
      if (!jobs.has(key)) {
        jobs.set(key, job);
        job.begin(() => work(ctx, award, job.signal));
      }
      job.expireIn(award.heartbeatMs * heartbeatsMissed, () => forget(key));
      // What is done at once need not wait for the next heartbeat.
      await Promise.race([job.settled, sleep(clock, 0)]);
      return job.performance;
    },
    told(_ctx, notice) {
      if (notice.type !== 'cancel' || !isRecord(notice.body)) return;
      forget(keyOf(notice, Number(notice.body['fencing'])));
    },
  };
}

/** One award of one session to one agent. */
function keyOf({ session, to }: CoordinationRequest, fencing: number): string {
  return `${session}|${fencing}|${to}`;
}

/** Work under way. */
class Job {
  performance: Performance = { act: 'working' };
  settled: Promise<void> = Promise.resolve();
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #expiry: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  begin(work: () => unknown): void {
    this.settled = this.#do(work);
  }

  expireIn(ms: number, expired: () => void): void {
    this.#expiry?.cancel();
    this.#expiry = this.#clock.after(ms, expired, 'background');
  }

  end(): void {
    this.#expiry?.cancel();
    this.#stop.abort();
  }

  async #do(work: () => unknown): Promise<void> {
    try {
      const result = await work();
      this.performance =
        result === undefined ? { act: 'inform_done' } : { act: 'inform_result', result };
    } catch (error) {
      this.performance = { act: 'failure', reason: clipped(messageOf(error), 200) };
    }
  }
}
