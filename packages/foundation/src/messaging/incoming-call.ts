import type { Request } from '../context/request.ts';
import type { Entry } from '../process/behaviour.ts';
import type { FarWaiter } from '../process/call-chain.ts';
import type { Deadlines, Due } from '../process/deadlines.ts';
import type { Call } from '../process/envelope.ts';
import type { Queued } from '../process/mailbox.ts';
import type { Pid } from '../process/pid.ts';
import { CallMap } from './call-map.ts';
import type { Exchange } from './exchange.ts';

type IncomingMessage = Pick<Call, 'name' | 'args' | 'entry' | 'request' | 'farWaiters'>;

/** A call from another runtime, in the mailbox of a process here. */
export class IncomingCall implements Call, Due {
  next: Queued | undefined = undefined;
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly kind = 'call';
  readonly name: string;
  readonly args: readonly unknown[];
  readonly entry: Entry | undefined;
  readonly request: Request | undefined;
  readonly waiter = undefined;
  readonly farWaiters: readonly FarWaiter[];
  /** The life of the caller's node, and the number of the call there. */
  readonly caller: Pid;
  isOpen = true;
  onGivenUp: (() => void) | undefined = undefined;
  readonly #deadlines: Deadlines;
  #exchange: Exchange | undefined = undefined;

  constructor(deadlines: Deadlines, caller: Pid, message: IncomingMessage) {
    this.#deadlines = deadlines;
    this.caller = caller;
    this.name = message.name;
    this.args = message.args;
    this.entry = message.entry;
    this.request = message.request;
    this.farWaiters = message.farWaiters;
  }

  start(exchange: Exchange, timeoutMs: number): void {
    this.#exchange = exchange;
    this.#deadlines.add(this, this.#deadlines.tickIn(Math.max(0, timeoutMs)));
  }

  remainingMs(): number {
    return this.#deadlines.remainingMs(this.dueTick);
  }

  answer(value: unknown): void {
    if (this.#close()) this.#exchange?.reply(this.caller, value);
  }

  fail(error: unknown): void {
    if (this.#close()) this.#exchange?.fail(this.caller, error);
  }

  /** The caller has given up by now. */
  expire(): void {
    this.giveUp();
  }

  /** Nobody waits for the reply any more. */
  giveUp(): void {
    if (this.#close()) this.onGivenUp?.();
  }

  #close(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.#deadlines.remove(this);
    this.#exchange?.answered(this);
    return true;
  }
}

/** The open calls of other runtimes, by node and number: two look-ups, and no text is made for a key. */
export class IncomingCalls {
  readonly #byNode = new Map<string, CallMap<IncomingCall>>();

  get(node: string, id: number): IncomingCall | undefined {
    return this.#byNode.get(node)?.get(id);
  }

  add(call: IncomingCall): void {
    const { node, serial } = call.caller;
    let calls = this.#byNode.get(node);
    if (calls === undefined) this.#byNode.set(node, (calls = new CallMap()));
    calls.set(serial, call);
  }

  remove({ caller }: IncomingCall): void {
    this.#byNode.get(caller.node)?.delete(caller.serial);
  }

  /** Ends the calls whose callers are gone. */
  giveUp(isGone: (caller: Pid) => boolean): void {
    for (const [node, calls] of this.#byNode) {
      for (const call of calls.values()) if (isGone(call.caller)) call.giveUp();
      if (calls.size === 0) this.#byNode.delete(node);
    }
  }
}
