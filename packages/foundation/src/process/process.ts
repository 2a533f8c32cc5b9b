import { runAcrossAwaits, serve } from '../context.ts';
import { messageOf, type FoundationError } from '../errors.ts';
import { Later, Refused } from './answer.ts';
import type { Behaviour, Entry } from './definition.ts';
import type { Durability } from './durability.ts';
import { isCall, Note, type Call, type Envelope } from './envelope.ts';
import { isNormal, noProcess, processDown, type Exit } from './exit.ts';
import { Mailbox } from './mailbox.ts';
import { checkMessage, type Checked } from './message-check.ts';
import type { Pid } from './pid.ts';
import { ProcessContext } from './process-context.ts';
import {
  invalidMessage,
  notAnObject,
  overloaded,
  startFailed,
  startRefused,
  unknownMessage,
} from './process-errors.ts';
import { Relations } from './relations.ts';
import type { Runtime } from './runtime.ts';
import type { Runnable } from './scheduler.ts';
import { StuckWatch } from './stuck-watch.ts';

type Status = 'starting' | 'idle' | 'ready' | 'busy' | 'ending' | 'ended';

/** How a process is started. */
export interface SpawnOptions {
  readonly init?: unknown;
  readonly name?: string | undefined;
  /** The process to be linked from the start: its supervisor. */
  readonly linkTo?: Pid | undefined;
}

/** An object with a mailbox: handles one message at a time. */
export class Process implements Runnable {
  nextReady: Runnable | undefined = undefined;
  readonly runtime: Runtime;
  readonly behaviour: Behaviour;
  readonly pid: Pid;
  readonly name: string | undefined;
  /** Its supervisor; a process ends with it. */
  parent: Pid | undefined = undefined;
  state: object = {};
  durability: Durability | undefined = undefined;
  handled = 0;
  readonly #mailbox = new Mailbox<Envelope>();
  #status: Status = 'starting';
  #context: ProcessContext | undefined = undefined;
  #relations: Relations | undefined = undefined;
  #current: Envelope | undefined = undefined;
  #pending: Map<Call, ProcessContext> | undefined = undefined;
  #exit: Exit | undefined = undefined;
  #onEnded: (() => void)[] | undefined = undefined;
  #watch: StuckWatch | undefined = undefined;

  // oxlint-disable-next-line eslint/max-params -- made in one place only
  constructor(runtime: Runtime, behaviour: Behaviour, pid: Pid, name: string | undefined) {
    this.runtime = runtime;
    this.behaviour = behaviour;
    this.pid = pid;
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#status !== 'ended';
  }

  get status(): Status {
    return this.#status;
  }

  /** Whether it keeps others alive. */
  get isSupervisor(): boolean {
    const { start, trapExits } = this.behaviour.spec;
    return start !== undefined && trapExits === true;
  }

  /** Whether a handler is in the middle of its work. */
  get isBusy(): boolean {
    return this.#status === 'busy';
  }

  get mailboxSize(): number {
    return this.#mailbox.size;
  }

