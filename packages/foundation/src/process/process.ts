import type { Request } from '../context/request.ts';
import { currentRequest, leaveScope, runIn } from '../context/scope.ts';
import { messageOf, type FoundationError } from '../errors.ts';
import type { Lease } from '../lease/lease.ts';
import { Refused, type ReplyTo } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import { callCycle, findCycle } from './call-chain.ts';
import type { Durability } from './durability.ts';
import { isCall, Note, type Call, type Envelope } from './envelope.ts';
import { Execution, isPromise } from './execution.ts';
import { isNormal, noProcess, processDown, type Exit } from './exit.ts';
import { IdleWatch } from './idle-watch.ts';
import { Mailbox } from './mailbox.ts';
import type { Pid } from './pid.ts';
import { isSampled, Probe } from './probe.ts';
import {
  initTimeout,
  notAnObject,
  overloaded,
  startFailed,
  startRefused,
} from './process-errors.ts';
import { Relations } from './relations.ts';
import type { Replies } from './replies.ts';
import type { Runtime } from './runtime.ts';
import type { Runnable } from './scheduler.ts';
import { Timers } from './timers.ts';

/** `parked`: it has messages, but is suspended. `busy`: an asynchronous handler has not settled. */
export type ProcessStatus = 'starting' | 'idle' | 'ready' | 'parked' | 'busy' | 'ending' | 'ended';

/** How a process is started. */
export interface SpawnOptions {
  readonly init?: unknown;
  readonly name?: string | undefined;
  /** The process to be linked from the start: its supervisor. */
  readonly linkTo?: Pid | undefined;
  /** How often it was started before. */
  readonly restarts?: number | undefined;
  /** The lease under which it runs, of a strong singleton. */
  readonly lease?: HeldLease | undefined;
}

/** A lease as a process needs it: it handles nothing when that is not held. */
export type HeldLease = Pick<Lease, 'token' | 'isHeld'>;

/** Milliseconds to end in for a process that nobody watches over any more. */
const lastMs = 5_000;

const noState: object = Object.freeze({});

/** An object with a mailbox: handles one message at a time. */
export class Process implements Runnable {
  nextReady: Runnable | undefined = undefined;
  readonly runtime: Runtime;
  readonly behaviour: Behaviour;
  readonly pid: Pid;
  readonly name: string | undefined;
  /** Its supervisor; a process ends with it. */
  parent: Pid | undefined = undefined;
  state: object = noState;
  durability: Durability | undefined = undefined;
  lease: HeldLease | undefined = undefined;
  /** Messages that handlers were given. */
  handled = 0;
  restarts = 0;
  /** The longest that its mailbox was. */
  highWater = 0;
  readonly mailbox = new Mailbox<Envelope>();
  probe: Probe | undefined = undefined;
  isSuspended = false;
  #status: ProcessStatus = 'starting';
  #exit: Exit | undefined = undefined;
  // Most processes need none of these: they are made on first use.
  #execution: Execution | undefined = undefined;
  #relations: Relations | undefined = undefined;
  #timers: Timers | undefined = undefined;
  #idleWatch: IdleWatch | undefined = undefined;
  #onEnded: Set<() => void> | undefined = undefined;

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

  get status(): ProcessStatus {
    return this.#status;
  }

  /** Whether it keeps others alive. */
  get isSupervisor(): boolean {
    const { start, trapExits } = this.behaviour.spec;
    return start !== undefined && trapExits === true;
  }

  /** Whether it belongs to the node itself. */
  get isSystem(): boolean {
    return this.behaviour.spec.isSystem === true;
  }

  /** Whether a handler is in the middle of its work. */
  get isBusy(): boolean {
    return this.#status === 'busy';
  }

