import type { Request } from '../context/request.ts';
import { frameOf, runIn, serve, type Frame, type Scope } from '../context/scope.ts';
import type { FoundationError } from '../errors.ts';
import { endFailed, endWell, serveInSpan, type ServedSpan } from '../telemetry/call-spans.ts';
import { Failure, LaterWork, Refused, ReplyTo } from './answer.ts';
import type { AnySpec, Behaviour, Entry } from './behaviour.ts';
import { callCycle } from './call-chain.ts';
import { isCall, type Call, type Envelope } from './envelope.ts';
import type { ExitReason } from './exit.ts';
import { checked, type Checked } from './message-check.ts';
import { isSampled } from './probe.ts';
import { ProcessContext } from './process-context.ts';
import {
  deferredTooLate,
  invalidMessage,
  replyNotReturned,
  tooManyDeferred,
  unfitReply,
  unknownMessage,
} from './process-errors.ts';
import type { Process } from './process.ts';
import { isReplyTo, OwnReply, Replies } from './replies.ts';
import { Stash } from './stash.ts';
import { StuckWatch } from './stuck-watch.ts';
import type { TimerNote } from './timers.ts';

/** Messages of a process after which it is worth to keep an asynchronous context for it. */
const framedAfter = 8;
const nobody: ReadonlySet<never> = new Set();

/**
 * Carries out the messages of one process, one after the other: runs handlers, waits for those that
 * are asynchronous, and sees to the replies.
 */
export class Execution {
  readonly #process: Process;
  /** What the handler at work was sent. */
  current: Envelope | undefined = undefined;
  /** What the handler at work was sent, if it was not known to be asynchronous: what it awaits has no context. */
  unframed: Envelope | undefined = undefined;
  #entry: Entry | undefined = undefined;
  #context: ProcessContext | undefined = undefined;
  /** Contexts of handlers whose work goes on later. */
  #kept: Set<ProcessContext> | undefined = undefined;
  /** Whether there is more to see to after a handler than its reply. */
  #hasMore = false;
  #isDeferred = false;
  #stash: Stash | undefined = undefined;
  #replies: Replies | undefined = undefined;
  #watch: StuckWatch | undefined = undefined;
  /** Calls that the handler at work has made to its own process, with the cycle each closes if it waits. */
  #suspects: { readonly call: Call; readonly chain: readonly string[] }[] | undefined = undefined;
  #between: (() => void)[] | undefined = undefined;
  /** The span of the handler at work, where calls are traced. */
  #span: ServedSpan | undefined = undefined;
  #frame: Frame | undefined = undefined;
  #framed: Request | undefined = undefined;

  constructor(process: Process) {
    this.#process = process;
  }