  /** Links, monitors and timers; made on first use, most processes have none. */
  get relations(): Relations {
    return (this.#relations ??= new Relations(this));
  }

  describe(): string {
    return this.name === undefined
      ? `${this.behaviour.name} ${this.pid.toString()}`
      : `${this.behaviour.name} "${this.name}"`;
  }

  // ── start ──────────────────────────────────────────────────────────────────

  /** Runs `init`, then takes messages. @throws FoundationError `START_FAILED` or `REFUSED` */
  async start(init: unknown): Promise<void> {
    try {
      const made: unknown = await this.#makeState(init);
      if (this.#exit !== undefined) throw processDown(this.describe(), this.#exit);
      if (made instanceof Refused) throw startRefused(this.describe(), made);
      if (typeof made !== 'object' || made === null) throw notAnObject(this.describe(), made);
      this.state = made;
    } catch (error) {
      this.#finish({ reason: 'start_failed', error });
      throw startFailed(this.describe(), error);
    }
    this.#status = 'idle';
    this.#wake();
  }

  #makeState(init: unknown): unknown {
    const { spec } = this.behaviour;
    if (spec.start !== undefined) return spec.start(this);
    return this.durability?.load(init) ?? spec.init(init);
  }

  // ── mailbox ────────────────────────────────────────────────────────────────

  /** Puts a message into the mailbox. Returns false when it was not taken. */
  deliver(envelope: Envelope): boolean {
    if (this.#status === 'ended') return this.#refuse(envelope, noProcess(this.describe()));
    if (this.#mailbox.size >= this.behaviour.mailboxMax && isBounded(envelope)) {
      return this.#overflow(envelope);
    }
    this.#enqueue(envelope);
    return true;
  }

  #enqueue(envelope: Envelope): void {
    this.#mailbox.push(envelope);
    if (this.#status !== 'idle') return;
    this.#status = 'ready';
    this.runtime.scheduler.enqueue(this);
  }

  #overflow(envelope: Envelope): boolean {
    const { overflow } = this.behaviour;
    this.runtime.counters.overflow++;
    this.runtime.events.emit('overflow', { pid: this.pid, rule: overflow, kind: envelope.kind });
    if (envelope.kind === 'call')
      return this.#refuse(envelope, overloaded(this.describe(), this.behaviour.mailboxMax));
    if (overflow === 'drop-newest') return true;
    if (overflow === 'reject') return false;
    if (this.#mailbox.remove((waiting) => waiting.kind === 'cast') === undefined) return false;
    this.#enqueue(envelope);
    return true;
  }

  #refuse(envelope: Envelope, error: FoundationError): false {
    if (isCall(envelope)) envelope.fail(error);
    return false;
  }

  // ── one message after the other ────────────────────────────────────────────

  run(budget: number): number {
    // It was told to stop while it waited for its turn.
    if (this.#status !== 'ready') return 0;
    let handled = 0;
    while (handled < budget) {
      const envelope = this.#mailbox.shift();
      if (envelope === undefined) {
        this.#status = 'idle';
        return handled;
      }
      handled++;
      this.handled++;
      if (!this.#handle(envelope)) return handled;
    }
    this.runtime.scheduler.enqueue(this);
    return handled;
  }

  #wake(): void {
    if (this.#mailbox.size === 0) {
      this.#status = 'idle';
      return;
    }
    this.#status = 'ready';
    this.runtime.scheduler.enqueue(this);
  }

  /** Returns false when the process cannot take the next message now. */
  #handle(envelope: Envelope): boolean {
    if (envelope.kind === 'call' && !(envelope as Call).isOpen) return true;
    const entry = envelope.entry ?? this.#entryFor(envelope);
    if (entry === undefined) return this.#unknown(envelope);
    this.#current = envelope;
    return entry.schema === undefined
      ? this.#invoke(entry, envelope, envelope.args)
      : this.#invokeChecked(entry, envelope);
  }

  #invoke(entry: Entry, envelope: Envelope, args: readonly unknown[]): boolean {
    const call = envelope.kind === 'call' ? (envelope as Call) : undefined;
    const context = this.#contextFor(call);
    const outer = serve(call);
    let result: unknown;
    try {
      result =
        call !== undefined && entry.isAsync !== false
          ? runAcrossAwaits(call, () => entry.run(context, ...args))
          : entry.run(context, ...args);
    } catch (error) {
      serve(outer);
      this.crash(error);
      return false;
    }
    serve(outer);
    if (isPromise(result)) return this.#await(entry, call, result);
    entry.isAsync ??= false;
    if (call !== undefined) this.#reply(call, result);
    else this.durability?.touch();
    return this.#goOn();
  }

  #contextFor(call: Call | undefined): ProcessContext {
    const context = (this.#context ??= new ProcessContext(this));
    context.call = call;
    return context;
  }

  #await(entry: Entry, call: Call | undefined, result: PromiseLike<unknown>): false {
    entry.isAsync = true;
    this.#status = 'busy';
    const watch = new StuckWatch(this);
    this.#watch = watch;
    result.then(
      (value) => {
        watch.end();
        // It crashed meanwhile, by work of another message: the caller is told when it has ended.
        if (this.#status !== 'busy') return;
        this.#status = 'ready';
        if (call !== undefined) this.#reply(call, value);
        else this.durability?.touch();
        if (this.#goOn()) this.#wake();
      },
      (error: unknown) => {
        watch.end();
        this.crash(error);
      },
    );
    return false;
  }

  #goOn(): boolean {
    this.#current = undefined;
    if (this.#exit === undefined) return true;
    this.#end();
    return false;
  }

  #reply(call: Call, value: unknown): void {
    if (value instanceof Later) this.#replyLater(call, value);
    else if (this.durability !== undefined) this.durability.answer(call, value);
    else call.answer(value);
  }

  #replyLater(call: Call, later: Later<unknown>): void {
    // The handler is over but its work may still ask the context for signal and time.
    const pending = (this.#pending ??= new Map<Call, ProcessContext>());
    if (this.#context !== undefined) pending.set(call, this.#context);
    this.#context = undefined;
    later.value.then(
      (value) => {
        if (!pending.delete(call)) return;
        if (this.durability !== undefined) this.durability.answer(call, value);
        else call.answer(value);
      },
      (error: unknown) => {
        // The process crashes, see `ctx.later`, but it may take its time to end.
        if (pending.delete(call))
          call.fail(processDown(this.describe(), { reason: 'crash', error }));
      },
    );
  }

  #entryFor({ kind, name }: Envelope): Entry | undefined {
    const { calls, casts, timers, info } = this.behaviour;
    switch (kind) {
      case 'call':
        return calls.get(name);
      case 'cast':
        return casts.get(name);
      case 'timer':
        return timers.get(name);
      case 'down':
      case 'exit':
        return info.get(kind);
    }
  }

