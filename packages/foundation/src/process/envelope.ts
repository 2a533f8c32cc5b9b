import type { Request } from '../context/request.ts';
import { runIn } from '../context/scope.ts';
import { calledFrom, FoundationError, isFoundationError, type CallSite } from '../errors.ts';
import { Refused } from './answer.ts';
import type { Entry } from './behaviour.ts';
import type { FarWaiter, Waiter } from './call-chain.ts';
import type { Deadlines, Due } from './deadlines.ts';
import type { Queued } from './mailbox.ts';
import type { Process } from './process.ts';

/** `restart`: the wait of a child of a supervisor is over. */
export type NoteKind = 'cast' | 'timer' | 'down' | 'exit' | 'idle' | 'continue' | 'restart';

/** What can lie in a mailbox. */
export interface Envelope extends Queued {
  /** `call` and `cast` come from outside and count against the mailbox's bound. */
  readonly kind: 'call' | NoteKind;
  readonly name: string;
  readonly args: readonly unknown[];
  /** The handler, where the sender knows it already. */
  entry: Entry | undefined;
  /** What follows the request that it is part of. */
  readonly request: Request | undefined;
  /** Whether it is still to be handled. */
  readonly isOpen: boolean;
}

/** A message without reply. */
export class Note implements Envelope {
  next: Queued | undefined = undefined;
  readonly kind: NoteKind;
  readonly name: string;
  readonly args: readonly unknown[];
  entry: Entry | undefined;
  readonly request: Request | undefined;

  // Made once a message: an options object would be garbage each time.
  // oxlint-disable-next-line eslint/max-params
  constructor(
    kind: NoteKind,
    name: string,
    args: readonly unknown[],
    entry?: Entry,
    request?: Request,
  ) {
    this.kind = kind;
    this.name = name;
    this.args = args;
    this.entry = entry;
    this.request = request;
  }

  get isOpen(): boolean {
    return true;
  }
}

/** A message whose sender waits. Settles once; what comes later is dropped. */
export interface Call extends Envelope {
  readonly kind: 'call';
  /** The handler here that made it. */
  readonly waiter: Waiter | undefined;
  /** Handlers elsewhere that wait for it, the nearest first. */
  readonly farWaiters: readonly FarWaiter[];
  /** Milliseconds until the caller gives up. */
  remainingMs(): number;
  answer(value: unknown): void;
  fail(error: unknown): void;
  /** Tells when the caller gives up. */
  onGivenUp: (() => void) | undefined;
}

export function isCall(envelope: Envelope): envelope is Call {
  return envelope.kind === 'call';
}

/** How a call is made. */
export interface CallTerms {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether a refusal is an answer (`ref.try`) or an error. */
  readonly keepsRefusals: boolean;
  /** Names the target in errors. */
  readonly describe: () => string;
  /** Whose line makes the call; undefined in production, where it would cost more than the call. */
  site(): CallSite | undefined;
}

type Resolve = (value: unknown) => void;
type Reject = (error: unknown) => void;
let capturedResolve: Resolve;
let capturedReject: Reject;
// One executor for all promises: a closure for each would double the cost of a call.
const capture = (resolve: Resolve, reject: Reject): void => {
  capturedResolve = resolve;
  capturedReject = reject;
};

/** The caller's half of a call: a promise, its deadline and its abort signal. */
export class Pending implements Due {
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  isOpen = true;
  /** Whose code made the call, if it is a process's. */
  caller: Process | undefined = undefined;
  readonly promise: Promise<unknown>;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  readonly #deadlines: Deadlines;
  readonly #terms: CallTerms;
  readonly #timeoutMs: number;
  readonly #site: CallSite | undefined;
  #onAbort: (() => void) | undefined = undefined;

