import type { Clock } from '../clock.ts';
import { isFoundationError, messageOf } from '../errors.ts';
import type { AgentId, CoordinationRequest, SessionId } from './message.ts';
import type { Outcome } from './outcome.ts';
import { clipped } from './parse.ts';
import { encodeRecord } from './record-codec.ts';
import type { LostCause, RecordEntry, SessionRecord, SessionSetup } from './record.ts';
import type {
  RoundAction,
  SessionAction,
  SessionInput,
  SessionState,
  SolveAction,
} from './session-state.ts';
import type { Solver, SolverResult } from './solver.ts';
import { within } from './within.ts';

/** A participant, as its messenger finds it. */
export interface ParticipantRef {
  readonly id: AgentId;
  /** Where it lives, in the messenger's own terms. Without it the messenger looks the id up. */
  readonly process?: unknown;
}

/** How requests reach participants. */
export interface Messenger {
  /**
   * Sends one request and waits for its answer, whatever that is.
   *
   * A FoundationError with code `NODE_DOWN`, `PROCESS_DOWN` or `NO_PROCESS` says at once that there
   * will be no answer, `CALL_TIMEOUT` that time is up; any other error makes the answer invalid.
   *
   * @param options - `timeoutMs`: milliseconds the answer is wanted for. `signal`: aborted when the
   * round ends; nobody listens any more.
   */
  ask(
    participant: ParticipantRef,
    request: CoordinationRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<unknown>;
  /** Sends a request that nobody answers; it may be lost. */
  tell(participant: ParticipantRef, notice: CoordinationRequest): void;
}

/** A coordination under way. What is iterated is its record, entry by entry, until the session has ended. */
export interface Session<Out> extends AsyncIterable<RecordEntry> {
  readonly id: SessionId;
  /**
   * Never rejects, and settles by the session's deadline; up to a second later when the end of a
   * durable session has to be written down.
   */
  readonly outcome: Promise<Outcome<Out>>;
  /** Everything up to now. After the end, answers that came too late are still added to it. */
  readonly record: SessionRecord;
  /** Ends the session as `cancelled`, unless it has ended. */
  cancel(reason: string): void;
  /** All that another coordinator needs to go on from here, in Foundation's codec. */
  snapshot(): Uint8Array;
}

/** What a session stands on. */
export interface SessionWorld {
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly solver: Solver;
}

/** Where a session writes what it is about to do, before it does it. */
export type WriteAhead = (record: SessionRecord) => Promise<void>;

/** Milliseconds that the end of a session may take longer to be written than it has left. */
const writeGraceMs = 1_000;

/** Milliseconds that a solver may take longer than it was given, within what the session has left. */
const solverGraceMs = 500;

/** Part of the time that is left for a solver to use; the rest is for its answer to come back. */
const solverShare = 0.9;

/** Carries out what a {@link SessionState} wants done. */
export class LiveSession<Out> implements Session<Out> {
  readonly id: SessionId;
  readonly outcome: Promise<Outcome<Out>>;
  readonly #state: SessionState<Out>;
  readonly #participants: ReadonlyMap<AgentId, ParticipantRef>;
  readonly #world: SessionWorld;
  readonly #writeAhead: WriteAhead | undefined;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<Outcome<Out>>();
  /** What is under way now: a newer action has another. */
  #current = new AbortController();
  #written: Promise<void> = Promise.resolve();
  /** What those wait for who have seen all there is. */
  #news: PromiseWithResolvers<void> | undefined;
  #hasEnded = false;

  // What it does, who takes part, what it stands on.
  // oxlint-disable-next-line max-params
  constructor(
    state: SessionState<Out>,
    participants: ReadonlyMap<AgentId, ParticipantRef>,
    world: SessionWorld,
    writeAhead?: WriteAhead,
  ) {
    this.id = state.id;
    this.#state = state;
    this.#participants = participants;
    this.#world = world;
    this.#writeAhead = writeAhead;
    // One that goes on has been at work before.
    this.#startedAt = world.clock.now() - (state.entries.at(-1)?.at ?? 0);
    this.outcome = this.#ended.promise;
  }

  get record(): SessionRecord {
    return this.#state.record;
  }

  get setup(): SessionSetup {
    return this.#state.setup;
  }

  get rounds(): number {
    return this.#state.round;
  }

  get epoch(): number {
    return this.#state.epoch;
  }

  /** Asks the first questions. */
  begin(): void {
    this.#act(this.#state.start());
  }

  /** Goes on where another has stopped. */
  resume(epoch: number): void {
    this.#take({ kind: 'resume', at: this.#at(), epoch });
  }

  cancel(reason: string): void {
    this.#take({ kind: 'cancel', at: this.#at(), reason });
  }

  snapshot(): Uint8Array {
    return encodeRecord(this.record);
  }