  /** What it is at: how its messages are carried out. */
  get execution(): Execution {
    return (this.#execution ??= new Execution(this));
  }

  get relations(): Relations {
    return (this.#relations ??= new Relations(this));
  }

  get timers(): Timers {
    return (this.#timers ??= new Timers(this));
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  describe(): string {
    return this.name === undefined
      ? `${this.behaviour.name} ${this.pid.toString()}`
      : `${this.behaviour.name} "${this.name}"`;
  }

  // ── start ──────────────────────────────────────────────────────────────────

  /**
   * Runs `init`, then takes messages. Is done at once where `init` is.
   *
   * @throws FoundationError `START_FAILED` or `REFUSED`
   */
  start(init: unknown): void | Promise<void> {
    const request = currentRequest();
    try {
      const made = runIn({ owner: this, message: undefined, request }, () => this.#makeState(init));
      if (isPromise(made)) return this.#startWhenMade(made, request);
      return this.#begin(made, request);
    } catch (error) {
      throw this.#failToStart(error);
    }
  }

  #makeState(init: unknown): unknown {
    const { spec } = this.behaviour;
    if (spec.start !== undefined) return spec.start(this);
    return this.durability?.load(init) ?? spec.init(init);
  }

  async #startWhenMade(made: PromiseLike<unknown>, request: Request | undefined): Promise<void> {
    const { initTimeoutMs } = this.behaviour.limits;
    const { promise: limit, reject } = Promise.withResolvers<never>();
    // A supervisor's children have limits of their own.
    const isLimited = initTimeoutMs !== Infinity && !this.isSupervisor;
    const late = (): void => reject(initTimeout(this.describe(), initTimeoutMs));
    const timer = isLimited ? this.runtime.clock.after(initTimeoutMs, late) : undefined;
    const over = (): void => reject(this.#endOfStart());
    this.onEnded(over);
    try {
      this.#begin(await Promise.race([made, limit]), request);
    } catch (error) {
      throw this.#failToStart(error);
    } finally {
      timer?.cancel();
      this.offEnded(over);
    }
  }

  /** Why a start came to nothing that was ended from outside, or by a promise that `init` left behind. */
  #endOfStart(): unknown {
    const exit = this.#exit;
    return exit?.reason === 'start_failed' ? exit.error : this.#down();
  }

  #begin(made: unknown, request: Request | undefined): void {
    if (this.#exit !== undefined) throw this.#endOfStart();
    if (made instanceof Refused) throw startRefused(this.describe(), made);
    if (typeof made !== 'object' || made === null) throw notAnObject(this.describe(), made);
    this.state = made;
    this.#execution?.begin();
    const { continue: entry, limits } = this.behaviour;
    if (entry !== undefined) {
      this.mailbox.unshift(new Note('continue', 'continue', [], entry, request));
    }
    if (limits.idleMs !== Infinity) this.#idleWatch = new IdleWatch(this);
    this.wake();
  }

  #failToStart(error: unknown): unknown {
    this.#finish({ reason: 'start_failed', error });
    return startFailed(this.describe(), error);
  }

  // ── mailbox ────────────────────────────────────────────────────────────────

  /** Puts a message into the mailbox. Returns false when it was not taken. */
  deliver(envelope: Envelope): boolean {
    if (this.#status === 'ended') return refuse(envelope, noProcess(this.describe()));
    const { mailbox } = this;
    const { size } = mailbox;
    if (size >= this.behaviour.mailboxMax && isBounded(envelope)) return this.#overflow(envelope);
    if (isSampled(this.handled + size)) this.#sample(envelope);
    mailbox.push(envelope);
    if (size >= this.highWater) this.highWater = size + 1;
    if (this.#status === 'idle') this.#ready();
    return true;
  }

  #ready(): void {
    this.#status = 'ready';
    this.runtime.scheduler.enqueue(this);
  }

  #sample(envelope: Envelope): void {
    (this.probe ??= new Probe(this.runtime.clock)).sample(envelope);
  }

  #overflow(envelope: Envelope): boolean {
    const { overflow, mailboxMax } = this.behaviour;
    this.runtime.counters.overflow++;
    this.runtime.events.emit('overflow', { pid: this.pid, rule: overflow, kind: envelope.kind });
    if (envelope.kind === 'call') {
      return refuse(envelope, overloaded(this.describe(), mailboxMax));
    }
    if (overflow === 'drop-newest') return true;
    if (overflow === 'reject') return false;
    const dropped = this.mailbox.removeOldest(isCast);
    if (dropped === undefined) return false;
    this.probe?.dropped(dropped);
    this.mailbox.push(envelope);
    return true;
  }

  /** Puts a cast of its own behind what waits. */
  castToSelf(name: string, args: readonly unknown[]): boolean {
    const sent = this.runtime.copied(args);
    const request = currentRequest();
    return this.deliver(new Note('cast', name, sent, this.behaviour.casts.get(name), request));
  }

  // ── one message after the other ────────────────────────────────────────────

  run(): number {
    // It was told to stop or suspended while it waited for its turn.
    if (this.#status !== 'ready' || this.#park()) return 0;
    const { board } = this.runtime;
    if (board === undefined) return this.#enter();
    board.begin(this);
    const handled = this.#enter();
    board.end(this);
    return handled;
  }

  #enter(): number {
    const request = this.mailbox.first?.request;
    if (request === undefined && !this.runtime.framesAll) {
      // Whoever has set this turn off may have been in a context.
      leaveScope();
      this.#execution?.leaveFrame();
      return this.#drain(request);
    }
    const frame = this.execution.frameFor(request);
    // oxlint-disable-next-line typescript/unbound-method -- `this` is given with it
    if (frame !== undefined) return frame.runInAsyncScope(this.#drain, this, request);
    const scope = { owner: this, message: undefined, request };
    return runIn(scope, () => this.#drain(request));
  }

  /** @param request - On whose behalf the asynchronous context at hand was entered. */
  #drain(request: Request | undefined): number {
    const { mailbox, execution } = this;
    const { scheduler } = this.runtime;
    let [handled, lookAt] = [0, 1];
    for (let envelope = mailbox.shift(); envelope !== undefined; envelope = mailbox.shift()) {
      if (!envelope.isOpen) {
        this.probe?.dropped(envelope);
        continue;
      }
      handled++;
      this.handled++;
      const goesOn =
        envelope.request === request ? execution.take(envelope) : execution.takeApart(envelope);
      if (!goesOn || this.#park()) return handled;
      if (handled < lookAt || mailbox.size === 0) continue;
      lookAt = scheduler.look(handled);
      if (lookAt > 0) continue;
      scheduler.enqueue(this);
      return handled;
    }
    this.#rest();
    return handled;
  }

  #park(): boolean {
    // Whoever finds out that the lease is lost may be told here, and end the process.
    const isLost = this.lease?.isHeld === false;
    if (!isLost && !this.isSuspended) return false;
    if (this.isAlive) this.#status = 'parked';
    return true;
  }

  #rest(): void {
    this.#status = 'idle';
    this.#idleWatch?.begin();
  }

  /** Takes the next message, if there is one. */
  wake(): void {
    if (this.#park()) return;
    if (this.mailbox.size === 0) return this.#rest();
    return this.#ready();
  }

  /** A handler has not settled: no other message is taken until {@link release}. */
  hold(): void {
    this.#status = 'busy';
  }

  /** Returns false when the process has come to its end meanwhile. */
  release(): boolean {
    if (this.#status !== 'busy') return false;
    this.#status = 'ready';
    this.runtime.board?.note(this);
    return true;
  }

  suspend(): void {
    this.isSuspended = true;
  }

  resume(): void {
    this.isSuspended = false;
    if (this.#status === 'parked') this.wake();
    else this.restAnew();
  }

  /** Something is over that kept it from being at rest: its idle time begins now. */
  restAnew(): void {
    if (this.#status === 'idle') this.#rest();
  }

  // ── what it is at ──────────────────────────────────────────────────────────

  /** Whether a handler of it has begun and not settled. */
  get isAtWork(): boolean {
    return this.isBusy || this.#execution?.current !== undefined;
  }

  /** Whether it has nothing to do and owes nothing to anybody. */
  get isAtRest(): boolean {
    return this.#status === 'idle' && !this.isSuspended && this.#execution?.isAtRest !== false;
  }

  /** Whether the handler at work was sent this. */
  isAt(message: Envelope): boolean {
    return this.#execution?.current === message;
  }

  /** The same for a handler that waits, by the number of its message. */
  isAtTurn(turn: number): boolean {
    return this.isBusy && this.handled === turn;
  }

  /**
   * Refuses a call that waits, by way of others or not, for the handler at work here. That handler may
   * still be in its synchronous part: then it is known only later whether it waits at all.
   */
  refusesCycle(call: Call): boolean {
    const chain = findCycle(this, call);
    if (chain === undefined) return false;
    if (this.isBusy) return !refuse(call, callCycle(chain));
    this.execution.suspect(call, chain);
    return false;
  }

  replyTo<T>(call: Call): ReplyTo<T> {
    return this.execution.replyTo(call);
  }

  /** Answers a call whose reply was taken into hand. Returns false when nobody waits any more. */
  settle(call: Call, value: unknown): boolean {
    return this.isAlive && (this.#execution?.settle(call, value) ?? false);
  }

  /** The same for a reply that comes from elsewhere, by the number its address has. */
  settleAddressed(id: number, value: unknown): boolean {
    const call = this.#execution?.replies.addressed(id);
    return call !== undefined && this.settle(call, value);
  }

  /** The replies that it owes. */
  get replies(): Replies {
    return this.execution.replies;
  }

  defer(message: Envelope | undefined): void {
    this.execution.defer(message);
  }

  // ── the end ────────────────────────────────────────────────────────────────

  /** Runs when the process has ended, or at once if it has. */
  onEnded(action: () => void): void {
    if (this.#status === 'ended') action();
    else (this.#onEnded ??= new Set()).add(action);
  }

  /** Takes back {@link onEnded}. */
  offEnded(action: () => void): void {
    this.#onEnded?.delete(action);
  }

  #down(exit: Exit = this.#exit ?? { reason: 'killed' }): FoundationError {
    return processDown(this.describe(), exit);
  }

  /** What a caller gets whose call is lost by an error. */
  downBy(error: unknown): FoundationError {
    return this.#down({ reason: 'crash', error });
  }

  /** Ends the process with the error of a handler. */
  crash(error: unknown): void {
    if (this.#status === 'ended' || this.#status === 'ending') return;
    if (this.#status === 'starting') return this.#finish({ reason: 'start_failed', error });
    this.#exit = { reason: 'crash', error };
    this.#tellCrash(error);
    const { durability } = this;
    this.#execution?.failCurrent(() => this.#down());
    if (durability !== undefined) durability.close(this.#down());
    this.end();
  }

  /** Asks the process to end after the message it is at; jumps the queue. */
  stop(exit: Exit): void {
    if (this.#status === 'ended' || this.#status === 'ending') return;
    this.#exit ??= exit;
    const isWaiting =
      this.#status === 'idle' || this.#status === 'ready' || this.#status === 'parked';
    if (isWaiting && this.#execution?.current === undefined) this.end();
  }

  /** Ends the process at once, whatever it does; `terminate` does not run. */
  kill(exit: Exit = { reason: 'killed' }): void {
    if (this.#status !== 'ended') this.#finish(exit);
  }

  #tellCrash(error: unknown): void {
    const { events } = this.runtime;
    // A stack costs as much as all the rest of a restart.
    if (!events.isHeard('crash')) return;
    const stack = error instanceof Error ? error.stack : undefined;
    events.emit('crash', { pid: this.pid, who: this.describe(), error: messageOf(error), stack });
  }

  /** An abnormal exit of a linked process, or its notice where exits are trapped. */
  exitSignal(from: Pid, exit: Exit): void {
    if (this.#status === 'ended') return;
    this.#relations?.links.delete(from.place);
    if (this.parent?.place === from.place) return this.#orphaned(exit);
    if (this.behaviour.spec.trapExits === true) {
      this.deliver(new Note('exit', 'exit', [{ pid: from, ...exit }]));
    } else if (!isNormal(exit)) {
      this.#exit ??= exit;
      if (this.#status === 'busy') this.end();
      else this.stop(exit);
    }
  }

  /** Its supervisor has ended, and does not watch over its end any more. */
  #orphaned(exit: Exit): void {
    if (exit.reason === 'killed') return this.kill(exit);
    this.#exit ??= exit;
    if (isNormal(exit) || this.#status !== 'busy') this.stop(exit);
    else this.end();
    return this.killLater(exit);
  }

  /** Gives it a last while: nobody else sees to it that it ends. */
  killLater(exit: Exit): void {
    if (this.#status === 'ended') return;
    this.runtime.clock.after(lastMs, () => this.kill(exit), 'background');
  }

  /** Lets `terminate` run, and ends. */
  end(): void {
    if (this.#status === 'ended' || this.#status === 'ending') return undefined;
    const exit = this.#exit ?? { reason: 'normal' };
    if (exit.reason === 'killed') return this.#finish(exit);
    this.#status = 'ending';
    let work: PromiseLike<unknown> | undefined;
    try {
      work = this.#lastWork(exit);
    } catch (error) {
      return this.#finish({ reason: 'crash', error });
    }
    if (work === undefined) return this.#finish(exit);
    Promise.resolve(work).then(
      () => this.#finish(exit),
      (error: unknown) => this.#finish({ reason: 'crash', error }),
    );
    return undefined;
  }

  /** `terminate`, and the last write of a durable process that ends in good order. */
  #lastWork(exit: Exit): PromiseLike<unknown> | undefined {
    const { durability, behaviour } = this;
    const { terminate } = behaviour.spec;
    const work = terminate && this.execution.terminate(terminate, exit.reason);
    if (durability !== undefined && isNormal(exit)) {
      return Promise.resolve(work).then(() => durability.flush());
    }
    return isPromise(work) ? work : undefined;
  }

  #finish(exit: Exit): void {
    if (this.#status === 'ended') return;
    const wasStarting = this.#status === 'starting';
    this.#status = 'ended';
    this.#exit = exit;
    this.#timers?.end();
    this.#idleWatch?.end();
    if (this.durability !== undefined) this.durability.close(this.#down(exit));
    // Its name is free when those hear of it who have waited.
    this.runtime.forget(this, exit, wasStarting);
    this.#failWaiting(exit);
    this.#relations?.end(exit);
    for (const action of this.#onEnded ?? []) action();
  }

  #failWaiting(exit: Exit): void {
    const { mailbox } = this;
    let made: FoundationError | undefined;
    // An error costs as much as all the rest of an end, and mostly nobody waits for it.
    const down = (): FoundationError => (made ??= this.#down(exit));
    this.#execution?.end(down);
    for (let waiting = mailbox.shift(); waiting; waiting = mailbox.shift()) {
      if (isCall(waiting)) waiting.fail(down());
    }
  }
}

function refuse(envelope: Envelope, error: FoundationError): false {
  if (isCall(envelope)) envelope.fail(error);
  return false;
}

/** Timers and notices are bounded by their number, not by the mailbox. */
export function isBounded(envelope: Envelope): boolean {
  return envelope.kind === 'call' || envelope.kind === 'cast';
}

function isCast(envelope: Envelope): boolean {
  return envelope.kind === 'cast';
}
