import type { Request } from '../context/request.ts';
import { currentScope, leftMs, runIn, type Scope } from '../context/scope.ts';
import { FoundationError } from '../errors.ts';
import { checkNumber } from '../options.ts';
import { deferred, LaterWork, type Later, type ReplyTo } from './answer.ts';
import type { Context, Host } from './definition.ts';
import { isCall, type Call, type Envelope } from './envelope.ts';
import type { ExitReason } from './exit.ts';
import { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { AnyRef } from './ref-types.ts';

type Anything = Context<object, string, string>;
type Casts = Anything['cast'];

/**
 * What a handler gets, and whom its code serves. One object serves a process for all its messages,
 * until a handler replies later: then that handler keeps it and the process makes another. Methods are
 * made on first use, since users take them apart (`({ stop }) => …`).
 */
export class ProcessContext implements Anything, Scope {
  /** What the handler was sent. */
  message: Envelope | undefined = undefined;
  readonly owner: Process;
  #abort: { readonly call: Call | undefined; readonly controller: AbortController } | undefined;
  #cast: Casts | undefined;

  constructor(process: Process) {
    this.owner = process;
  }

  get state(): object {
    return this.owner.state;
  }

  set state(state: object) {
    this.owner.state = state;
  }

  get self(): Pid {
    return this.owner.pid;
  }

  get node(): Host {
    return this.owner.runtime;
  }

  get request(): Request | undefined {
    return this.message?.request;
  }

  get call(): Call | undefined {
    const { message } = this;
    return message !== undefined && isCall(message) ? message : undefined;
  }

  get remainingMs(): number {
    return leftMs(this);
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
    return (reason = 'normal') => this.owner.stop({ reason });
  }

  get later(): <T>(work: () => Promise<T>) => Later<T> {
    return (work) => {
      const { owner, message } = this;
      const { request } = currentScope() ?? this;
      const result = runIn({ owner, message, request }, work);
      // A crash, whether or not the handler returned it to somebody who waits.
      result.catch((error: unknown) => owner.crash(error));
      return new LaterWork(result);
    };
  }

  get replyTo(): <T>() => ReplyTo<T> {
    return <T>() => {
      const { call } = this;
      if (call === undefined) throw nobodyWaits();
      return this.owner.replyTo<T>(call);
    };
  }

  get defer(): () => Later<never> {
    return () => {
      this.owner.defer(this.message);
      return deferred;
    };
  }

  get after(): (ms: number, timer: string) => void {
    return (ms, timer) => {
      checkNumber('ctx.after', { ms }, { min: 0 });
      this.#setTimer(timer, ms, false);
    };
  }

  get every(): (ms: number, timer: string) => void {
    return (ms, timer) => {
      checkNumber('ctx.every', { ms }, { above: 0 });
      this.#setTimer(timer, ms, true);
    };
  }

  #setTimer(timer: string, ms: number, isPeriodic: boolean): void {
    this.owner.timers.set(timer, ms, { isPeriodic, request: this.request });
  }

  get cancel(): (timer: string) => void {
    return (timer) => this.owner.timers.cancel(timer);
  }

  get cast(): Casts {
    return (this.#cast ??= this.#selfCasts());
  }

  #selfCasts(): Casts {
    const { owner } = this;
    const names = owner.behaviour.castNames;
    return Object.fromEntries(
      names.map((name) => [name, (...args: readonly unknown[]) => owner.castToSelf(name, args)]),
    );
  }

  get monitor(): (target: AnyRef | Pid) => () => void {
    return (target) => this.owner.relations.monitor(pidOf(target));
  }

  get link(): (target: AnyRef | Pid) => void {
    return (target) => this.owner.relations.link(pidOf(target));
  }

  get unlink(): (target: AnyRef | Pid) => void {
    return (target) => this.owner.relations.unlink(pidOf(target));
  }

  get join(): (group: string) => void {
    return (group) => this.owner.runtime.join(this.owner, group);
  }

  get leave(): (group: string) => void {
    return (group) => this.owner.runtime.leave(this.owner, group);
  }
}

function pidOf(target: AnyRef | Pid): Pid | undefined {
  return target instanceof Pid ? target : target.pid;
}

function nobodyWaits(): FoundationError {
  return new FoundationError('INVALID_OPTION', '`ctx.replyTo()` outside of a call: nobody waits', {
    hint: 'Use it in the handler of a call, and return what it gives.',
  });
}