  /** Takes an answer that is not the one an `ask` waits for: a repeat, a second or a late one. */
  receive(from: AgentId, answer: unknown): void {
    this.#take({ kind: 'answer', at: this.#at(), from, answer });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordEntry, void> {
    for (let next = 0; ; next++) {
      while (next >= this.#state.entries.length) {
        if (this.#hasEnded) return;
        this.#news ??= Promise.withResolvers();
        await this.#news.promise;
      }
      const entry = this.#state.entries[next];
      if (entry !== undefined) yield entry;
    }
  }

  #at(): number {
    return this.#world.clock.now() - this.#startedAt;
  }

  #leftMs(): number {
    return Math.max(this.setup.deadlineMs - this.#at(), 0);
  }

  #take(input: SessionInput): void {
    const action = this.#state.take(input);
    if (action === undefined) this.#tellNews();
    else this.#act(action);
  }

  #tellNews(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  #act(action: SessionAction<Out>): void {
    this.#current.abort();
    const current = new AbortController();
    this.#current = current;
    this.#tellNews();
    if (this.#writeAhead === undefined) this.#perform(action, current.signal);
    else void this.#performWhenWritten(action, this.#writeAhead, current.signal);
  }

  // oxlint-disable-next-line max-params -- what, after what, and unless
  async #performWhenWritten(
    action: SessionAction<Out>,
    writeAhead: WriteAhead,
    signal: AbortSignal,
  ): Promise<void> {
    const { record } = this;
    const written = this.#written.then(() => writeAhead(record));
    this.#written = written.catch(() => undefined);
    const graceMs = action.kind === 'finish' ? writeGraceMs : 0;
    try {
      await within(written, { clock: this.#world.clock, ms: this.#leftMs() + graceMs });
    } catch (error) {
      return this.#fail(`its record could not be written: ${messageOf(error)}`);
    }
    this.#perform(action, signal);
  }

  #perform(action: SessionAction<Out>, signal: AbortSignal): void {
    for (const notice of action.notices) this.#tell(notice);
    if (action.kind === 'finish') return this.#end(action.outcome);
    if (signal.aborted) return;
    if (action.kind === 'solve') void this.#solve(action, signal);
    else this.#open(action, signal);
  }

  /** Nobody may be told of what is not on record: another coordinator may decide otherwise. */
  #fail(detail: string): void {
    if (this.#hasEnded) return;
    this.#current.abort();
    const failed = this.#state.take({ kind: 'fail', at: this.#at(), reason: detail });
    if (failed?.kind === 'finish') this.#end(failed.outcome);
  }

  #end(outcome: Outcome<Out>): void {
    this.#hasEnded = true;
    this.#ended.resolve(outcome);
    this.#tellNews();
  }

  #open({ round, budgetMs, requests }: RoundAction, signal: AbortSignal): void {
    const timer = this.#world.clock.after(budgetMs, () => {
      this.#take({ kind: 'deadline', at: this.#at(), round });
    });
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
    for (const request of requests) void this.#ask(request, signal);
  }

  async #solve({ job, budgetMs }: SolveAction, signal: AbortSignal): Promise<void> {
    const { clock, solver } = this.#world;
    const solved = (result: SolverResult): void => {
      if (!signal.aborted) this.#take({ kind: 'solved', at: this.#at(), result });
    };
    const leftMs = this.#leftMs();
    const timer = clock.after(Math.min(budgetMs + solverGraceMs, leftMs), () =>
      solved({ status: 'limit', solver: 'none', detail: 'the solver did not answer' }),
    );
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
    try {
      const options = { budgetMs: Math.min(budgetMs, leftMs * solverShare), signal };
      solved(await solver.solve(job, options));
    } catch (error) {
      solved({ status: 'failed', solver: 'none', detail: clipped(messageOf(error), 200) });
    }
  }

  #tell(notice: CoordinationRequest): void {
    try {
      this.#world.messenger.tell(this.#participant(notice.to), notice);
    } catch {
      // It may be lost.
    }
  }

  async #ask(request: CoordinationRequest, signal: AbortSignal): Promise<void> {
    const { to: from, nonce, budgetMs: timeoutMs } = request;
    let input: SessionInput;
    try {
      const answer = await this.#world.messenger.ask(this.#participant(from), request, {
        timeoutMs,
        signal,
      });
      input = { kind: 'answer', at: this.#at(), from, nonce, answer };
    } catch (error) {
      const detail = clipped(messageOf(error), 200);
      input = { kind: 'lost', at: this.#at(), from, nonce, cause: causeOf(error), detail };
    }
    this.#take(input);
  }

  #participant(id: AgentId): ParticipantRef {
    return this.#participants.get(id) ?? { id };
  }
}

function causeOf(error: unknown): LostCause {
  switch (isFoundationError(error) ? error.code : 'INTERNAL') {
    case 'NODE_DOWN':
    case 'PROCESS_DOWN':
    case 'NO_PROCESS':
      return 'down';
    case 'CALL_TIMEOUT':
      return 'timeout';
    default:
      return 'error';
  }
}