  #unknown(envelope: Envelope): boolean {
    if (envelope.kind === 'down' || envelope.kind === 'exit') return true;
    this.runtime.counters.unknownMessages++;
    this.runtime.events.emit('unknown-message', { pid: this.pid, message: envelope.name });
    this.#refuse(envelope, unknownMessage(this.describe(), envelope));
    return true;
  }

  #invokeChecked(entry: Entry, envelope: Envelope): boolean {
    let checked: Checked | Promise<Checked>;
    try {
      checked = checkMessage(entry, envelope);
    } catch (error) {
      this.crash(error);
      return false;
    }
    if (!(checked instanceof Promise)) return this.#invokeIfValid(entry, envelope, checked);
    this.#status = 'busy';
    checked.then(
      (outcome) => {
        if (this.#status !== 'busy') return;
        this.#status = 'ready';
        if (this.#invokeIfValid(entry, envelope, outcome)) this.#wake();
      },
      (error: unknown) => this.crash(error),
    );
    return false;
  }

  #invokeIfValid(entry: Entry, envelope: Envelope, { issues, value }: Checked): boolean {
    if (issues === undefined) return this.#invoke(entry, envelope, [value]);
    const error = invalidMessage(this.describe(), envelope.name, issues);
    const { pid, runtime } = this;
    runtime.counters.invalidMessages++;
    runtime.events.emit('invalid-message', { pid, message: envelope.name, why: error.message });
    this.#refuse(envelope, error);
    return this.#goOn();
  }

  // ── the end ────────────────────────────────────────────────────────────────

  /** Runs when the process has ended, or at once if it has. */
  onEnded(action: () => void): void {
    if (this.#status === 'ended') action();
    else (this.#onEnded ??= []).push(action);
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Ends the process with the error of a handler. */
  crash(error: unknown): void {
    if (this.#status === 'ended' || this.#status === 'ending') return;
    this.#exit = { reason: 'crash', error };
    this.runtime.events.emit('crash', {
      pid: this.pid,
      who: this.describe(),
      error: messageOf(error),
    });
    const down = processDown(this.describe(), this.#exit);
    if (this.#current !== undefined) this.#refuse(this.#current, down);
    this.durability?.close(down);
    this.#end();
  }

  /** Asks the process to end after the message it is at; jumps the queue. */
  stop(exit: Exit): void {
    if (this.#status === 'ended' || this.#status === 'ending') return;
    this.#exit ??= exit;
    if (this.#status === 'idle' || this.#status === 'ready') {
      if (this.#current === undefined) this.#end();
    }
  }

  /** Ends the process at once, whatever it does; `terminate` does not run. */
  kill(exit: Exit = { reason: 'killed' }): void {
    if (this.#status !== 'ended') this.#finish(exit);
  }

  /** An abnormal exit of a linked process, or its notice where exits are trapped. */
  exitSignal(from: Pid, exit: Exit): void {
    if (this.#status === 'ended') return;
    this.#relations?.links.delete(from.place);
    if (this.parent?.place === from.place) return this.stop(exit);
    if (this.behaviour.spec.trapExits === true) {
      this.deliver(new Note('exit', 'exit', [{ pid: from, ...exit }], undefined));
    } else if (!isNormal(exit)) {
      this.#exit ??= exit;
      if (this.#status === 'busy') this.#end();
      else this.stop(exit);
    }
  }

  #end(): void {
    if (this.#status === 'ended' || this.#status === 'ending') return undefined;
    const exit = this.#exit ?? { reason: 'normal' };
    if (exit.reason === 'killed') return this.#finish(exit);
    this.#status = 'ending';
    let work: Promise<unknown> | undefined;
    try {
      work = lastWork(this, this.#contextFor(undefined), exit);
    } catch (error) {
      return this.#finish({ reason: 'crash', error });
    }
    if (work === undefined) return this.#finish(exit);
    work.then(
      () => this.#finish(exit),
      (error: unknown) => this.#finish({ reason: 'crash', error }),
    );
    return undefined;
  }

  #finish(exit: Exit): void {
    if (this.#status === 'ended') return;
    const wasStarting = this.#status === 'starting';
    this.#status = 'ended';
    this.#exit = exit;
    this.#watch?.end();
    const down = processDown(this.describe(), exit);
    if (this.#current !== undefined) this.#refuse(this.#current, down);
    this.#context?.abort();
    for (const [call, context] of this.#pending ?? []) {
      call.fail(down);
      context.abort();
    }
    for (let waiting = this.#mailbox.shift(); waiting; waiting = this.#mailbox.shift()) {
      this.#refuse(waiting, down);
    }
    this.#current = undefined;
    this.#pending = undefined;
    this.durability?.close(down);
    this.runtime.forget(this, exit, wasStarting);
    this.#relations?.end(exit);
    for (const action of this.#onEnded ?? []) action();
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Timers and notices are bounded by their number, not by the mailbox. */
function isBounded(envelope: Envelope): boolean {
  return envelope.kind === 'call' || envelope.kind === 'cast';
}

/** `terminate`, and the last write of a durable process that ends in good order. */
function lastWork(
  { behaviour, durability }: Process,
  context: ProcessContext,
  exit: Exit,
): Promise<unknown> | undefined {
  const work = behaviour.spec.terminate?.(context, exit.reason);
  if (durability !== undefined && isNormal(exit)) {
    return Promise.resolve(work).then(() => durability.flush());
  }
  return work instanceof Promise ? work : undefined;
}
