import { messageOf } from '../errors.ts';
import { type Ask, admit, type Reading, type Verdict } from './admission.ts';
import { digest } from './digest.ts';
import { type AgentId, type CoordinationRequest, parseReply, type SessionId } from './message.ts';
import { composeOutcome, type Outcome } from './outcome.ts';
import { clipped } from './parse.ts';
import type {
  Answer,
  AnyProtocol,
  AskEffect,
  Decision,
  PureEnv,
  SilenceCause,
  Step,
} from './protocol.ts';
import {
  type AnswerEntry,
  type LostEntry,
  type RecordEntry,
  type SessionRecord,
  type SessionSetup,
  strayAnswersMax,
} from './record.ts';

/** What a session is told. `at` is in milliseconds since its start and never goes back. */
export type SessionInput =
  | AnswerInput
  | LostEntry
  | { readonly kind: 'deadline'; readonly at: number; readonly round: number }
  | { readonly kind: 'cancel'; readonly at: number; readonly reason: string };

/** An answer as it came in; `unreadable` only when a record is replayed. */
export interface AnswerInput extends Omit<AnswerEntry, 'reply' | 'verdict'> {
  readonly answer: unknown;
}

/** What a session wants done. Either ends the round before. */
export type SessionAction<Out> =
  | RoundAction
  | { readonly kind: 'finish'; readonly outcome: Outcome<Out> };

/** Send `requests`, and say `deadline` after `budgetMs` milliseconds. */
export interface RoundAction {
  readonly kind: 'round';
  readonly round: number;
  readonly budgetMs: number;
  readonly requests: readonly CoordinationRequest[];
}

interface Round {
  readonly number: number;
  readonly closesAt: number;
  readonly asks: readonly Ask[];
  pending: number;
}

/**
 * One session, without messages and timers: same setup and same inputs, same actions and record.
 *
 * It changes in place, so that n answers cost n steps; it belongs to whoever made it.
 */
export class SessionState<Out> {
  readonly #protocol: AnyProtocol<Out>;
  readonly #setup: SessionSetup;
  readonly #env: PureEnv;
  readonly #seats: ReadonlyMap<AgentId, number>;
  readonly #asks = new Map<string, Ask>();
  readonly #entries: RecordEntry[] = [];
  #state: unknown;
  #round: Round | undefined;
  #roundCount = 0;
  #strayCount = 0;
  #dropped: number;
  #finished = false;

  constructor(protocol: AnyProtocol<Out>, setup: SessionSetup, dropped = 0) {
    this.#protocol = protocol;
    this.#setup = setup;
    this.#env = { seed: setup.seed, tie: setup.tie };
    this.#seats = new Map(setup.roster.map((id, seat) => [id, seat]));
    this.#dropped = dropped;
  }

  get id(): SessionId {
    return this.#setup.session;
  }

