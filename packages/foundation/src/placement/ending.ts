import { FoundationError } from '../errors.ts';
import { noProcess, type ExitReason, type stopReasons } from '../process/exit.ts';
import type { Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import type { Runtime } from '../process/runtime.ts';
import { Supervision } from '../process/supervision.ts';

/** Whom to end: the process of now, or the one that a supervisor made for it alone keeps under that name. */
export interface Target {
  readonly pid: Pid | undefined;
  readonly name?: string | undefined;
}

/** How to end it. */
export interface Ending {
  readonly reason: (typeof stopReasons)[number];
  readonly timeoutMs: number;
}

/** Ends processes of this node for good, in whatever thread they live, with the supervisors made for them alone. */
export class Endings {
  readonly #runtime: Runtime;
  /** The supervisor of a process in another thread. */
  readonly #parentOf: (pid: Pid) => Pid | undefined;
  /** Supervisors of one process each, with the first address that it had. */
  readonly #keepers = new Map<Process, Pid>();
  /** Those that were asked to end. */
  readonly #asked = new WeakSet<Process>();

  constructor(runtime: Runtime, parentOf: (pid: Pid) => Pid | undefined) {
    this.#runtime = runtime;
    this.#parentOf = parentOf;
  }

  /** Enters a supervisor that was made for one process. Returns the address of that. */
  keep(keeper: Process): Pid {
    const pid = keptBy(keeper)?.pid ?? keeper.pid;
    this.#keepers.set(keeper, pid);
    keeper.onEnded(() => this.#keepers.delete(keeper));
    return pid;
  }

  /** Why a supervisor made for one process is over; `normal` when somebody wanted it to end, however that was done. */
  reasonOf(keeper: Process): ExitReason {
    return this.#asked.has(keeper) ? 'normal' : (keeper.exit?.reason ?? 'normal');
  }

  /** Whether it can be ended here. */
  isOurs({ pid, name }: Target): boolean {
    return pid === undefined
      ? this.#keeperOf({ pid, name }) !== undefined
      : this.#runtime.isOwnLife(pid);
  }

  /** Ends a process at once; its supervisor decides what comes next. */
  kill(pid: Pid): void {
    this.#runtime.signal(pid, { kind: 'stop', exit: { reason: 'killed' } });
    // A thread may never come round to hear it.
    void this.#abandon(pid);
  }

  /** @throws FoundationError `NO_PROCESS`, or `CALL_TIMEOUT` when it does not end in time */
  async end(target: Target, { reason, timeoutMs }: Ending): Promise<void> {
    const keeper = this.#keeperOf(target);
    if (keeper !== undefined) this.#asked.add(keeper);
    const pid = keeper === undefined ? target.pid : keptBy(keeper)?.pid;
    const ends = [keeper?.pid, pid].filter((each) => each !== undefined);
    const [first] = ends;
    if (first === undefined) throw noProcess('of that name');
    const stop = (): void => {
      this.#runtime.signal(first, { kind: 'stop', exit: { reason } });
      // A thread may never come round to hear it.
      for (const each of reason === 'killed' ? ends : []) void this.#abandon(each);
    };
    if (keeper === undefined && this.#endsAtOnce(first, stop)) return;
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const who = ends.at(-1)?.toString() ?? '';
    const timer = this.#runtime.clock.after(timeoutMs, () => reject(notEnded(who, timeoutMs)));
    const watches = ends.map((each) => this.#watched(each));
    try {
      stop();
      const ended = Promise.all(watches.map((watch) => watch.ended));
      const [how] = await Promise.race([ended, limit]);
      if (how === 'no_process') throw noProcess(who);
    } finally {
      timer.cancel();
      for (const { cancel } of watches) cancel();
    }
  }

  /** Most processes have nothing to do: nobody needs to wait for them. */
  #endsAtOnce(pid: Pid, stop: () => void): boolean {
    const process = this.#runtime.find(pid);
    if (process === undefined) return false;
    stop();
    return !process.isAlive;
  }

  async #abandon(pid: Pid): Promise<void> {
    if (pid.thread !== this.#runtime.thread) await this.#runtime.abandon(pid);
  }

  #watched(pid: Pid): { readonly ended: Promise<ExitReason>; readonly cancel: () => void } {
    const { promise: ended, resolve } = Promise.withResolvers<ExitReason>();
    const cancel = this.#runtime.watch(pid, ({ reason }) => resolve(reason));
    return { ended, cancel };
  }

  #keeperOf({ pid, name }: Target): Process | undefined {
    const parent = pid && (this.#runtime.find(pid)?.parent ?? this.#parentOf(pid));
    const above = parent && this.#runtime.find(parent);
    if (above !== undefined) return this.#keepers.has(above) ? above : undefined;
    if (pid !== undefined && this.#runtime.find(pid) !== undefined) return undefined;
    // Between two lives it has no address: its supervisor waits.
    for (const [keeper, first] of this.#keepers) {
      const isNamed = name !== undefined && keptBy(keeper)?.options.name === name;
      if (isNamed || (pid !== undefined && first.equals(pid))) return keeper;
    }
    return undefined;
  }
}

function keptBy({ state }: Process): Supervision['kept'] {
  return state instanceof Supervision ? state.kept : undefined;
}

function notEnded(who: string, timeoutMs: number): FoundationError {
  return new FoundationError('CALL_TIMEOUT', `${who} did not end within ${timeoutMs} ms`, {
    hint: 'It was asked to, and ends after what it is at. The reason `killed` does not wait.',
    details: { process: who, timeoutMs },
  });
}
