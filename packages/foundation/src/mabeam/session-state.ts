import { messageOf } from '../errors.ts';
import { type Ask, admit, type Reading, type Verdict } from './admission.ts';
import {
  type AgentId,
  type CoordinationReply,
  type CoordinationRequest,
  parseReply,
  type SessionId,
} from './message.ts';
import { nonceOf } from './nonce.ts';
import { composeOutcome, type Outcome } from './outcome.ts';
import { clipped } from './parse.ts';
import type {
  Answer,
  AnyProtocol,
  AskEffect,
  Decision,
  Effect,
  EmitEffect,
  PureEnv,
  SilenceCause,
  Step,
  TellEffect,
} from './protocol.ts';
import {
  type AnswerEntry,
  type HeardEntry,
  type LostEntry,
  type RecordEntry,
  type SessionRecord,
  type SessionSetup,
  strayAnswersMax,
} from './record.ts';
import type { SolverJob, SolverResult } from './solver.ts';

/** What a session is told. `at` is in milliseconds since its start and never goes back. */
export type SessionInput = AnswerInput | Exclude<HeardEntry, AnswerEntry>;

/** An answer as it came in; `unreadable` only when a record is replayed. */
export interface AnswerInput extends Omit<AnswerEntry, 'reply' | 'verdict'> {
  readonly answer: unknown;
}

/** What a session wants done; it ends what was being done before. Notices go out first. */
export type SessionAction<Out> = {
  readonly notices: readonly CoordinationRequest[];
} & (RoundAction | SolveAction | { readonly kind: 'finish'; readonly outcome: Outcome<Out> });

/** Send `requests`, and say `deadline` after `budgetMs` milliseconds. */
export interface RoundAction {
  readonly kind: 'round';
  readonly round: number;
  readonly budgetMs: number;
  readonly requests: readonly CoordinationRequest[];
}

/** Have `job` solved, and say `solved` after at most `budgetMs` milliseconds. */
export interface SolveAction {
  readonly kind: 'solve';
  readonly job: SolverJob;
  readonly budgetMs: number;
}

interface Round {
  readonly number: number;
  readonly closesAt: number;
  readonly asks: readonly Ask[];
  /** Whether it closes when an addressee is lost. */
  readonly isBreakable: boolean;
  pending: number;
  /** Whether an addressee was lost. */
  isBroken: boolean;
}

/** A reply, if there is one, and when it came. */
interface Admitted {
  readonly reply: CoordinationReply | undefined;
  readonly at: number;
}

/** Somebody who is to be asked, and by which effect. */
interface Asking {
  readonly to: AgentId;
  readonly effect: AskEffect;
  readonly seat: number;
}

/** A problem that is being solved. */
interface Job {
  readonly job: SolverJob;
  readonly closesAt: number;
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
  #job: Job | undefined;
  /** How the session ended. */
  #outcome: Outcome<Out> | undefined;
  /** Of the last step. */
  #notices: readonly CoordinationRequest[] = [];
  #epoch: number;
  #roundCount = 0;
  #seq = 0;
  #strayCount = 0;
  #dropped: number;

  constructor(protocol: AnyProtocol<Out>, setup: SessionSetup, dropped = 0) {
    this.#protocol = protocol;
    this.#setup = setup;
    this.#env = { seed: setup.seed, tie: setup.tie };
    this.#seats = new Map(setup.roster.map((id, seat) => [id, seat]));
    this.#epoch = setup.epoch;
    this.#dropped = dropped;
  }

  get id(): SessionId {
    return this.#setup.session;
  }

  get setup(): SessionSetup {
    return this.#setup;
  }

