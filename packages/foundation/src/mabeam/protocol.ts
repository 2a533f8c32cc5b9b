import type { AgentId } from './message.ts';
import type { Parsed } from './parse.ts';
import type { SolverJob, SolverResult } from './solver.ts';

/**
 * A way to decide something together: an auction, a vote, a barrier.
 *
 * A protocol is a pure state machine. It never sends, waits or reads a clock: `init` and `on`
 * return the next state and effects, and the engine carries them out. Rounds are what it asks:
 * the `ask` effects of one step make one round with one shared deadline. When each addressee has
 * answered, declined, died or let the deadline pass, `on` receives every answer at once, in the
 * order of the roster and never in that of arrival. So an outcome depends on the spec, the roster,
 * the seed and the answers, and on nothing else.
 *
 * A step finishes, asks, waits or has a problem solved: one of these, with as many notices and
 * events as it likes. One that does none of them or several, addresses somebody outside the roster,
 * or throws ends the session as `failed`; more rounds than `traits.maxRounds` or no time left as
 * `limit_reached`.
 *
 * `Spec` is what is to be decided, `Rep` the bodies of accepted replies, `S` the protocol's own
 * state, `Out` the result of a decided session.
 */
export interface Protocol<Spec, Rep, S, Out> {
  /** Such as `auction.vickrey`. */
  readonly name: string;
  readonly version: string;
  readonly traits: ProtocolTraits;
  /** Checks a spec before anybody is asked. What it returned, it accepts again unchanged. */
  parseSpec(spec: unknown): Parsed<Spec>;
  /** Checks the body of an `ok` reply to a request of `type`. What it returned, it accepts again unchanged. */
  parseReply(type: string, body: unknown): Parsed<Rep>;
  init(spec: Spec, roster: readonly AgentId[], env: PureEnv): Step<S, Out>;
  on(state: S, event: SessionEvent<Rep>, env: PureEnv): Step<S, Out>;
  /** Goes on when a problem that it gave to the solver was solved, or could not be in time. */
  solved?(state: S, result: SolverResult, env: PureEnv): Step<S, Out>;
  /**
   * Whom to tell what when the session ends between two steps: it was cancelled, a round was without its quorum, or
   * no time or rounds are left for what was wanted next.
   */
  stopped?(state: S): readonly TellEffect[];
  /**
   * What is wrong with an outcome, from what it says and the spec alone: its certificate does not
   * hold, or a property that this protocol promises is broken. None when all is well.
   */
  verify?(spec: Spec, outcome: Claim<Out>): readonly string[];
}

/** What an outcome says, without how it came about. */
export interface Claim<Out> extends Decision<Out> {
  readonly roster: readonly AgentId[];
}

/** A protocol of which nothing is known but that it is one. */
export type AnyProtocol<Out = unknown> = Protocol<unknown, unknown, unknown, Out>;

/** What a protocol may draw on besides its state. */
export interface PureEnv {
  /** The only source of chance. It stands in the record. */
  readonly seed: string;
  readonly tie: TieRule;
}

/** The next state of a protocol, and what it wants done. */
export interface Step<S, Out> {
  readonly state: S;
  readonly effects: readonly Effect<Out>[];
}

/** What a protocol wants done. */
export type Effect<Out> =
  | AskEffect
  | TellEffect
  | WaitEffect
  | SolveEffect
  | EmitEffect
  | FinishEffect<Out>;

/** Sends one request to each of `to`. */
export interface AskEffect {
  readonly kind: 'ask';
  readonly to: readonly AgentId[];
  readonly type: string;
  readonly body: unknown;
  /** Milliseconds to answer; at most what the session has left, which is the default. */
  readonly budgetMs?: number;
  /** The same as part of what the session has left, where there is no `budgetMs`. @defaultValue 1 */
  readonly budgetShare?: number;
  /**
   * `loss`: the round closes as soon as one of those who are asked is gone, too.
   *
   * @defaultValue `all`: it closes when nobody is waited for any more
   */
  readonly until?: 'all' | 'loss';
}

/** Lets each of `to` know something. Nobody answers, and nothing is known of its arrival. */
export interface TellEffect {
  readonly kind: 'tell';
  readonly to: readonly AgentId[];
  readonly type: string;
  readonly body: unknown;
}

/** A round in which nobody is asked: it closes after `forMs` milliseconds. */
export interface WaitEffect {
  readonly kind: 'wait';
  readonly forMs: number;
}

/** Has a problem solved outside of the event loop; `solved` is told what came of it. */
export interface SolveEffect {
  readonly kind: 'solve';
  readonly job: SolverJob;
}

