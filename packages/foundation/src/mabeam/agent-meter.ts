import type { Clock } from '../clock.ts';
import { isFoundationError } from '../errors.ts';
import type { ProcessStatistics } from '../introspection/introspection.ts';
import type { ProcessManager } from '../placement/process-manager.ts';
import type { Pid } from '../process/pid.ts';
import type { ThreadUsage } from '../thread/threads.ts';
import type { AgentUsage } from './agent-info.ts';

export interface MeterParts {
  readonly clock: Clock;
  readonly processes: Pick<ProcessManager, 'inspect'>;
  readonly threadUsage: (thread: number) => Promise<ThreadUsage | undefined>;
}

interface Reading {
  readonly at: number;
  readonly handled: number;
  readonly busyMs: number;
}

/** What was read, and whether it was its thread that told, as it does not answer itself. */
export interface Measurement {
  readonly usage: AgentUsage;
  readonly isSilent: boolean;
}

/** How to read. */
export interface MeterOptions {
  readonly timeoutMs: number;
  /** Whether its state is encoded, where its memory cannot be measured otherwise. */
  readonly withState: boolean;
}

/** Reads what one life of an agent uses. Shares and rates are since the last {@link mark}. */
export class AgentMeter {
  readonly #parts: MeterParts;
  readonly #pid: Pid;
  #since: Reading;
  #last: Reading;

  constructor(parts: MeterParts, pid: Pid) {
    this.#parts = parts;
    this.#pid = pid;
    this.#since = { at: parts.clock.now(), handled: 0, busyMs: 0 };
    this.#last = this.#since;
  }

  /** @throws FoundationError `NO_PROCESS`, `UNRESPONSIVE` */
  async read({ timeoutMs, withState }: MeterOptions): Promise<Measurement> {
    const { clock, threadUsage } = this.#parts;
    const { thread } = this.#pid;
    const shares = thread === 0 ? undefined : await threadUsage(thread);
    const told = await this.#statistics(timeoutMs, withState && shares === undefined);
    const { handled, mailbox, mailboxHighWater, restarts, current } = told;
    const by = (shares?.processes ?? 1) > 1 ? 'shared' : 'measured';
    const now = { at: clock.now(), handled, busyMs: shares?.busyMs ?? told.busyMs };
    this.#last = now;
    const tookMs = Math.max(1, now.at - this.#since.at);
    const share = Math.max(0, (now.busyMs - this.#since.busyMs) / tookMs);
    const usage: AgentUsage = {
      mailbox,
      mailboxHighWater,
      handled,
      restarts,
      messagesPerSecond: Math.max(0, ((handled - this.#since.handled) * 1_000) / tookMs),
      cpuShare: { value: Math.min(1, share), by: shares === undefined ? 'estimate' : by },
      memoryBytes:
        shares === undefined
          ? told.stateBytes === undefined
            ? undefined
            : { value: told.stateBytes, by: 'estimate' }
          : { value: shares.heapBytes, by },
      current,
    };
    return { usage, isSilent: told.status === 'unresponsive' };
  }

  /** From now on is what the next reading tells of. */
  mark(): void {
    this.#since = this.#last;
  }

  async #statistics(timeoutMs: number, stateBytes: boolean): Promise<ProcessStatistics> {
    const look = this.#parts.processes.inspect(this.#pid, { timeoutMs });
    try {
      return await look.statistics({ stateBytes });
    } catch (error) {
      // A state that cannot be sent is fine, and has no size.
      const isUnsendable = isFoundationError(error) && error.code === 'NOT_SERIALIZABLE';
      if (!stateBytes || !isUnsendable) throw error;
      return look.statistics();
    }
  }
}
