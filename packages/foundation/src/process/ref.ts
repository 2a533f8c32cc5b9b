import { inspect } from 'node:util';

import { Request } from '../context/request.ts';
import { currentRequest, currentScope, leftMs, type Scope } from '../context/scope.ts';
import { FoundationError, type CallSite } from '../errors.ts';
import { callInTrace } from '../telemetry/call-spans.ts';
import type { Behaviour, Entry } from './behaviour.ts';
import type { Waiter } from './call-chain.ts';
import type { Deadlines } from './deadlines.ts';
import { LocalCall, Note, type CallTerms } from './envelope.ts';
import { noProcess } from './exit.ts';
import type { Pid } from './pid.ts';
import { nodeStopped } from './process-errors.ts';
import type { Process } from './process.ts';
import type { CallOptions } from './ref-types.ts';
import type { Runtime } from './runtime.ts';

/** Milliseconds a call waits unless told otherwise. */
export const callTimeoutMs = 5_000;

/** Where a ref leads (a life or a name) and how it calls. */
export interface RefHow extends CallOptions {
  readonly pid?: Pid | undefined;
  readonly name?: string | undefined;
  /** Whether a refusal is an answer (`ref.try`) or an error. */
  readonly keepsRefusals?: boolean;
}

/** A call on its way. */
export interface OutgoingCall {
  readonly terms: CallTerms;
  /** What is really left; at most the terms'. */
  readonly timeoutMs: number;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly entry: Entry | undefined;
  /** Whose code makes it. */
  readonly scope: Scope | undefined;
  readonly request: Request | undefined;
}

/** The inside of a ref. The typed stubs around it are made from the definition. */
export class RefCore implements CallTerms {
  readonly runtime: Runtime;
  readonly behaviour: Behaviour;
  readonly how: RefHow;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly keepsRefusals: boolean;
  #process: Process | undefined = undefined;

  constructor(runtime: Runtime, behaviour: Behaviour, how: RefHow) {
    this.runtime = runtime;
    this.behaviour = behaviour;
    this.how = how;
    this.timeoutMs = how.timeoutMs ?? callTimeoutMs;
    this.signal = how.signal;
    this.keepsRefusals = how.keepsRefusals ?? false;
    if (!(Number.isFinite(this.timeoutMs) && this.timeoutMs > 0)) throw invalidTimeout(how);
    if (this.signal !== undefined && !(this.signal instanceof AbortSignal))
      throw invalidSignal(how);
  }

  /** The same target, called in another way. */
  derive(how: RefHow): RefCore {
    return new RefCore(this.runtime, this.behaviour, { ...this.how, ...how });
  }

  get pid(): Pid | undefined {
    const { pid, name } = this.how;
    return name === undefined ? pid : this.runtime.directory.lookup(name);
  }

  readonly describe = (): string => {
    const { pid, name } = this.how;
    return name === undefined
      ? `${this.behaviour.name} ${String(pid)}`
      : `${this.behaviour.name} "${name}"`;
  };

  site(): CallSite | undefined {
    if (!this.runtime.copiesMessages) return undefined;
    const site: CallSite = {};
    // oxlint-disable-next-line typescript/unbound-method -- it tells where to begin
    Error.captureStackTrace(site, this.call);
    return site;
  }

  call(name: string, args: readonly unknown[], entry: Entry | undefined): Promise<unknown> {
    if (this.signal?.aborted === true) return Promise.reject(notSent(this));
    const scope = currentScope();
    const timeoutMs =
      scope === undefined ? this.timeoutMs : Math.min(this.timeoutMs, leftMs(scope));
    if (timeoutMs <= 0) return Promise.reject(noTimeLeft(this));
    const request = scope?.request;
    if (this.runtime.mayBeTraced()) {
      return callInTrace(this, { terms: this, timeoutMs, name, args, entry, scope, request });
    }
    const process = this.#local();
    if (process === undefined) {
      return this.#callElsewhere({ terms: this, timeoutMs, name, args, entry, scope, request });
    }
    const call = this.#newCall(timeoutMs);
    call.caller = scope?.owner;
    call.name = name;
    call.args = args;
    call.entry = entry;
    call.request = request;
    return this.#callHere(process, call, scope);
  }

  /** Sends a call to wherever the process lives. */
  send(outgoing: OutgoingCall): Promise<unknown> {
    const process = this.#local();
    if (process === undefined) return this.#callElsewhere(outgoing);
    const { name, args, entry, request, scope } = outgoing;
    const caller = scope?.owner;
    const call = this.#newCall(outgoing.timeoutMs);
    Object.assign(call, { name, args, entry, request, caller });
    return this.#callHere(process, call, scope);
  }