/** Something to be seen by those who watch the session: a price, a standing. It stands in the record. */
export interface EmitEffect {
  readonly kind: 'emit';
  readonly name: string;
  readonly facts: Readonly<Record<string, string | number | bigint | boolean>>;
}

/** Ends the session. */
export interface FinishEffect<Out> {
  readonly kind: 'finish';
  readonly decision: Decision<Out>;
}

/** What a protocol is told: nobody is waited for any more. */
export interface SessionEvent<Rep> {
  readonly kind: 'round_closed';
  readonly round: number;
  /** One for each addressee, in the order of the roster; none after a `wait`. */
  readonly answers: readonly Answer<Rep>[];
}

/** What became of one request when its round closed. */
export type Answer<Rep> =
  | OkAnswer<Rep>
  | { readonly kind: 'declined'; readonly from: AgentId; readonly reason: string }
  | { readonly kind: 'silent'; readonly from: AgentId; readonly cause: SilenceCause };

/** An answer that counts. */
export interface OkAnswer<Rep> {
  readonly kind: 'ok';
  readonly from: AgentId;
  readonly body: Rep;
  /** When it came, in milliseconds since the session began. What is decided by it depends on speed: only a barrier does so. */
  readonly at: number;
}

/**
 * Why an answer does not count: none came in time (`timeout`), the participant is gone (`down`), it
 * came after the deadline (`late`), it was no answer (`invalid`), or there were two different ones.
 */
export type SilenceCause = 'timeout' | 'down' | 'late' | 'invalid' | 'equivocation';

/**
 * What a session came to.
 *
 * `decided`: there is a result. `no_deal`: nobody made an acceptable offer. `no_quorum`: too few
 * answered. `tied`: equal offers, and the rule was to report it. `not_converged`, `limit_reached`:
 * stopped without a result, or with one that is not proven to be the best. `cancelled`: by its owner. `failed`: the
 * protocol broke its contract, or what it needs is not there.
 */
export type OutcomeStatus =
  | 'decided'
  | 'no_deal'
  | 'no_quorum'
  | 'tied'
  | 'not_converged'
  | 'limit_reached'
  | 'cancelled'
  | 'failed';

/** What a protocol decides. The engine adds who took part, and the record. */
export interface Decision<Out> {
  readonly status: OutcomeStatus;
  readonly result?: Out;
  readonly tie?: Tie;
  /** Evidence that a third party can check without trusting the coordinator. */
  readonly certificate?: Certificate;
  /** For those whose answer counted; the engine names the others. */
  readonly reasons?: Readonly<Record<AgentId, LossReason>>;
  /** Why it was cancelled or failed. */
  readonly detail?: string;
}

/** Evidence for a result; `docs/guide/coordination.md` says for each protocol what it proves and how. */
export interface Certificate {
  readonly kind: 'optimality' | 'equilibrium' | 'quorum' | 'stability';
  /** Largest (least, where less is better) value that any result could have. */
  readonly bound?: number;
  /** By how much the result may fall short of the bound: 0 is proof of optimality. */
  readonly gap?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Why a participant won or did not. `below_reserve`: its offer did not meet the reserve, on either side. */
export type LossReason =
  | 'won'
  | 'outbid'
  | 'below_reserve'
  | 'tie_lost'
  | 'over_budget'
  | 'not_eligible'
  | 'declined'
  | 'silent'
  | 'late'
  | 'invalid';

/**
 * How equal offers are told apart. `seeded`: smallest draw of `sha256(JSON [seed, label, agent])`.
 * `lexicographic`: smallest id. `report`: not at all.
 */
export type TieRule = 'seeded' | 'lexicographic' | 'report';

/** A tie that came up. */
export interface Tie {
  /** In order of id. */
  readonly among: readonly AgentId[];
  readonly rule: TieRule;
}

/** What a protocol promises; its tests hold it to that. `n` is the size of the roster. */
export interface ProtocolTraits {
  /** Nobody can gain by misstating its value, whatever the others say. */
  readonly dominantStrategyTruthful: boolean;
  /** Nobody who says its true value can lose by taking part. */
  readonly individuallyRational: boolean;
  readonly budget: 'strong' | 'weak' | 'none' | 'n/a';
  /** Nobody learns another's answer before it has given its own. */
  readonly sealed: boolean;
  readonly toleratesSilent: (n: number) => number;
  readonly toleratesByzantine: (n: number) => number;
  readonly maxRounds: (n: number) => number;
  /** Requests and replies. */
  readonly maxMessages: (n: number) => number;
}
