import type { FoundationError } from '../errors.ts';
import { replyToSymbol, type ReplyTo, type ReplyWay } from './answer.ts';
import type { Entry } from './behaviour.ts';
import type { Call } from './envelope.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';

/** A call whose handler is over and whose reply is still to come. */
interface Owed {
  readonly entry: Entry;
  /** Whether it comes of work under way, which settles by itself. */
  readonly isWork: boolean;
  /** The number under which it can be answered from elsewhere. */
  id?: number;
}

/** The replies that one process still owes: they fail when it ends. */
export class Replies {
  readonly #process: Process;
  readonly #owed = new Map<Call, Owed>();
  /** Those whose address has left the process, by number. */
  #addressed: Map<number, Call> | undefined = undefined;
  #pruneAt = 64;

  constructor(process: Process) {
    this.#process = process;
  }

  get count(): number {
    return this.#owed.size;
  }

  /** Whether somebody still waits, or work goes on. */
  get isOwing(): boolean {
    this.#prune();
    return this.#owed.size > 0;
  }

  owes(call: Call): boolean {
    return this.#owed.has(call);
  }

  owe(call: Call, owed: Owed): void {
    this.#owed.set(call, owed);
    if (this.#owed.size >= this.#pruneAt) this.#prune();
  }

  /** Takes a debt off the list; undefined when it was settled or is nobody's any more. */
  settle(call: Call): Owed | undefined {
    const owed = this.#owed.get(call);
    this.#owed.delete(call);
    if (owed?.id !== undefined) this.#addressed?.delete(owed.id);
    return owed;
  }

  /** A number under which a call can be answered from elsewhere, while a reply is owed. */
  address(call: Call): number {
    const owed = this.#owed.get(call);
    const id = owed?.id ?? this.#process.runtime.nextNumber();
    if (owed !== undefined) {
      owed.id = id;
      (this.#addressed ??= new Map()).set(id, call);
    }
    return id;
  }

  addressed(id: number): Call | undefined {
    return this.#addressed?.get(id);
  }

  end(down: () => FoundationError): void {
    for (const call of this.#owed.keys()) call.fail(down());
    this.#owed.clear();
    this.#addressed = undefined;
  }

  /** Forgets whose callers have given up: each time the list has doubled, at least. */
  #prune(): void {
    for (const [call, { isWork }] of this.#owed) {
      if (!call.isOpen && !isWork) this.settle(call);
    }
    this.#pruneAt = Math.max(64, 2 * this.#owed.size);
  }
}

/** The way from a process to the caller of a call that it took. */
export class OwnReply implements ReplyWay {
  readonly process: Process;
  readonly call: Call;

  constructor(process: Process, call: Call) {
    this.process = process;
    this.call = call;
  }

  get isOpen(): boolean {
    return this.call.isOpen;
  }

  reply(value: unknown): boolean {
    return this.process.settle(this.call, value);
  }
}

/** Whether it is the way to the caller of just that call. */
export function isReplyTo(replyTo: ReplyTo<unknown>, call: Call): boolean {
  const way = replyTo[replyToSymbol];
  return way instanceof OwnReply && way.call === call;
}

/** Where a reply goes, for another runtime or a copied message. */
export interface ReplyAddress {
  readonly pid: Pid;
  readonly id: number;
}

/** The way to a call that another process took, perhaps in another runtime. */
export class FarReply implements ReplyWay {
  readonly address: ReplyAddress;
  readonly #send: (value: unknown) => boolean;
  isOpen = true;

  constructor(address: ReplyAddress, send: (value: unknown) => boolean) {
    this.address = address;
    this.#send = send;
  }

  reply(value: unknown): boolean {
    if (!this.isOpen) return false;
    const isSent = this.#send(value);
    this.isOpen = false;
    return isSent;
  }
}

/** The address behind a `ReplyTo`. */
export function addressOf(replyTo: ReplyTo<unknown>): ReplyAddress | undefined {
  const way = replyTo[replyToSymbol];
  if (way instanceof FarReply) return way.address;
  if (!(way instanceof OwnReply)) return undefined;
  const { process, call } = way;
  return { pid: process.pid, id: process.replies.address(call) };
}
