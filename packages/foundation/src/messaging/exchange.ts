import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import type { Deadlines, Due } from '../process/deadlines.ts';
import type { Entry } from '../process/definition.ts';
import { Note, Pending, type Call, type CallRequest } from '../process/envelope.ts';
import { noProcess, processDown, type Exit } from '../process/exit.ts';
import type { Queued } from '../process/mailbox.ts';
import type { Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import { invalidReply } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import type { Signal } from '../process/signal.ts';
import { packetKinds, type Packet } from './packet.ts';

/** A node's life, as packets are addressed. */
export interface Station {
  readonly node: string;
  readonly incarnation: number;
}

/** The way to other runtimes: the links of the node, or in a thread the port to the main thread. */
export interface Router {
  /** @returns `sent`, `unreachable` (no link to that life of the node), or `full` (not taken). */
  send(to: Station, packet: Packet): 'sent' | 'unreachable' | 'full';
}

interface OutgoingCall {
  readonly request: CallRequest;
  readonly timeoutMs: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Calls, casts and signals between the processes of this runtime and those of others. */
export class Exchange {
  readonly #runtime: Runtime;
  readonly #router: Router;
  readonly #calls = new Map<number, RemoteCall>();
  /** Processes here that have a link or monitor with one elsewhere. */
  readonly #related = new Set<Process>();

  constructor(runtime: Runtime, router: Router) {
    this.#runtime = runtime;
    this.#router = router;
  }

  /** Calls of this runtime that wait for a reply from another one. */
  get pendingCount(): number {
    return this.#calls.size;
  }

  // ── outgoing ───────────────────────────────────────────────────────────────

  call(target: Pid, { request, timeoutMs, name, args }: OutgoingCall): Promise<unknown> {
    const id = this.#runtime.nextNumber();
    const call = new RemoteCall(this.#runtime.deadlines, request, timeoutMs);
    call.track(this.#calls, id, target);
    try {
      const sent = this.#router.send(target, [
        packetKinds.call,
        target.serial,
        id,
        name,
        args,
        timeoutMs,
      ]);
      if (sent !== 'sent') call.fail(notSent(sent, request.describe()));
    } catch (error) {
      call.fail(error);
    }
    return call.promise;
  }

  cast(target: Pid, name: string, args: readonly unknown[]): boolean {
    return this.#router.send(target, [packetKinds.cast, target.serial, name, args]) === 'sent';
  }

  signal(target: Pid, signal: Signal): boolean {
    return (
      this.#router.send(target, [packetKinds.signal, target.serial, target, plain(signal)]) ===
      'sent'
    );
  }

  noteRelation(process: Process): void {
    this.#related.add(process);
  }

  forget(process: Process): void {
    this.#related.delete(process);
  }

  /** Some runtimes are gone: their calls fail, their monitors and links fire. */
  lost(isLost: (pid: Pid) => boolean, exit: Exit): void {
    for (const call of this.#calls.values()) {
      if (isLost(call.target)) call.fail(processDown(call.describe(), exit));
    }
    for (const process of this.#related) process.relations.lost(isLost, exit);
  }

  // ── incoming ───────────────────────────────────────────────────────────────

  receive(from: Station, packet: Packet): void {
    switch (packet[0]) {
      case packetKinds.call:
        return this.#receiveCall(from, packet);
      case packetKinds.cast:
        return this.#receiveCast(packet);
      case packetKinds.reply:
        return this.#receiveReply(packet[1], packet[2]);
      case packetKinds.fail:
        return this.#receiveFailure(packet[1], packet[2]);
      case packetKinds.signal:
        return this.#runtime.signal(packet[2], packet[3]);
      case packetKinds.system:
        return undefined;
    }
  }

  #receiveCall(
    from: Station,
    packet: Packet & readonly [typeof packetKinds.call, ...unknown[]],
  ): void {
    const [, to, id, name, args, timeoutMs] = packet;
    const call = new IncomingCall(this.#runtime.deadlines, name, args);
    call.replyTo(this, from, id);
    call.start(timeoutMs);
    const process = this.#runtime.findSerial(to);
    if (process === undefined) call.fail(noProcess(`${this.#runtime.name}#${to}`));
    else process.deliver(call);
  }

  #receiveCast(packet: Packet & readonly [typeof packetKinds.cast, ...unknown[]]): void {
    const [, to, name, args] = packet;
    this.#runtime.findSerial(to)?.deliver(new Note('cast', name, args, undefined));
  }

  #receiveReply(id: number, value: unknown): void {
    const call = this.#calls.get(id);
    if (call === undefined) this.#runtime.counters.lateReplies++;
    else call.answer(value);
  }

  #receiveFailure(id: number, error: unknown): void {
    const call = this.#calls.get(id);
    if (call === undefined) this.#runtime.counters.lateReplies++;
    else call.fail(error);
  }

  /** Answers a call of another runtime. */
  reply(to: Station, id: number, value: unknown): void {
    try {
      this.#router.send(to, [packetKinds.reply, id, value]);
    } catch (error) {
      this.fail(to, id, invalidReply('a call', error));
    }
  }

  fail(to: Station, id: number, error: unknown): void {
    this.#router.send(to, [packetKinds.fail, id, failureOf(error)]);
  }
}

