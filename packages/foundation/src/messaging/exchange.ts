import { Request } from '../context/request.ts';
import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import { farWaitersOf, type FarWaiter } from '../process/call-chain.ts';
import { Note } from '../process/envelope.ts';
import { noProcess, processDown, type Exit } from '../process/exit.ts';
import { Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import { invalidReply, waiterOf, type OutgoingCall } from '../process/ref.ts';
import type { ReplyAddress } from '../process/replies.ts';
import type { Runtime } from '../process/runtime.ts';
import { senderOf, type Signal } from '../process/signal.ts';
import type { Codec } from '../wire/codec.ts';
import { CallMap } from './call-map.ts';
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

/** A cast on its way. */
export interface OutgoingCast {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly request: Request | undefined;
}

const nobodyWaits: readonly FarWaiter[] = [];

/** Calls, casts and signals between the processes of this runtime and those of others. */
export class Exchange {
  readonly #runtime: Runtime;
  readonly #router: Router;
  readonly #calls = new CallMap<RemoteCall>();
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

  call(target: Pid, outgoing: OutgoingCall): Promise<unknown> {
    const { terms, timeoutMs, scope } = outgoing;
    const id = this.#runtime.nextNumber();
    const call = new RemoteCall(this.#runtime.deadlines, terms, timeoutMs);
    call.caller = scope?.owner;
    call.track(this, id, target);
    this.#calls.set(id, call);
    try {
      const sent = this.#router.send(target, this.#callPacket(target, id, outgoing));
      if (sent !== 'sent') call.fail(this.notSent(sent, target, terms.describe()));
    } catch (error) {
      call.fail(error);
    }
    return call.promise;
  }

  // oxlint-disable-next-line eslint/max-params -- made for each call
  #callPacket(target: Pid, id: number, outgoing: OutgoingCall): Packet {
    const { name, args, timeoutMs, request, scope } = outgoing;
    const { serial } = target;
    const waiter = waiterOf(scope);
    // What most calls do not have is not sent: not even that it is missing.
    if (request === undefined && waiter === undefined) {
      return [packetKinds.call, serial, id, name, args, timeoutMs];
    }
    const wire = request?.toWire(this.#runtime.codec);
    const waiters = farWaitersOf({ waiter, farWaiters: nobodyWaits });
    return [packetKinds.call, serial, id, name, args, timeoutMs, wire, waiters];
  }

  /** Tells the other side that nobody waits for a reply any more. */
  cancel(target: Pid, id: number): void {
    this.#send(target, [packetKinds.cancel, target.serial, id]);
  }

  /** Called by an outgoing call that has ended. */
  closed(id: number): void {
    this.#calls.delete(id);
  }

  cast(target: Pid, { name, args, request }: OutgoingCast): boolean {
    const { serial } = target;
    const packet: Packet =
      request === undefined
        ? [packetKinds.cast, serial, name, args]
        : [packetKinds.cast, serial, name, args, request.toWire(this.#runtime.codec)];
    return this.#router.send(target, packet) === 'sent';
  }

  /** Sends the reply to a call that a process elsewhere has taken. @throws FoundationError `NOT_SERIALIZABLE` */
  answer({ pid, id }: ReplyAddress, value: unknown): boolean {
    return this.#router.send(pid, [packetKinds.answer, pid.serial, id, value]) === 'sent';
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
        return this.#receiveReply(from, packet[1], packet[2]);
      case packetKinds.fail:
        return this.#receiveFailure(from, packet[1], packet[2]);
      case packetKinds.signal:
        return this.#receiveSignal(from, packet[2], packet[3]);
      case packetKinds.answer:
        return this.#receiveAnswer(packet);
      case packetKinds.system:
        return undefined;
    }
  }

  #receiveAnswer([, to, id, value]: Packet &
    readonly [typeof packetKinds.answer, ...unknown[]]): void {
    if (this.#runtime.findSerial(to)?.settleAddressed(id, value) === true) return;
    this.#runtime.counters.lateReplies++;
  }

  #receiveCall(
    from: Station,
    packet: Packet & readonly [typeof packetKinds.call, ...unknown[]],
  ): void {
    const [, to, id, name, args, timeoutMs, wire, farWaiters = nobodyWaits] = packet;
    const { deadlines, codec, clock } = this.#runtime;
    const request = Request.parse(codec, clock, wire);
    const process = this.#runtime.findSerial(to);
    const entry = process?.behaviour.calls.get(name);
    // Calls are numbered like processes, so that the number tells the thread of the caller, too.
    const caller = new Pid(from.node, from.incarnation, id);
    const call = new IncomingCall(deadlines, caller, { name, args, entry, request, farWaiters });
    this.#incoming.add(call);
    call.start(this, timeoutMs);
    if (process === undefined) call.fail(noProcess(`${this.#runtime.name}#${to}`));
    else if (this.#runtime.isShedding && from.node !== this.#runtime.name && !process.isSystem) {
      call.fail(this.#runtime.shed(process.describe()));
    } else if (farWaiters.length === 0 || !process.refusesCycle(call)) process.deliver(call);
  }

  #receiveCast(packet: Packet & readonly [typeof packetKinds.cast, ...unknown[]]): void {
    const [, to, name, args, wire] = packet;
    const request = Request.parse(this.#runtime.codec, this.#runtime.clock, wire);
    const process = this.#runtime.findSerial(to);
    const entry = process?.behaviour.casts.get(name);
    process?.deliver(new Note('cast', name, args, entry, request));
  }

  #receiveReply({ node }: Station, id: number, value: unknown): void {
    const call = this.#calls.get(id);
    if (call?.target.node === node) call.answer(value);
    else this.#runtime.counters.lateReplies++;
  }

  #receiveFailure({ node }: Station, id: number, error: unknown): void {
    const call = this.#calls.get(id);
    if (call?.target.node === node) call.fail(error);
    else this.#runtime.counters.lateReplies++;
  }

  /** A node speaks for its own processes only, and to those of this node: it is no relay. */
  #receiveSignal({ node }: Station, target: Pid, signal: Signal): void {
    const sender = senderOf(signal);
    const isFit = target.node === this.#runtime.name && (sender?.node ?? node) === node;
    if (isFit) this.#runtime.signal(target, signal);
    else this.#runtime.counters.malformed++;
  }

  /** Answers a call of another runtime. */
  reply(caller: Pid, value: unknown): void {
    try {
      const sent = this.#router.send(caller, [packetKinds.reply, caller.serial, value]);
      if (sent === 'full') this.fail(caller, noRoomForReply(caller));
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

  /** Why a call was not taken. */
  notSent(why: 'unreachable' | 'full', { node }: Station, who: string): FoundationError {
    if (node === this.#runtime.name) return noProcess(who);
    if (why === 'unreachable') return noProcess(`${who}: its node is not connected`);
    return new FoundationError('OVERLOADED', `the link to the node of ${who} is full`, {
      hint: 'The other node reads slower than this one sends. Nothing was executed.',
    });
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

/** Of a call that was carried out: only its caller hears of it, the link goes on. */
export function noRoomForReply({ node }: Station): FoundationError {
  return new FoundationError('INVALID_REPLY', `the link to ${node} has no room for the reply`, {
    hint: 'The handler ran. The other node reads slower than it is replied to: ask for less at a time.',
    details: { node },
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
