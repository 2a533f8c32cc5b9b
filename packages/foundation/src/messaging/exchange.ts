import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import { Note, type CallRequest } from '../process/envelope.ts';
import { noProcess, processDown, type Exit } from '../process/exit.ts';
import { Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import { invalidReply } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import type { Signal } from '../process/signal.ts';
import type { Codec } from '../wire/codec.ts';
import { IncomingCall, IncomingCalls } from './incoming-call.ts';
import { packetKinds, type Packet } from './packet.ts';
import { portable } from './portable-error.ts';
import { RemoteCall } from './remote-call.ts';

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
  /** Calls from elsewhere that are open here, by the place of the caller. */
  readonly #incoming = new IncomingCalls();
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
    call.track(this, id, target);
    this.#calls.set(id, call);
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

  /** Tells the other side that nobody waits for a reply any more. */
  cancel(target: Pid, id: number): void {
    this.#send(target, [packetKinds.cancel, target.serial, id]);
  }

  /** Called by an outgoing call that has ended. */
  closed(id: number): void {
    this.#calls.delete(id);
  }

  cast(target: Pid, name: string, args: readonly unknown[]): boolean {
    return this.#router.send(target, [packetKinds.cast, target.serial, name, args]) === 'sent';
  }

  signal(target: Pid, signal: Signal): boolean {
    const told = tellable(this.#runtime.codec, signal);
    return this.#send(target, [packetKinds.signal, target.serial, target, told]) === 'sent';
  }

  noteRelation(process: Process): void {
    this.#related.add(process);
  }

  forget(process: Process): void {
    this.#related.delete(process);
  }

  /** Some runtimes are gone: calls to them fail, their own end, their monitors and links fire. */
  lost(isLost: (pid: Pid) => boolean, exit: Exit): void {
    for (const call of this.#calls.values()) {
      if (isLost(call.target)) call.fail(processDown(call.describe(), exit));
    }
    this.#incoming.giveUp(isLost);
    for (const process of this.#related) process.relations.lost(isLost, exit);
  }

  // ── incoming ───────────────────────────────────────────────────────────────

  receive(from: Station, packet: Packet): void {
    switch (packet[0]) {
      case packetKinds.call:
        return this.#receiveCall(from, packet);
      case packetKinds.cancel:
        return this.#incoming.get(from.node, packet[2])?.giveUp();
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
    // Calls are numbered like processes, so that the number tells the thread of the caller, too.
    const caller = new Pid(from.node, from.incarnation, id);
    const call = new IncomingCall(this.#runtime.deadlines, caller, { name, args });
    this.#incoming.add(call);
    call.start(this, timeoutMs);
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
  reply(caller: Pid, value: unknown): void {
    try {
      this.#router.send(caller, [packetKinds.reply, caller.serial, value]);
    } catch (error) {
      this.fail(caller, invalidReply('a call', error));
    }
  }

  fail(caller: Pid, error: unknown): void {
    this.#send(caller, [
      packetKinds.fail,
      caller.serial,
      portable(this.#runtime.codec, failureOf(error)),
    ]);
  }

  /** Called by an incoming call that has ended. */
  answered(call: IncomingCall): void {
    this.#incoming.remove(call);
  }

  /** Sends what nobody here waits for: it must not disturb whoever happens to set it off. */
  #send(to: Station, packet: Packet): 'sent' | 'unreachable' | 'full' {
    try {
      return this.#router.send(to, packet);
    } catch (error) {
      this.#runtime.events.emit('problem', { what: `sending to ${to.node}`, error });
      return 'unreachable';
    }
  }
}

/** Why a call was not taken. */
export function notSent(why: 'unreachable' | 'full', who: string): FoundationError {
  if (why === 'unreachable') return noProcess(`${who}: its node is not connected`);
  return new FoundationError('OVERLOADED', `the link to the node of ${who} is full`, {
    hint: 'The other node reads slower than this one sends. Nothing was executed.',
  });
}

function failureOf(error: unknown): FoundationError {
  return isFoundationError(error) ? error : new FoundationError('INTERNAL', messageOf(error));
}

function tellable(codec: Codec, signal: Signal): Signal {
  if (!('exit' in signal) || signal.exit.error === undefined) return signal;
  const { reason, error } = signal.exit;
  return { ...signal, exit: { reason, error: portable(codec, error) } };
}
