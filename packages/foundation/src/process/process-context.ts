import { runAcrossAwaits } from '../context.ts';
import { FoundationError } from '../errors.ts';
import { Later } from './answer.ts';
import type { Context, Host } from './definition.ts';
import type { Call } from './envelope.ts';
import type { ExitReason } from './exit.ts';
import { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { AnyRef } from './ref-types.ts';

type Anything = Context<object, string>;

/**
 * What a handler gets. One object serves a process for all its messages, until a handler replies
 * later: then that handler keeps it and the process makes another. Methods are made on first use,
 * since users take them apart (`({ stop }) => …`).
 */
export class ProcessContext implements Anything {
  /** The call being served. */
  call: Call | undefined = undefined;
  readonly #process: Process;
  #abort: { readonly call: Call | undefined; readonly controller: AbortController } | undefined;

  constructor(process: Process) {
    this.#process = process;
  }

  get state(): object {
    return this.#process.state;
  }

  set state(state: object) {
    this.#process.state = state;
  }

  get self(): Pid {
    return this.#process.pid;
  }

  get node(): Host {
    return this.#process.runtime;
  }

  get remainingMs(): number {
    return this.call?.remainingMs() ?? Infinity;
  }

  get signal(): AbortSignal {
    const { call } = this;
    if (this.#abort === undefined || this.#abort.call !== call) {
      const controller = new AbortController();
      this.#abort = { call, controller };
      const giveUp = (): void => controller.abort();
      if (call !== undefined) call.onGivenUp = giveUp;
      if (call !== undefined && !call.isOpen) giveUp();
    }
    return this.#abort.controller.signal;
  }

  /** Tells whoever watches `signal` that the process has ended. */
  abort(): void {
    this.#abort?.controller.abort();
  }

  get stop(): (reason?: ExitReason) => void {
    return (reason = 'normal') => this.#process.stop({ reason });
  }

  get later(): <T>(work: () => Promise<T>) => Later<T> {
    return (work) => {
      const { call } = this;
      const value = call === undefined ? work() : runAcrossAwaits(call, work);
      // A crash, whether or not the handler returned it to somebody who waits.
      value.catch((error: unknown) => this.#process.crash(error));
      return new Later(value);
    };
  }

  get after(): (ms: number, timer: string) => void {
    return (ms, timer) => {
      if (!(Number.isFinite(ms) && ms >= 0)) {
        throw new FoundationError('INVALID_OPTION', `a timer cannot run after ${ms} ms`, {
          hint: 'Give a finite number of milliseconds, 0 or more.',
        });
      }
      this.#process.relations.setTimer(timer, ms);
    };
  }

  get monitor(): (target: AnyRef | Pid) => () => void {
    return (target) => this.#process.relations.monitor(pidOf(target));
  }

  get link(): (target: AnyRef | Pid) => void {
    return (target) => this.#process.relations.link(pidOf(target));
  }

  get unlink(): (target: AnyRef | Pid) => void {
    return (target) => this.#process.relations.unlink(pidOf(target));
  }
}

function pidOf(target: AnyRef | Pid): Pid | undefined {
  return target instanceof Pid ? target : target.pid;
}