  get record(): SessionRecord {
    return { setup: this.#setup, entries: [...this.#entries], dropped: this.#dropped };
  }

  /** Entries so far; they only grow. */
  get entries(): readonly RecordEntry[] {
    return this.#entries;
  }

  /** Rounds so far. */
  get round(): number {
    return this.#roundCount;
  }

  get epoch(): number {
    return this.#epoch;
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
      case 'solved':
        if (this.#job === undefined) return undefined;
        this.#entries.push(input);
        return this.#solved(input.at, input.result);
      case 'resume':
        this.#entries.push(input);
        return this.#resume(input.at, input.epoch);
      case 'cancel':
        if (this.#outcome !== undefined) return undefined;
        this.#entries.push(input);
        return this.#stop(input.at, { status: 'cancelled', detail: input.reason });
      case 'fail':
        // Even after the end: what was decided and not written down was never decided.
        this.#entries.push(input);
        this.#notices = [];
        return this.#finish({ status: 'failed', detail: input.reason });
    }
    const round = this.#round;
    if (round === undefined) return undefined;
    const isOver = round.pending === 0 || (round.isBreakable && round.isBroken);
    return isOver ? this.#closeRound(input.at, round) : undefined;
  }

  #answer(input: AnswerInput): void {
    const { at, from, nonce } = input;
    const reading = this.#read(input);
    const { reply } = reading;
    const ask = reply === undefined ? undefined : this.#asks.get(reply.nonce);
    const verdict = admit(reading, {
      session: this.#setup.session,
      isMember: this.#seats.has(from),
      ask,
      from,
      isOpen: this.#isOpen(ask, at),
    });
    const counted = ask !== undefined && this.#apply(verdict, ask, { at, reply });
    if (nonce !== undefined) {
      // The one answer this request gets has come, and it was not admitted for it.
      this.#settle(nonce, verdict === 'late' && reply?.nonce === nonce ? 'late' : 'invalid');
    } else if (!counted && ++this.#strayCount > strayAnswersMax) {
      this.#dropped++;
      return;
    }
    this.#entries.push(answerEntry(input, reading, verdict));
  }

  /** Reads an answer without believing any of it. A body is kept only in the protocol's own form. */
  #read({ answer, unreadable }: AnswerInput): Reading {
    if (answer === undefined && unreadable !== undefined) return { unreadable };
    try {
      const envelope = parseReply(answer);
      if (!envelope.ok) return { unreadable: envelope.reason };
      const reply = envelope.value;
      if (unreadable !== undefined) return { reply: withoutBody(reply), unreadable };
      const ask = this.#asks.get(reply.nonce);
      if (ask === undefined || reply.status !== 'ok') return { reply: withoutBody(reply) };
      const read = this.#protocol.parseReply(ask.request.type, reply.body);
      return read.ok
        ? { reply: { ...reply, body: read.value } }
        : { reply: withoutBody(reply), unreadable: clipped(read.reason, 200) };
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
  #apply(verdict: Verdict, ask: Ask, { reply, at }: Admitted): boolean {
    const from = ask.request.to;
    if (verdict === 'equivocation') {
      if (ask.answer?.kind === 'silent') return false;
      ask.answer = { kind: 'silent', from, cause: 'equivocation' };
      if (this.#round !== undefined) this.#round.isBroken = true;
      return true;
    }
    if (reply === undefined || (verdict !== 'accepted' && verdict !== 'declined')) return false;
    ask.reply = reply;
    ask.answer =
      verdict === 'accepted'
        ? { kind: 'ok', from, body: reply.body, at }
        : { kind: 'declined', from, reason: reply.reason ?? '' };
    this.#count(verdict === 'accepted');
    return true;
  }

  /** One answer less to wait for. */
  #count(isGood: boolean): void {
    if (this.#round === undefined) return;
    this.#round.pending--;
    this.#round.isBroken ||= !isGood;
  }

  /** Gives up on a request that is still without an answer. */
  #settle(nonce: string, cause: SilenceCause): boolean {
    const ask = this.#asks.get(nonce);
    if (ask === undefined || ask.answer !== undefined || this.#round === undefined) return false;
    ask.answer = { kind: 'silent', from: ask.request.to, cause };
    this.#count(false);
    return true;
  }

  #closeRound(at: number, round: Round): SessionAction<Out> {
    this.#round = undefined;
    const answers = round.asks.map((ask): Answer<unknown> => {
      ask.answer ??= { kind: 'silent', from: ask.request.to, cause: 'timeout' };
      return ask.answer;
    });
    const replies = answers.filter(({ kind }) => kind === 'ok').length;
    const isWhole = answers.length === this.#setup.roster.length;
    if (isWhole && replies < this.#setup.quorum) return this.#stop(at, { status: 'no_quorum' });
    const event = { kind: 'round_closed', round: round.number, answers } as const;
    return this.#advance(at, () => this.#protocol.on(this.#state, event, this.#env));
  }

  #solved(at: number, result: SolverResult): SessionAction<Out> {
    this.#job = undefined;
    return this.#advance(at, () => {
      const step = this.#protocol.solved?.(this.#state, result, this.#env);
      if (step !== undefined) return step;
      throw new Error(`${this.#protocol.name} had something solved and does not listen`);
    });
  }

  #advance(at: number, transition: () => Step<unknown, Out>): SessionAction<Out> {
    this.#notices = [];
    try {
      const step = transition();
      this.#state = step.state;
      return this.#perform(at, step.effects);
    } catch (error) {
      return this.#finish({ status: 'failed', detail: messageOf(error) });
    }
  }

  #perform(at: number, effects: readonly Effect<Out>[]): SessionAction<Out> {
    const { asks, others, tells, emits } = sorted(effects);
    const [other] = others;
    if ((asks.length > 0 ? 1 : 0) + others.length !== 1) {
      return this.#fail('did not do one thing: ask, wait, have something solved, or finish');
    }
    const stranger = this.#strangerIn(asks) ?? this.#strangerIn(tells);
    if (stranger !== undefined) {
      return this.#fail(`addressed ${stranger}, who is not in the roster`);
    }
    for (const emit of emits) this.#entries.push({ ...emit, at });
    this.#tell(at, tells);
    if (other?.kind === 'finish') return this.#finish(other.decision);
    const leftMs = this.#setup.deadlineMs - at;
    if (leftMs <= 0) return this.#leave(at, { status: 'limit_reached' });
    if (other?.kind !== 'solve') return this.#openRound(at, asks, other?.forMs);
    const budgetMs = Math.min(leftMs, other.job.budgetMs ?? leftMs);
    this.#job = { job: other.job, closesAt: at + budgetMs };
    return this.#action({ kind: 'solve', job: other.job, budgetMs });
  }

  #strangerIn(effects: readonly { readonly to: readonly AgentId[] }[]): AgentId | undefined {
    for (const { to } of effects) {
      const stranger = to.find((id) => !this.#seats.has(id));
      if (stranger !== undefined) return stranger;
    }
    return undefined;
  }

  /** A round without anybody lasts for `forMs`. */
  // oxlint-disable-next-line max-params -- when, whom, and how long if it is nobody
  #openRound(at: number, effects: readonly AskEffect[], forMs?: number): SessionAction<Out> {
    const { roster, deadlineMs } = this.#setup;
    const leftMs = deadlineMs - at;
    const number = ++this.#roundCount;
    if (number > this.#protocol.traits.maxRounds(roster.length)) {
      return this.#leave(at, { status: 'limit_reached' });
    }
    const budgets = effects.map(
      ({ budgetMs: wanted, budgetShare = 1 }) => wanted ?? leftMs * budgetShare,
    );
    const budgetMs = Math.min(leftMs, forMs ?? budgets.reduce((most, ms) => Math.max(most, ms), 0));
    const asked = this.#bySeat(effects);
    if (asked === undefined) return this.#fail(`asked somebody twice in round ${number}`);
    const asks = asked.map(({ to, effect }) => this.#ask(at, { to, effect, budgetMs }));
    const isBreakable = effects.some(({ until }) => until === 'loss');
    const round = { number, closesAt: at + budgetMs, asks, isBreakable, isBroken: false };
    this.#round = { ...round, pending: asks.length };
    if (asks.length === 0 && forMs === undefined) return this.#closeRound(at, this.#round);
    const requests = asks.map(({ request }) => request);
    return this.#action({ kind: 'round', round: number, budgetMs, requests });
  }

  /** Whom effects ask, in the order of the roster; none when they ask somebody twice. */
  #bySeat(effects: readonly AskEffect[]): readonly Asking[] | undefined {
    const asked = effects.flatMap((effect) =>
      effect.to.map((to): Asking => ({ to, effect, seat: this.#seats.get(to) ?? 0 })),
    );
    // Most protocols ask in that order: sorting what is sorted takes n steps.
    asked.sort((left, right) => left.seat - right.seat);
    const isTwice = asked.some(({ seat }, index) => asked[index + 1]?.seat === seat);
    return isTwice ? undefined : asked;
  }

  /** Does again what was under way: whoever did it before may be gone, and who was told may not have heard. */
  #resume(at: number, epoch: number): SessionAction<Out> | undefined {
    this.#epoch = epoch;
    this.#notices = this.#notices.map((notice) => ({ ...notice, epoch }));
    if (this.#outcome !== undefined) {
      return this.#action({ kind: 'finish', outcome: this.#outcome });
    }
    if (this.#job !== undefined) {
      const { job, closesAt } = this.#job;
      return this.#action({ kind: 'solve', job, budgetMs: Math.max(closesAt - at, 0) });
    }
    if (this.#round === undefined) return undefined;
    const { number, closesAt, asks } = this.#round;
    const budgetMs = Math.max(closesAt - at, 0);
    const open = asks.filter(({ answer }) => answer === undefined);
    for (const ask of open) {
      ask.request = { ...ask.request, epoch, budgetMs };
      this.#entries.push({ kind: 'request', at, request: ask.request });
    }
    const requests = open.map(({ request }) => request);
    return this.#action({ kind: 'round', round: number, budgetMs, requests });
  }

  #action(
    action: RoundAction | SolveAction | { readonly kind: 'finish'; readonly outcome: Outcome<Out> },
  ): SessionAction<Out> {
    return { ...action, notices: this.#notices };
  }

  #ask(at: number, ask: { to: AgentId; effect: AskEffect; budgetMs: number }): Ask {
    const made: Ask = { request: this.#request(ask), reply: undefined, answer: undefined };
    this.#asks.set(made.request.nonce, made);
    this.#entries.push({ kind: 'request', at, request: made.request });
    return made;
  }

  // oxlint-disable-next-line max-params -- when, to whom, what
  #notice(at: number, to: AgentId, effect: TellEffect): CoordinationRequest {
    const request = this.#request({ to, effect, budgetMs: 0 });
    this.#entries.push({ kind: 'notice', at, request });
    return request;
  }

  #request({
    to,
    effect,
    budgetMs,
  }: {
    to: AgentId;
    effect: AskEffect | TellEffect;
    budgetMs: number;
  }): CoordinationRequest {
    const { session, protocol, protocolVersion, nonceKey } = this.#setup;
    const [round, seq] = [this.#roundCount, ++this.#seq];
    // In the order of canonical JSON, which costs the audit log less.
    return {
      body: effect.body,
      budgetMs,
      epoch: this.#epoch,
      idempotencyKey: `${session}|${round}|${effect.type}|${to}`,
      kind: 'mabeam.coordination.request',
      nonce: nonceOf({ session, nonceKey }, seq),
      protocol,
      protocolVersion,
      round,
      seq,
      session,
      to,
      type: effect.type,
      v: 1,
    };
  }

  #fail(what: string): SessionAction<Out> {
    return this.#finish({ status: 'failed', detail: `${this.#setup.protocol} ${what}` });
  }

  /** Ends it between two steps: the notices of the last one have gone out. */
  #stop(at: number, decision: Decision<Out>): SessionAction<Out> {
    this.#notices = [];
    return this.#leave(at, decision);
  }

  /** Ends it otherwise than the protocol wanted, which may tell those it leaves. */
  #leave(at: number, decision: Decision<Out>): SessionAction<Out> {
    try {
      const tells = this.#protocol.stopped?.(this.#state) ?? [];
      const members = tells.map((tell) => ({
        ...tell,
        to: tell.to.filter((id) => this.#seats.has(id)),
      }));
      this.#tell(at, members);
    } catch (error) {
      return this.#finish({ status: 'failed', detail: messageOf(error) });
    }
    return this.#finish(decision);
  }

  /** Adds notices to those of this step. */
  #tell(at: number, tells: readonly TellEffect[]): void {
    const notices = tells.flatMap((tell) => tell.to.map((to) => this.#notice(at, to, tell)));
    this.#notices = [...this.#notices, ...notices];
  }

  #finish(decision: Decision<Out>): SessionAction<Out> {
    this.#round = undefined;
    this.#job = undefined;
    this.#outcome = composeOutcome(decision, [...this.#asks.values()], this.record);
    return this.#action({ kind: 'finish', outcome: this.#outcome });
  }
}

