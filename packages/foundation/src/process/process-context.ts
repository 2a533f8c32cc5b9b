import type { Request } from '../context/request.ts';
import { currentRequest, currentScope, leftMs, runIn, type Scope } from '../context/scope.ts';
import { FoundationError } from '../errors.ts';
import { checkChoice, checkNumber, invalidOption } from '../options.ts';
import { Abortion } from './abortion.ts';
import { deferred, LaterWork, type Later, type ReplyTo } from './answer.ts';
import { targetOf } from './client.ts';
import type { Context, Host } from './definition.ts';
import { isCall, type Envelope } from './envelope.ts';
import { stopReasons, type ExitReason } from './exit.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { AnyRef } from './ref-types.ts';

type Anything = Context<object, string, string>;
type Casts = Anything['cast'];

/**
 * What a handler gets, and whom its code serves. One object serves a process for all its messages,
 * until a handler has work that goes on later: then that keeps it, and the process makes another. What is
 * asked of it after its handler is over is answered by the asynchronous context of who asks: the process
 * may be at another message by then. Methods are made on first use, since users take them apart
 * (`({ stop }) => …`).
 */
export class ProcessContext implements Anything, Scope {
  /** What the handler at work was sent. */
  message: Envelope | undefined = undefined;
  readonly owner: Process;
  /** How much work of its handler still goes on. */
  works = 0;
  /** By what they serve: that of the handler at work, and of who asked last. */
  #abortions: Map<Envelope | undefined, Abortion> | undefined;
  #cast: Casts | undefined;

  constructor(process: Process) {
    this.owner = process;
  }

  get state(): object {
    return this.owner.state;
  }

  set state(state: object) {
    if (typeof state !== 'object' || state === null) {
      throw invalidOption('ctx', { state }, 'an object');
    }
    this.owner.state = state;
  }

  get self(): Pid {
    return this.owner.pid;
  }

  get node(): Host {
    return this.owner.runtime;
  }

  get fencingToken(): number | undefined {
    return this.owner.lease?.token;
  }

  get request(): Request | undefined {
    const scope = currentScope();
    if (this.#isAtWork(scope)) return this.message?.request;
    return scope?.owner === this.owner ? scope.request : undefined;
  }

  /** What the code at hand serves. */
  get #served(): Envelope | undefined {
    const scope = currentScope();
    if (this.#isAtWork(scope)) return this.message;
    return scope?.owner === this.owner ? scope.message : undefined;
  }

  /** Whether the code at hand is that of the handler at work, as far as can be told. */
  #isAtWork(scope: Scope | undefined): boolean {
    if (scope === this) return true;
    const { message, owner } = this;
    if (message === undefined || owner.execution.unframed !== message) return false;
    // What it awaits has no context of its own, but perhaps that of its process.
    return scope === undefined || (scope.owner === owner && scope.message === undefined);
  }

  /** Its handler has settled. */
  over(): void {
    this.message = undefined;
    for (const [served, abortion] of this.#abortions ?? []) {
      if (served?.isOpen === false) this.#forget(served, abortion);
    }
  }

  #forget(served: Envelope | undefined, abortion: Abortion): void {
    abortion.forget();
    this.#abortions?.delete(served);
  }

  get remainingMs(): number {
    const { request } = this;
    return leftMs({ owner: this.owner, message: this.#served, request });
  }

  get signal(): AbortSignal {
    const served = this.#served;
    const abortions = (this.#abortions ??= new Map());
    const known = abortions.get(served);
    if (known !== undefined) return known.signal;
    for (const [other, abortion] of abortions) {
      if (other !== this.message) this.#forget(other, abortion);
    }
    const made = new Abortion(this.owner, served, this.request);
    abortions.set(served, made);
    return made.signal;
  }

  /** Tells whoever watches `signal` that the process has ended. */
  abort(): void {
    for (const abortion of this.#abortions?.values() ?? []) abortion.abort();
  }

  get stop(): (reason?: ExitReason) => void {
    return (reason = 'normal') => {
      checkChoice('ctx.stop', { reason }, stopReasons);
      this.owner.stop({ reason });
    };
  }

  get later(): <T>(work: () => Promise<T>) => Later<T> {
    return (work) => {
      const { owner, request } = this;
      const { execution } = owner;
      const scope = { owner, message: this.#served, request };
      execution.keep(this);
      const result = runIn(scope, async () => work());
      result.then(
        () => execution.release(this),
        (error: unknown) => {
          execution.release(this);
          // A crash, whether or not the handler returned it to somebody who waits.
          owner.crash(error);
        },
      );
      return new LaterWork(result);
    };
  }

  get replyTo(): <T>() => ReplyTo<T> {
    return <T>() => {
      const served = this.#served;
      if (served === undefined || !isCall(served)) throw nobodyWaits();
      return this.owner.replyTo<T>(served);
    };
  }

  get defer(): () => Later<never> {
    return () => {
      this.owner.defer(this.#served);
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
    this.#checkTimer(timer);
    this.owner.timers.set(timer, ms, { isPeriodic, request: currentRequest() });
  }

  #checkTimer(timer: string): void {
    const { name, timers } = this.owner.behaviour;
    if (timers.has(timer)) return;
    throw invalidOption(`a timer of ${name}`, { timer }, 'one of its `timers`');
  }

  get cancel(): (timer: string) => void {
    return (timer) => {
      this.#checkTimer(timer);
      this.owner.timers.cancel(timer);
    };
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
  return targetOf('ctx', target).pid;
}

function nobodyWaits(): FoundationError {
  return new FoundationError('INVALID_OPTION', '`ctx.replyTo()` outside of a call: nobody waits', {
    hint: 'Use it in the handler of a call, and return what it gives.',
  });
}