  get replies(): Replies {
    return (this.#replies ??= new Replies(this.#process));
  }

  /** Messages that wait because they were deferred, and how often that happened. */
  get deferred(): { readonly waiting: number; readonly times: number } {
    return { waiting: this.#stash?.size ?? 0, times: this.#stash?.deferrals ?? 0 };
  }

  // ── asynchronous contexts ──────────────────────────────────────────────────

  /**
   * The asynchronous context of this process for a request, kept while messages of the same request
   * follow each other; undefined where it is not worth to keep one.
   */
  frameFor(request: Request | undefined): Frame | undefined {
    if (this.#framed !== request) {
      this.#framed = request;
      this.#frame = undefined;
    } else if (this.#frame === undefined && this.#process.handled >= framedAfter) {
      this.#frame = frameOf({ owner: this.#process, message: undefined, request });
    }
    return this.#frame;
  }

  /** A request that is over must not be kept by who has worked for it. */
  leaveFrame(): void {
    this.#framed = undefined;
    this.#frame = undefined;
  }

  /** Handles a message of another request than that whose asynchronous context was entered. */
  takeApart(envelope: Envelope): boolean {
    const { request } = envelope;
    const frame = this.frameFor(request);
    // oxlint-disable-next-line typescript/unbound-method -- `this` is given with it
    if (frame !== undefined) return frame.runInAsyncScope(this.take, this, envelope);
    const scope = { owner: this.#process, message: undefined, request };
    return runIn(scope, () => this.take(envelope));
  }

  // ── one message ────────────────────────────────────────────────────────────

  /** Returns false when the process cannot take the next message now. */
  take(envelope: Envelope): boolean {
    const { entry } = envelope;
    const { probe, handled, runtime } = this.#process;
    const isLookedAt = isSampled(handled) || probe?.isTracing === true || runtime.isTraced;
    // Most messages: a handler that is known to be synchronous, and nothing beside it.
    if (entry?.isPlain === true && !isLookedAt) return this.#takePlain(entry, envelope);
    if (probe?.isConcerned(envelope, handled) === true) probe.begin(envelope, handled);
    return this.#takeAny(envelope);
  }

  #takePlain(entry: Entry, envelope: Envelope): boolean {
    const context = this.#contextFor(envelope);
    this.current = envelope;
    this.#entry = entry;
    const outer = serve(context);
    let result: unknown;
    try {
      result = entry.run(context, ...envelope.args);
    } catch (error) {
      serve(outer);
      this.#process.crash(error);
      return false;
    }
    serve(outer);
    if (this.#hasMore || (typeof result === 'object' && result !== null)) {
      this.unframed = envelope;
      return this.#handled(entry, envelope, result);
    }
    this.current = undefined;
    context.message = undefined;
    if (envelope.kind === 'call') this.#send(envelope as Call, result);
    else this.#process.durability?.touch();
    return this.#process.exit === undefined || this.#goOn();
  }

  #takeAny(envelope: Envelope): boolean {
    const entry = envelope.entry ?? entryFor(this.#process.behaviour, envelope);
    if (envelope.kind === 'timer') (envelope as TimerNote).taken();
    if (entry === undefined) return this.#unknown(envelope);
    this.current = envelope;
    this.#entry = entry;
    return entry.schema === undefined
      ? this.#invoke(entry, envelope, envelope.args)
      : this.#invokeChecked(entry, envelope);
  }

  #invoke(entry: Entry, envelope: Envelope, args: readonly unknown[]): boolean {
    const context = this.#contextFor(envelope);
    const { probe, runtime } = this.#process;
    const isFramed = entry.isAsync !== false || runtime.isTraced;
    if (!isFramed) this.unframed = envelope;
    let result: unknown;
    try {
      result = isFramed
        ? runIn(this.#scopeOf(envelope), () => entry.run(context, ...args))
        : runNow(context, entry, args);
    } catch (error) {
      this.#process.crash(error);
      return false;
    }
    probe?.held();
    return this.#handled(entry, envelope, result);
  }

  /** The handler has returned; what it returned may be a promise. */
  #handled(entry: Entry, envelope: Envelope, result: unknown): boolean {
    if (isPromise(result)) return this.#await(entry, envelope, result);
    if (entry.isAsync === undefined) {
      entry.isAsync = false;
      entry.isPlain = entry.schema === undefined && entry.reply === undefined;
    }
    this.#suspects = undefined;
    return this.#complete(entry, envelope, result);
  }

  #scopeOf(message: Envelope): Scope {
    const owner = this.#process;
    if (owner.runtime.isTraced && message.kind === 'call') {
      this.#span = serveInSpan(owner, message);
    }
    return { owner, message, request: this.#span?.request ?? message.request };
  }

  #contextFor(message: Envelope | undefined): ProcessContext {
    const context = (this.#context ??= new ProcessContext(this.#process));
    context.message = message;
    return context;
  }

  /** The context of a handler whose work goes on later is no other message's. */
  keep(context: ProcessContext): void {
    context.works++;
    (this.#kept ??= new Set()).add(context);
    if (this.#context === context) this.#context = undefined;
  }

  release(context: ProcessContext): void {
    context.works--;
    if (context.works > 0) return;
    this.#kept?.delete(context);
    this.#process.restAnew();
  }

  #await(entry: Entry, envelope: Envelope, result: PromiseLike<unknown>): false {
    const process = this.#process;
    entry.isAsync = true;
    entry.isPlain = false;
    process.hold();
    this.#failSuspects();
    this.#watch =
      process.behaviour.limits.stuckMs === Infinity ? undefined : new StuckWatch(process);
    const watch = this.#watch;
    // Whatever has a `then` may be returned, and may do in it what it likes.
    Promise.resolve(result).then(
      (value) => {
        watch?.end();
        // It crashed meanwhile, by work of another message: the caller is told when it has ended.
        if (process.release() && this.#complete(entry, envelope, value)) process.wake();
      },
      (error: unknown) => {
        watch?.end();
        process.crash(error);
      },
    );
    return false;
  }

  #complete(entry: Entry, envelope: Envelope, result: unknown): boolean {
    if (this.#isDeferred) {
      this.#putOff(envelope);
      // It may have changed the state nevertheless.
      this.#process.durability?.touch();
      return this.#goOn();
    }
    if (isCall(envelope)) this.#answer(entry, envelope, result);
    else this.#process.durability?.touch();
    // The state may have changed: what was deferred comes again, before what is newer.
    this.#stash?.restore(this.#process.mailbox);
    return this.#goOn();
  }

  #goOn(): boolean {
    const { exit, probe } = this.#process;
    probe?.end(this.current);
    if (this.#span !== undefined) endWell(this.#span.span);
    this.#span = undefined;
    this.current = undefined;
    this.unframed = undefined;
    if (this.#context !== undefined) this.#context.over();
    this.#process.durability?.save();
    this.#hasMore = (this.#stash?.size ?? 0) > 0;
    if (exit !== undefined) {
      this.#process.end();
      return false;
    }
    if (this.#between !== undefined) this.#runBetween();
    return true;
  }

  // ── deferring ──────────────────────────────────────────────────────────────

  /** @throws FoundationError `INVALID_OPTION` when the handler of the message is over. */
  defer(message: Envelope | undefined): void {
    if (message === undefined || message !== this.current) throw deferredTooLate();
    this.#isDeferred = true;
    this.#hasMore = true;
  }

  #putOff(envelope: Envelope): void {
    const { behaviour, runtime, pid } = this.#process;
    const { deferredMax } = behaviour.limits;
    this.#isDeferred = false;
    if (envelope.kind === 'timer' && !(envelope as TimerNote).putOff()) return;
    if ((this.#stash ??= new Stash()).add(envelope, deferredMax)) return;
    runtime.counters.overflow++;
    runtime.events.emit('overflow', { pid, rule: 'deferred', kind: envelope.kind });
    if (isCall(envelope)) envelope.fail(tooManyDeferred(this.#process.describe(), deferredMax));
  }

  // ── replies ────────────────────────────────────────────────────────────────

  #answer(entry: Entry, call: Call, value: unknown): void {
    if (value instanceof LaterWork) return this.#answerLater(entry, call, value);
    if (value instanceof ReplyTo && isReplyTo(value, call)) return undefined;
    if (value === undefined && this.#replies?.owes(call) === true) {
      return this.#process.crash(replyNotReturned(call.name));
    }
    return this.#reply(entry, call, value);
  }

  #answerLater(entry: Entry, call: Call, { work }: LaterWork<unknown>): void {
    const { replies } = this;
    replies.owe(call, { entry, isWork: true });
    const served = this.#span;
    this.#span = undefined;
    work.then(
      (value) => {
        if (served !== undefined) endWell(served.span);
        this.settle(call, value);
      },
      (error: unknown) => {
        if (served !== undefined) endFailed(served.span, error);
        // The process crashes, see `ctx.later`, but it may take its time to end.
        if (replies.settle(call) !== undefined) call.fail(this.#process.downBy(error));
      },
    );
  }

  replyTo<T>(call: Call): ReplyTo<T> {
    const entry = this.#entry;
    this.#hasMore = true;
    if (entry !== undefined) this.replies.owe(call, { entry, isWork: false });
    return new ReplyTo<T>(new OwnReply(this.#process, call));
  }

  /** Pays a reply that is owed; false when it was paid already or nobody waits. */
  settle(call: Call, value: unknown): boolean {
    const owed = this.#replies?.settle(call);
    if (owed === undefined || !call.isOpen) return false;
    this.#process.restAnew();
    const { entry } = owed;
    if (entry.reply === undefined && this.#process.durability === undefined) {
      this.#reply(entry, call, value);
    } else {
      // Whoever gives the reply: the schema is code of this process.
      const scope = { owner: this.#process, message: undefined, request: call.request };
      runIn(scope, () => this.#reply(entry, call, value));
    }
    return true;
  }

  #reply(entry: Entry, call: Call, value: unknown): void {
    if (value instanceof Failure) return call.fail(value.error);
    if (entry.reply === undefined || value instanceof Refused) return this.#send(call, value);
    return this.#replyChecked(entry, call, value);
  }

  #replyChecked(entry: Entry, call: Call, value: unknown): void {
    const outcome = attempt(() => checked(entry.reply, value));
    if (outcome instanceof Failure) return this.#process.crash(outcome.error);
    if (!(outcome instanceof Promise)) return this.#sendIfValid(call, outcome);
    const { replies } = this;
    replies.owe(call, { entry, isWork: true });
    outcome.then(
      (found) => {
        if (replies.settle(call) !== undefined) this.#sendIfValid(call, found);
      },
      (error: unknown) => this.#process.crash(error),
    );
    return undefined;
  }

  #sendIfValid(call: Call, { issues, value }: Checked): void {
    if (issues === undefined) return this.#send(call, value);
    const { pid, runtime } = this.#process;
    const error = unfitReply(this.#process.describe(), call.name, issues);
    runtime.counters.invalidReplies++;
    runtime.events.emit('invalid-reply', { pid, message: call.name, why: error.message });
    return call.fail(error);
  }

  #send(call: Call, value: unknown): void {
    const { durability } = this.#process;
    if (durability === undefined) call.answer(value);
    else durability.answer(call, value);
  }

  // ── what is wrong with a message ───────────────────────────────────────────

  #unknown(envelope: Envelope): boolean {
    if (envelope.kind === 'call' || envelope.kind === 'cast' || envelope.kind === 'timer') {
      const { runtime, pid } = this.#process;
      runtime.counters.unknownMessages++;
      runtime.events.emit('unknown-message', { pid, message: envelope.name });
    }
    if (isCall(envelope)) envelope.fail(unknownMessage(this.#process.describe(), envelope));
    return true;
  }

  #invokeChecked(entry: Entry, envelope: Envelope): boolean {
    const outcome = attempt(() => checked(entry.schema, envelope.args[0]));
    if (outcome instanceof Failure) {
      this.#process.crash(outcome.error);
      return false;
    }
    if (!(outcome instanceof Promise)) return this.#invokeIfValid(entry, envelope, outcome);
    const process = this.#process;
    process.hold();
    outcome.then(
      (found) => {
        if (process.release() && this.#invokeIfValid(entry, envelope, found)) process.wake();
      },
      (error: unknown) => process.crash(error),
    );
    return false;
  }

  #invokeIfValid(entry: Entry, envelope: Envelope, { issues, value }: Checked): boolean {
    if (issues === undefined) return this.#invoke(entry, envelope, [value]);
    const { pid, runtime } = this.#process;
    const error = invalidMessage(this.#process.describe(), envelope.name, issues);
    runtime.counters.invalidMessages++;
    runtime.events.emit('invalid-message', { pid, message: envelope.name, why: error.message });
    if (isCall(envelope)) envelope.fail(error);
    return this.#goOn();
  }

  /** Whether nothing goes on and nobody waits. */
  get isAtRest(): boolean {
    const { size: kept } = this.#kept ?? nobody;
    return kept + (this.#stash?.size ?? 0) === 0 && this.#replies?.isOwing !== true;
  }

  // ── cycles ─────────────────────────────────────────────────────────────────

  suspect(call: Call, chain: readonly string[]): void {
    (this.#suspects ??= []).push({ call, chain });
    this.#hasMore = true;
  }

  #failSuspects(): void {
    for (const { call, chain } of this.#suspects ?? []) call.fail(callCycle(chain));
    this.#suspects = undefined;
  }

  // ── between messages, and at the end ───────────────────────────────────────

  /** Runs something when no handler is at work and there is a state: now, or before the next message. */
  whenFree(action: () => void): void {
    if (this.current === undefined && this.#process.status !== 'starting') return action();
    (this.#between ??= []).push(action);
    this.#hasMore = true;
    return undefined;
  }

  /** There is a state from now on. */
  begin(): void {
    if (this.#between !== undefined) this.#runBetween();
  }

  #runBetween(): void {
    const actions = this.#between ?? [];
    this.#between = undefined;
    for (const action of actions) action();
  }

  terminate(run: NonNullable<AnySpec['terminate']>, reason: ExitReason): unknown {
    const scope = { owner: this.#process, message: undefined, request: undefined };
    return runIn(scope, () => run(this.#contextFor(undefined), reason));
  }

  /** @param down - Makes the error; most processes end with nobody waiting for it. */
  failCurrent(down: () => FoundationError): void {
    if (this.#span !== undefined) endFailed(this.#span.span, down());
    this.#span = undefined;
    this.#process.probe?.end(this.current);
    if (this.current?.isOpen === true && isCall(this.current)) this.current.fail(down());
  }

  end(down: () => FoundationError): void {
    this.#watch?.end();
    this.failCurrent(down);
    this.#context?.abort();
    for (const context of this.#kept ?? []) context.abort();
    this.#kept = undefined;
    this.#replies?.end(down);
    // Nobody is told by whom the state is read that is no more: they watch the process.
    this.#between = undefined;
    this.#stash?.restore(this.#process.mailbox);
    this.current = undefined;
  }
}

function runNow(context: ProcessContext, entry: Entry, args: readonly unknown[]): unknown {
  const outer = serve(context);
  try {
    return entry.run(context, ...args);
  } finally {
    serve(outer);
  }
}

function entryFor(behaviour: Behaviour, { kind, name }: Envelope): Entry | undefined {
  switch (kind) {
    case 'call':
      return behaviour.calls.get(name) ?? behaviour.otherwise;
    case 'cast':
      return behaviour.casts.get(name) ?? behaviour.otherwise;
    case 'timer':
      return behaviour.timers.get(name);
    case 'continue':
      return behaviour.continue;
    case 'down':
    case 'exit':
    case 'idle':
    case 'restart':
      return behaviour.info.get(kind);
  }
}

function attempt<R>(action: () => R): R | Failure {
  try {
    return action();
  } catch (error) {
    return new Failure(error);
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