  /** @param timeoutMs - What is really left; at most `terms.timeoutMs`. */
  constructor(deadlines: Deadlines, terms: CallTerms, timeoutMs: number) {
    this.promise = new Promise<unknown>(capture);
    this.#resolve = capturedResolve;
    this.#reject = capturedReject;
    this.#deadlines = deadlines;
    this.#terms = terms;
    this.#timeoutMs = timeoutMs;
    this.#site = terms.site();
    deadlines.add(this, deadlines.tickIn(timeoutMs));
    if (terms.signal !== undefined) this.#follow(terms.signal);
  }

  remainingMs(): number {
    return this.#deadlines.remainingMs(this.dueTick);
  }

  answer(value: unknown): void {
    if (!this.isOpen) return;
    this.close();
    if (value instanceof Refused && !this.#terms.keepsRefusals) {
      this.#rejectForCaller(refusedError(value, this.#terms.describe()));
    } else {
      this.#resolve(value);
    }
  }

  fail(error: unknown): void {
    if (!this.isOpen) return;
    this.close();
    this.#rejectForCaller(error);
  }

  /** If nobody awaits the call, that is the fault of who made it, and not of whose turn it is. */
  #rejectForCaller(error: unknown): void {
    const { caller: owner } = this;
    const scope = owner && { owner, message: undefined, request: undefined };
    const site = this.#site;
    const isLocated = site !== undefined && isFoundationError(error);
    const located = isLocated ? calledFrom(error, site) : error;
    runIn(scope, () => this.#reject(located));
  }

  expire(): void {
    this.giveUp(timeoutError(this.#terms, this.#timeoutMs));
  }

  #follow(signal: AbortSignal): void {
    this.#onAbort = (): void => this.giveUp(abortedError(this.#terms));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Ends the call from the caller's side. */
  protected giveUp(error: FoundationError): void {
    this.fail(error);
  }

  /** Forgets the deadline and the signal. */
  protected close(): void {
    this.isOpen = false;
    this.#deadlines.remove(this);
    if (this.#onAbort !== undefined) {
      this.#terms.signal?.removeEventListener('abort', this.#onAbort);
    }
  }
}

const noArguments: readonly unknown[] = [];
const nowhereElse: readonly FarWaiter[] = [];

/** A call within one runtime: the caller's half and the message are one object. */
export class LocalCall extends Pending implements Call {
  next: Queued | undefined = undefined;
  readonly kind = 'call';
  // Set by the sender right after construction; a constructor with six parameters reads worse.
  name = '';
  args: readonly unknown[] = noArguments;
  entry: Entry | undefined = undefined;
  request: Request | undefined = undefined;
  waiter: Waiter | undefined = undefined;
  onGivenUp: (() => void) | undefined = undefined;

  get farWaiters(): readonly FarWaiter[] {
    return nowhereElse;
  }

  protected override giveUp(error: FoundationError): void {
    if (!this.isOpen) return;
    super.giveUp(error);
    this.onGivenUp?.();
  }
}

function timeoutError(terms: CallTerms, timeoutMs: number): FoundationError {
  const who = terms.describe();
  const more =
    timeoutMs < terms.timeoutMs
      ? 'That was what the time of the caller, or of the whole request, had left.'
      : 'Raise `timeoutMs`, or repeat the call if it is idempotent.';
  return new FoundationError('CALL_TIMEOUT', `${who} did not answer in time`, {
    hint: `It may still carry the call out. ${more}`,
    details: { process: who, timeoutMs },
  });
}

export function abortedError(terms: CallTerms): FoundationError {
  return new FoundationError('ABORTED', `the call to ${terms.describe()} was aborted`, {
    hint: 'It may have been carried out before the abort.',
    cause: terms.signal?.reason,
  });
}

export function refusedError(refused: Refused, who: string): FoundationError {
  return new FoundationError('REFUSED', `${who} refused: ${refused.code}`, {
    hint: 'A refusal is an expected answer; `ref.try.method()` returns it instead of throwing.',
    details: { code: refused.code, data: refused.data },
  });
}
