import type { Clock, Timer } from '../clock.ts';
import { isFoundationError, messageOf } from '../errors.ts';
import type { AgentId, CoordinationRequest, SessionId } from './message.ts';
import type { Outcome } from './outcome.ts';
import { clipped } from './parse.ts';
import type { LostCause, SessionRecord } from './record.ts';
import type { RoundAction, SessionAction, SessionInput, SessionState } from './session-state.ts';

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
}

/** A coordination under way. */
export interface Session<Out> {
  readonly id: SessionId;
  /** Never rejects, and settles by the session's deadline. */
  readonly outcome: Promise<Outcome<Out>>;
  /** Everything up to now. After the end, answers that came too late are still added to it. */
  readonly record: SessionRecord;
  /** Ends the session as `cancelled`, unless it has ended. */
  cancel(reason: string): void;
}

/** Carries out what a {@link SessionState} wants done. */
export class LiveSession<Out> implements Session<Out> {
  readonly id: SessionId;
  readonly outcome: Promise<Outcome<Out>>;
  readonly #state: SessionState<Out>;
  readonly #participants: ReadonlyMap<AgentId, ParticipantRef>;
  readonly #messenger: Messenger;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #finish: (outcome: Outcome<Out>) => void;
  #timer: Timer | undefined;
  #asking: AbortController | undefined;

  constructor(
    state: SessionState<Out>,
    participants: ReadonlyMap<AgentId, ParticipantRef>,
    world: { readonly messenger: Messenger; readonly clock: Clock },
  ) {
    this.id = state.id;
    this.#state = state;
    this.#participants = participants;
    this.#messenger = world.messenger;
    this.#clock = world.clock;
    this.#startedAt = world.clock.now();
    const { promise, resolve } = Promise.withResolvers<Outcome<Out>>();
    this.outcome = promise;
    this.#finish = resolve;
  }

  get record(): SessionRecord {
    return this.#state.record;
  }

  /** Asks the first questions. */
  begin(): void {
    this.#perform(this.#state.start());
  }

  cancel(reason: string): void {
    this.#take({ kind: 'cancel', at: this.#at(), reason });
  }

  /** Takes an answer that is not the one an `ask` waits for: a repeat, a second or a late one. */
  receive(from: AgentId, answer: unknown): void {
    this.#take({ kind: 'answer', at: this.#at(), from, answer });
  }

  #at(): number {
    return this.#clock.now() - this.#startedAt;
  }

  #take(input: SessionInput): void {
    const action = this.#state.take(input);
    if (action !== undefined) this.#perform(action);
  }

  #perform(action: SessionAction<Out>): void {
    this.#timer?.cancel();
    this.#asking?.abort();
    if (action.kind === 'finish') this.#finish(action.outcome);
    else this.#open(action);
  }

  #open({ round, budgetMs, requests }: RoundAction): void {
    const asking = new AbortController();
    this.#asking = asking;
    this.#timer = this.#clock.after(budgetMs, () => {
      this.#take({ kind: 'deadline', at: this.#at(), round });
    });
    for (const request of requests) void this.#ask(request, asking.signal);
  }

  async #ask(request: CoordinationRequest, signal: AbortSignal): Promise<void> {
    const { to: from, nonce, budgetMs: timeoutMs } = request;
    const participant = this.#participants.get(from) ?? { id: from };
    let input: SessionInput;
    try {
      const answer = await this.#messenger.ask(participant, request, { timeoutMs, signal });
      input = { kind: 'answer', at: this.#at(), from, nonce, answer };
    } catch (error) {
      const detail = clipped(messageOf(error), 200);
      input = { kind: 'lost', at: this.#at(), from, nonce, cause: causeOf(error), detail };
    }
    this.#take(input);
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