  #callElsewhere(outgoing: OutgoingCall): Promise<unknown> {
    const { pid, runtime } = this;
    if (runtime.isStopped) {
      const hint = 'Nothing was executed. Make the call with a ref of a node that runs.';
      return Promise.reject(nodeStopped(runtime.name, hint));
    }
    if (pid === undefined || runtime.isMine(pid)) {
      return Promise.reject(noProcess(this.describe()));
    }
    return this.runtime.exchange.call(pid, outgoing);
  }

  #newCall(timeoutMs: number): LocalCall {
    const { deadlines, copiesMessages, codec } = this.runtime;
    return copiesMessages
      ? new CopiedCall(deadlines, this, timeoutMs, codec)
      : new LocalCall(deadlines, this, timeoutMs);
  }

  #callHere(process: Process, call: LocalCall, scope: Scope | undefined): Promise<unknown> {
    const { runtime } = this;
    if (runtime.isShedding && scope?.owner === undefined && !process.isSystem) {
      call.fail(runtime.shed(this.describe()));
      return call.promise;
    }
    if (process.behaviour !== this.behaviour) call.entry = undefined;
    if (runtime.copiesMessages && !copyInto(call, runtime)) return call.promise;
    if (scope?.message !== undefined) {
      call.waiter = waiterOf(scope);
      if (process.refusesCycle(call)) return call.promise;
    }
    process.deliver(call);
    return call.promise;
  }

  cast(name: string, args: readonly unknown[], entry: Entry | undefined): boolean {
    const { runtime } = this;
    const outer = currentRequest();
    const request = runtime.isTraced ? Request.traced(outer) : outer;
    const process = this.#local();
    if (process !== undefined) {
      const known = process.behaviour === this.behaviour ? entry : undefined;
      return process.deliver(new Note('cast', name, runtime.copied(args), known, request));
    }
    const { pid } = this;
    if (pid === undefined || runtime.isMine(pid)) return false;
    return runtime.exchange.cast(pid, { name, args, request });
  }

  #local(): Process | undefined {
    const known = this.#process;
    if (known !== undefined && known.isAlive) return known;
    const { pid } = this;
    this.#process = pid === undefined ? undefined : this.runtime.find(pid);
    return this.#process;
  }
}

/** A local call whose values take the way through the codec, as they would to another node. */
class CopiedCall extends LocalCall {
  readonly #codec: Runtime['codec'];

  // oxlint-disable-next-line eslint/max-params -- like the one it extends, with the codec
  constructor(deadlines: Deadlines, terms: CallTerms, timeoutMs: number, codec: Runtime['codec']) {
    super(deadlines, terms, timeoutMs);
    this.#codec = codec;
  }

  override answer(value: unknown): void {
    if (!this.isOpen) return;
    try {
      const bytes = this.#codec.encode([value], ['reply']);
      super.answer((this.#codec.decode(bytes) as readonly unknown[])[0]);
    } catch (error) {
      this.fail(invalidReply(this.name, error));
    }
  }
}

/** Returns false when the arguments cannot be sent; the caller is told. */
function copyInto(call: LocalCall, runtime: Runtime): boolean {
  try {
    call.args = runtime.copied(call.args);
    return true;
  } catch (error) {
    call.fail(error);
    return false;
  }
}

/** The handler whose code makes a call, if it is a handler's. */
export function waiterOf(scope: Scope | undefined): Waiter | undefined {
  if (scope?.owner === undefined || scope.message === undefined) return undefined;
  return { owner: scope.owner, message: scope.message };
}

/** What the caller gets when the handler's reply cannot be sent. */
export function invalidReply(name: string, cause: unknown): FoundationError {
  return new FoundationError('INVALID_REPLY', `the reply to "${name}" cannot be sent`, {
    hint: 'The handler ran. Return JSON values, bigint, Date, Map, Set, Uint8Array, refs, pids or errors.',
    cause,
  });
}

function notSent(core: RefCore): FoundationError {
  return new FoundationError('ABORTED', `the call to ${core.describe()} was aborted beforehand`, {
    hint: 'Nothing was sent.',
    traits: { retryable: true, outcome: 'not-executed' },
    cause: core.signal?.reason,
  });
}

function noTimeLeft(core: RefCore): FoundationError {
  return new FoundationError('CALL_TIMEOUT', `no time was left for a call to ${core.describe()}`, {
    hint: 'Nothing was sent: the deadline of the caller, or of the whole request, has passed.',
    traits: { retryable: false, outcome: 'not-executed' },
    details: { process: core.describe(), timeoutMs: 0 },
  });
}

function invalidTimeout({ timeoutMs }: CallOptions): FoundationError {
  return new FoundationError('INVALID_OPTION', `\`timeoutMs\` is ${inspect(timeoutMs)}`, {
    hint: 'Give a number of milliseconds above 0. A call always has a limit.',
    details: { timeoutMs },
  });
}

function invalidSignal({ signal }: CallOptions): FoundationError {
  return new FoundationError('INVALID_OPTION', `\`signal\` is ${inspect(signal, { depth: 0 })}`, {
    hint: 'Give the `signal` of an AbortController.',
  });
}