/** In one shape for nearly all answers: those that were asked for and could be read. */
// oxlint-disable-next-line max-params -- what came in, how it was read, what it was worth
function answerEntry(
  { at, from, nonce }: AnswerInput,
  reading: Reading,
  verdict: Verdict,
): AnswerEntry {
  const { reply, unreadable } = reading;
  if (nonce !== undefined && reply !== undefined && unreadable === undefined) {
    return { kind: 'answer', at, from, nonce, reply, verdict };
  }
  return {
    kind: 'answer',
    at,
    from,
    ...(nonce === undefined ? {} : { nonce }),
    ...reading,
    verdict,
  };
}

function withoutBody(reply: CoordinationReply): CoordinationReply {
  const { body, ...head } = reply;
  return body === undefined ? reply : head;
}

function causeOf({ cause }: LostEntry): SilenceCause {
  return cause === 'error' ? 'invalid' : cause;
}

/** Effects by what is done with them. */
function sorted<Out>(effects: readonly Effect<Out>[]): {
  readonly asks: readonly AskEffect[];
  readonly tells: readonly TellEffect[];
  readonly emits: readonly EmitEffect[];
  readonly others: readonly Exclude<Effect<Out>, AskEffect | TellEffect | EmitEffect>[];
} {
  const asks: AskEffect[] = [];
  const tells: TellEffect[] = [];
  const emits: EmitEffect[] = [];
  const others: Exclude<Effect<Out>, AskEffect | TellEffect | EmitEffect>[] = [];
  for (const effect of effects) {
    if (effect.kind === 'ask') asks.push(effect);
    else if (effect.kind === 'tell') tells.push(effect);
    else if (effect.kind === 'emit') emits.push(effect);
    else others.push(effect);
  }
  return { asks, tells, emits, others };
}