/** A call of this runtime to a process elsewhere. */
class RemoteCall extends Pending {
  #calls: Map<number, RemoteCall> | undefined = undefined;
  #id = 0;
  #target: Pid | undefined = undefined;
  readonly describe: () => string;

  constructor(deadlines: Deadlines, request: CallRequest, timeoutMs: number) {
    super(deadlines, request, timeoutMs);
    this.describe = request.describe;
  }

  get target(): Pid {
    return this.#target as Pid;
  }

  track(calls: Map<number, RemoteCall>, id: number, target: Pid): void {
    this.#calls = calls;
    this.#id = id;
    this.#target = target;
    calls.set(id, this);
  }

  protected override close(): void {
    super.close();
    this.#calls?.delete(this.#id);
  }
}

/** A call from another runtime, in the mailbox of a process here. */
class IncomingCall implements Call, Due {
  next: Queued | undefined = undefined;
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly kind = 'call';
  readonly name: string;
  readonly args: readonly unknown[];
  readonly entry: Entry | undefined = undefined;
  isOpen = true;
  onGivenUp: (() => void) | undefined = undefined;
  readonly #deadlines: Deadlines;
  #exchange: Exchange | undefined = undefined;
  #from: Station | undefined = undefined;
  #id = 0;

  constructor(deadlines: Deadlines, name: string, args: readonly unknown[]) {
    this.#deadlines = deadlines;
    this.name = name;
    this.args = args;
  }

  replyTo(exchange: Exchange, from: Station, id: number): void {
    this.#exchange = exchange;
    this.#from = from;
    this.#id = id;
  }

  start(timeoutMs: number): void {
    this.#deadlines.add(this, this.#deadlines.tickIn(Math.max(0, timeoutMs)));
  }

  remainingMs(): number {
    return this.#deadlines.remainingMs(this.dueTick);
  }

  answer(value: unknown): void {
    if (!this.#close()) return;
    if (this.#from !== undefined) this.#exchange?.reply(this.#from, this.#id, value);
  }

  fail(error: unknown): void {
    if (!this.#close()) return;
    if (this.#from !== undefined) this.#exchange?.fail(this.#from, this.#id, error);
  }

  /** The caller has given up by now. */
  expire(): void {
    this.isOpen = false;
    this.onGivenUp?.();
  }

  #close(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.#deadlines.remove(this);
    return true;
  }
}

function notSent(why: 'unreachable' | 'full', who: string): FoundationError {
  if (why === 'unreachable') return noProcess(`${who}: its node is not connected`);
  return new FoundationError('OVERLOADED', `the link to the node of ${who} is full`, {
    hint: 'The other node reads slower than this one sends. Nothing was executed.',
  });
}

function failureOf(error: unknown): FoundationError {
  return isFoundationError(error) ? error : new FoundationError('INTERNAL', messageOf(error));
}

/** What is thrown may be anything; the codec carries errors whatever they hold, and nothing else. */
function portable(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}

function plain(signal: Signal): Signal {
  if (!('exit' in signal) || signal.exit.error === undefined) return signal;
  return { ...signal, exit: { reason: signal.exit.reason, error: portable(signal.exit.error) } };
}