  get record(): SessionRecord {
    return { setup: this.#setup, entries: [...this.#entries], dropped: this.#dropped };
  }

  start(): SessionAction<Out> {
    const { spec, roster } = this.#setup;
    return this.#advance(0, () => this.#protocol.init(spec, roster, this.#env));
  }

  /** Takes one input, whatever it is worth: what does not matter any more changes nothing. */
  take(input: SessionInput): SessionAction<Out> | undefined {
    switch (input.kind) {
      case 'answer':
        this.#answer(input);
        break;
      case 'lost':
        if (!this.#settle(input.nonce, causeOf(input))) return undefined;
        this.#entries.push(input);
        break;
      case 'deadline':
        if (this.#round?.number !== input.round) return undefined;
        this.#entries.push(input);
        return this.#closeRound(input.at, this.#round);
      case 'cancel':
        if (this.#finished) return undefined;
        this.#entries.push(input);
        return this.#finish({ status: 'cancelled', detail: input.reason });
    }
    return this.#round?.pending === 0 ? this.#closeRound(input.at, this.#round) : undefined;
  }

  #answer(input: AnswerInput): void {
    const { at, from, nonce } = input;
    const reading = this.#read(input);
    const quoted = reading.reply?.nonce;
    const ask = quoted === undefined ? undefined : this.#asks.get(quoted);
    const verdict = admit(reading, {
      session: this.#setup.session,
      isMember: (id) => this.#seats.has(id),
      ask,
      from,
      isOpen: this.#isOpen(ask, at),
    });
    const counted = ask !== undefined && this.#apply(verdict, ask, reading);
    if (nonce !== undefined) {
      // The one answer this request gets has come, and it was not admitted for it.
      this.#settle(nonce, verdict === 'late' && quoted === nonce ? 'late' : 'invalid');
    } else if (!counted && ++this.#strayCount > strayAnswersMax) {
      this.#dropped++;
      return;
    }
    const back = nonce === undefined ? {} : { nonce };
    this.#entries.push({ kind: 'answer', at, from, ...back, ...reading, verdict });
  }

  /** Reads an answer without believing any of it. A body is kept only in the protocol's own form. */
  #read({ answer, unreadable }: AnswerInput): Reading {
    if (answer === undefined && unreadable !== undefined) return { unreadable };
    try {
      const envelope = parseReply(answer);
      if (!envelope.ok) return { unreadable: envelope.reason };
      const { body, ...reply } = envelope.value;
      if (unreadable !== undefined) return { reply, unreadable };
      const ask = this.#asks.get(reply.nonce);
      if (ask === undefined || reply.status !== 'ok') return { reply };
      const read = this.#protocol.parseReply(ask.request.type, body);
      return read.ok
        ? { reply: { ...reply, body: read.value } }
        : { reply, unreadable: clipped(read.reason, 200) };
    } catch (error) {
      // A getter of a hostile local object, or a parser that cannot cope with it.
      return { unreadable: clipped(messageOf(error), 200) };
    }
  }

  #isOpen(ask: Ask | undefined, at: number): boolean {
    const round = this.#round;
    return round !== undefined && ask?.request.round === round.number && at <= round.closesAt;
  }

  /** Whether the verdict changes what counts for this request. */
  #apply(verdict: Verdict, ask: Ask, { reply }: Reading): boolean {
    const from = ask.request.to;
    if (verdict === 'equivocation') {
      if (ask.answer?.kind === 'silent') return false;
      ask.answer = { kind: 'silent', from, cause: 'equivocation' };
      return true;
    }
    if (reply === undefined || (verdict !== 'accepted' && verdict !== 'declined')) return false;
    ask.reply = reply;
    ask.answer =
      verdict === 'accepted'
        ? { kind: 'ok', from, body: reply.body }
        : { kind: 'declined', from, reason: reply.reason ?? '' };
    if (this.#round !== undefined) this.#round.pending--;
    return true;
  }

  /** Gives up on a request that is still without an answer. */
  #settle(nonce: string, cause: SilenceCause): boolean {
    const ask = this.#asks.get(nonce);
    if (ask === undefined || ask.answer !== undefined || this.#round === undefined) return false;
    ask.answer = { kind: 'silent', from: ask.request.to, cause };
    this.#round.pending--;
    return true;
  }

  #closeRound(at: number, round: Round): SessionAction<Out> {
    this.#round = undefined;
    const answers = round.asks.map((ask): Answer<unknown> => {
      ask.answer ??= { kind: 'silent', from: ask.request.to, cause: 'timeout' };
      return ask.answer;
    });
    const replies = answers.filter(({ kind }) => kind === 'ok').length;
    if (replies < this.#setup.minReplies) return this.#finish({ status: 'no_quorum' });
    const event = { kind: 'round_closed', round: round.number, answers } as const;
    return this.#advance(at, () => this.#protocol.on(this.#state, event, this.#env));
  }

  #advance(at: number, transition: () => Step<unknown, Out>): SessionAction<Out> {
    try {
      const step = transition();
      this.#state = step.state;
      const finish = step.effects.find(({ kind }) => kind === 'finish');
      if (finish?.kind === 'finish') return this.#finish(finish.decision);
      return this.#openRound(
        at,
        step.effects.filter((effect) => effect.kind === 'ask'),
      );
    } catch (error) {
      return this.#finish({ status: 'failed', detail: messageOf(error) });
    }
  }

  #openRound(at: number, effects: readonly AskEffect[]): SessionAction<Out> {
    const { roster, deadlineMs } = this.#setup;
    const leftMs = deadlineMs - at;
    const number = ++this.#roundCount;
    if (effects.length === 0) return this.#fail('asked nobody and did not finish');
    if (leftMs <= 0 || number > this.#protocol.traits.maxRounds(roster.length)) {
      return this.#finish({ status: 'limit_reached' });
    }
    const budgetMs = Math.min(leftMs, Math.max(...effects.map((e) => e.budgetMs ?? leftMs)));
    const asked = effects.flatMap((effect) => effect.to.map((to) => ({ to, effect })));
    const stranger = asked.find(({ to }) => !this.#seats.has(to));
    if (stranger !== undefined) return this.#fail(`asked ${stranger.to}, who is not in the roster`);
    if (new Set(asked.map(({ to }) => to)).size < asked.length) {
      return this.#fail(`asked somebody twice in round ${number}`);
    }
    const seat = (id: AgentId): number => this.#seats.get(id) ?? 0;
    const asks = asked
      .toSorted((left, right) => seat(left.to) - seat(right.to))
      .map(({ to, effect }) => this.#ask(at, { to, effect, budgetMs }));
    this.#round = { number, closesAt: at + budgetMs, asks, pending: asks.length };
    if (asks.length === 0) return this.#closeRound(at, this.#round);
    const requests = asks.map(({ request }) => request);
    return { kind: 'round', round: number, budgetMs, requests };
  }

  #ask(at: number, ask: { to: AgentId; effect: AskEffect; budgetMs: number }): Ask {
    const { session, protocol, protocolVersion, nonceKey, epoch } = this.#setup;
    const { to, effect, budgetMs } = ask;
    const [round, seq] = [this.#roundCount, this.#asks.size + 1];
    const request: CoordinationRequest = {
      kind: 'mabeam.coordination.request',
      v: 1,
      session,
      protocol,
      protocolVersion,
      type: effect.type,
      to,
      round,
      seq,
      epoch,
      nonce: digest(nonceKey, session, seq).slice(0, 32),
      budgetMs,
      idempotencyKey: `${session}|${round}|${effect.type}|${to}`,
      body: effect.body,
    };
    const made: Ask = { request };
    this.#asks.set(request.nonce, made);
    this.#entries.push({ kind: 'request', at, request });
    return made;
  }

  #fail(what: string): SessionAction<Out> {
    return this.#finish({ status: 'failed', detail: `${this.#setup.protocol} ${what}` });
  }

  #finish(decision: Decision<Out>): SessionAction<Out> {
    this.#finished = true;
    this.#round = undefined;
    const outcome = composeOutcome(decision, [...this.#asks.values()], this.record);
    return { kind: 'finish', outcome };
  }
}

function causeOf({ cause }: LostEntry): SilenceCause {
  return cause === 'error' ? 'invalid' : cause;
}
