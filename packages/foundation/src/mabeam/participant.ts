import type { Amount } from './amount.ts';
import {
  type CoordinationReply,
  type CoordinationRequest,
  parseRequest,
  type ReplyStatus,
} from './message.ts';
import { isRecord, parsed, shown } from './parse.ts';
import {
  type NegotiationMove,
  type OfferQuestion,
  offerQuestion,
} from './protocols/alternating-offers-questions.ts';
import {
  type Costs,
  type CostsQuestion,
  costsQuestion,
} from './protocols/assign/costs-question.ts';
import type { Limit } from './protocols/auction-terms.ts';
import { type ArriveQuestion, arriveQuestion } from './protocols/barrier-questions.ts';
import {
  type PackageBid,
  type PackageQuestion,
  packageQuestion,
} from './protocols/combinatorial/package-bids.ts';
import {
  type ClaimQuestion,
  claimQuestion,
  type ResourceClaim,
  type Ruling,
  type RulingQuestion,
  rulingQuestion,
} from './protocols/conflict-questions.ts';
import {
  acceptProposalQuestion,
  type AwardQuestion,
  type CfpQuestion,
  cfpQuestion,
  type Performance,
  progressQuestion,
  type Proposal,
} from './protocols/contract-net-questions.ts';
import {
  type ChoiceQuestion,
  choiceQuestion,
  type ChoiceReply,
  type UtilQuestion,
  utilQuestion,
  type UtilReply,
} from './protocols/dcop/dpop-questions.ts';
import {
  type Improvement,
  type ImprovementQuestion,
  improvementQuestion,
} from './protocols/dcop/local-search-questions.ts';
import {
  type MessagesQuestion,
  messagesQuestion,
  type MessagesReply,
} from './protocols/dcop/max-sum-questions.ts';
import {
  type Wants,
  type WantsQuestion,
  wantsQuestion,
} from './protocols/equilibrium/assignment-questions.ts';
import { type DemandQuestion, demandQuestion } from './protocols/equilibrium/exchange-questions.ts';
import {
  type Spending,
  type SpendingQuestion,
  spendingQuestion,
  type UtilityQuestion,
  utilityQuestion,
} from './protocols/equilibrium/fisher-questions.ts';
import type { Utility } from './protocols/equilibrium/utility.ts';
import { type MarginalsQuestion, marginalsQuestions } from './protocols/marginals.ts';
import {
  type ConcessionMove,
  type ConcessionQuestion,
  concedeQuestion,
} from './protocols/monotonic-concession-questions.ts';
import { type Order, type OrdersQuestion, ordersQuestion } from './protocols/orders.ts';
import {
  type PreferenceList,
  type PreferencesQuestion,
  preferencesQuestion,
} from './protocols/preferences.ts';
import { acceptQuestion, type PriceQuestion, stayQuestion } from './protocols/price-questions.ts';
import { type QuantityQuestion, quantityQuestion } from './protocols/quantity-question.ts';
import {
  type BallotQuestion,
  ballotQuestion,
  type SignedVote,
} from './protocols/quorum-certificate-questions.ts';
import { type BidQuestion, bidQuestion } from './protocols/sealed-bid-auction.ts';
import { type TradeAnswer, type TradeQuestion, tradeQuestion } from './protocols/trade-question.ts';
import {
  abortQuestion,
  commitQuestion,
  type CommitVote,
  prepareQuestion,
  type TransactionQuestion,
} from './protocols/two-phase-commit-questions.ts';
import type { Ballot } from './protocols/voting/ballot.ts';
import { type VoteQuestion, voteQuestion } from './protocols/voting/vote-question.ts';
import type { Asked, Decline, Question } from './question.ts';

/** What a participant can do, each by one handler; `C` is the context of its process. */
export interface ParticipantHandlers<C> {
  /** Comes to a barrier: returns, or settles, when it is there. */
  readonly arrive?: Asked<C, ArriveQuestion, void>;
  /** Votes on a transaction. `yes` once, it must be able to commit, also after a crash. */
  readonly prepare?: Asked<C, TransactionQuestion, CommitVote>;
  /** Commits what it has prepared, once: after a crash of the coordinator it may be told again. */
  readonly commit?: Asked<C, TransactionQuestion, void>;
  /** Undoes what it has prepared, if it has. */
  readonly abort?: Asked<C, TransactionQuestion, void>;
  /** Signs a vote with its own key: one value a ballot, and never a second. */
  readonly signVote?: Asked<C, BallotQuestion, SignedVote>;
  /** Makes a bid, or declines to. Where the question has a `nextBid`, a limit will do, too. */
  readonly bid?: Asked<C, BidQuestion, Amount | Limit>;
  /** Whether it stays in a clock at a price, or up to which it does. */
  readonly stay?: Asked<C, PriceQuestion, boolean | Limit>;
  /** Whether it accepts a price of a Dutch auction, or from which on it does. */
  readonly accept?: Asked<C, PriceQuestion, boolean | Limit>;
  /** Places orders in a market, none included, or declines to. */
  readonly orders?: Asked<C, OrdersQuestion, readonly Order[]>;
  /** Casts a vote, or abstains by declining. */
  readonly vote?: Asked<C, VoteQuestion, Ballot>;
  /** Says what each further unit of several is worth to it (`buy`: costs it), the first one first. */
  readonly marginals?: Asked<C, MarginalsQuestion, readonly Amount[]>;
  /** Says how many units it wants at a price, those that it has clinched included. */
  readonly quantity?: Asked<C, QuantityQuestion, number>;
  /** Cancels and places orders in a continuous market, round by round. */
  readonly trade?: Asked<C, TradeQuestion, TradeAnswer>;
  /** Proposes to do a task, or declines to. */
  readonly propose?: Asked<C, CfpQuestion, Proposal>;
  /**
   * Does a task it was awarded, and says how far it is: it is asked again each heartbeat. What takes longer than one
   * answers `working` at once; `contractor` makes such a handler of an async function.
   */
  readonly perform?: Asked<C, AwardQuestion, Performance>;
  /** Accepts the offer that stands, makes another one, or ends the negotiation. */
  readonly offer?: Asked<C, OfferQuestion, NegotiationMove>;
  /** Offers, concedes, accepts what others offer, or stands firm. */
  readonly concede?: Asked<C, ConcessionQuestion, ConcessionMove>;
  /** Claims units of a resource, none included, or declines to. */
  readonly claim?: Asked<C, ClaimQuestion, ResourceClaim>;
  /** Says who gets how much of a contested resource, or declines, so that the next level is asked. */
  readonly rule?: Asked<C, RulingQuestion, Ruling>;
  /** Bids on packages of goods, none included, or declines to. */
  readonly packageBids?: Asked<C, PackageQuestion, readonly PackageBid[]>;
  /** Says what the goods of a market are worth to it. */
  readonly utility?: Asked<C, UtilityQuestion, Utility>;
  /** Says what it would spend on each good, and by how much what it got last falls short of the best. */
  readonly spend?: Asked<C, SpendingQuestion, Spending>;
  /** Says what it would have of each good at the prices that are called, for all that it brings. */
  readonly demand?: Asked<C, DemandQuestion, readonly number[]>;
  /** Says what it would rather have at these prices, or what everything is worth to it, at all. */
  readonly wants?: Asked<C, WantsQuestion, Wants>;
  /** Says what tasks cost it, and which it cannot do. */
  readonly costs?: Asked<C, CostsQuestion, Costs>;
  /** Says whom it would have, the best first. */
  readonly preferences?: Asked<C, PreferencesQuestion, PreferenceList>;
  /** Says what is best below some variables: a table for each task. `dcopAgent` does it. */
  readonly util?: Asked<C, UtilQuestion, UtilReply['utils']>;
  /** Chooses values of its variables. `dcopAgent` does it. */
  readonly choice?: Asked<C, ChoiceQuestion, ChoiceReply['choices']>;
  /** Says what its variables and constraints tell each other. `dcopAgent` does it. */
  readonly messages?: Asked<C, MessagesQuestion, MessagesReply>;
  /** Says what would be better for its variables while all others stay. `dcopAgent` does it. */
  readonly improve?: Asked<C, ImprovementQuestion, readonly Improvement[]>;
  /** Answers requests of other protocols, by type: it is given the body, and what it returns is the body of the reply. */
  readonly answers?: Readonly<Record<string, Asked<C, unknown, unknown>>>;
  /** Hears what nobody answers: how an auction has ended, that it is over, … */
  readonly told?: (ctx: C, notice: CoordinationRequest) => void | Promise<void>;
}

/** Answers coordination requests. */
export type ParticipantHandler<C> = (
  ctx: C,
  request: unknown,
) => CoordinationReply | Promise<CoordinationReply>;

/**
 * Makes the one handler that answers coordination requests of every protocol. What it has no
 * handler for, and what is no request, it answers with `not_understood`.
 */
export function participant<C>(handlers: ParticipantHandlers<C>): ParticipantHandler<C> {
  const answerers = answerersOf(handlers);
  return (ctx, value) => {
    const read = parseRequest(value);
    if (!read.ok) return misunderstood(value, read.reason);
    const request = read.value;
    if (request.budgetMs === 0) return hear(request, handlers.told?.(ctx, request));
    const answer = answerers.get(request.type);
    if (answer === undefined) {
      return replyTo(request, 'not_understood', {
        reason: `no handler for ${shown(request.type)}`,
      });
    }
    return answer(ctx, request);
  };
}

type Answerer<C> = (
  ctx: C,
  request: CoordinationRequest,
) => CoordinationReply | Promise<CoordinationReply>;

/** Who answers which type of request. */
function answerersOf<C>(handlers: ParticipantHandlers<C>): ReadonlyMap<string, Answerer<C>> {
  const others = Object.entries(handlers.answers ?? {}).map(([type, handler]) =>
    answerer(anyQuestion(type), handler),
  );
  const own = [
    answerer(bidQuestion, handlers.bid),
    answerer(arriveQuestion, handlers.arrive),
    answerer(prepareQuestion, handlers.prepare),
    answerer(commitQuestion, handlers.commit),
    answerer(abortQuestion, handlers.abort),
    answerer(ballotQuestion, handlers.signVote),
    answerer(stayQuestion, handlers.stay),
    answerer(acceptQuestion, handlers.accept),
    answerer(ordersQuestion, handlers.orders),
    answerer(voteQuestion, handlers.vote),
    answerer(marginalsQuestions.sell, handlers.marginals),
    answerer(marginalsQuestions.buy, handlers.marginals),
    answerer(quantityQuestion, handlers.quantity),
    answerer(tradeQuestion, handlers.trade),
    answerer(cfpQuestion, handlers.propose),
    answerer(acceptProposalQuestion, handlers.perform),
    answerer(progressQuestion, handlers.perform),
    answerer(offerQuestion, handlers.offer),
    answerer(claimQuestion, handlers.claim),
    answerer(rulingQuestion, handlers.rule),
    answerer(concedeQuestion, handlers.concede),
    answerer(packageQuestion, handlers.packageBids),
    answerer(utilityQuestion, handlers.utility),
    answerer(spendingQuestion, handlers.spend),
    answerer(demandQuestion, handlers.demand),
    answerer(wantsQuestion, handlers.wants),
    answerer(costsQuestion, handlers.costs),
    answerer(preferencesQuestion, handlers.preferences),
    answerer(utilQuestion, handlers.util),
    answerer(choiceQuestion, handlers.choice),
    answerer(messagesQuestion, handlers.messages),
    answerer(improvementQuestion, handlers.improve),
  ];
  return new Map([...others, ...own].flat());
}

/** Under the type of its question, if there is a handler. */
function answerer<C, Q, A>(
  question: Question<Q, A>,
  handler: Asked<C, Q, A> | undefined,
): readonly (readonly [type: string, Answerer<C>])[] {
  if (handler === undefined) return [];
  const answer: Answerer<C> = (ctx, request) => {
    const asked = question.parse(request);
    if (!asked.ok) return replyTo(request, 'not_understood', { reason: asked.reason });
    const given = handler(ctx, asked.value, request);
    return given instanceof Promise
      ? given.then((settled) => replyWith(request, settled, question))
      : replyWith(request, given, question);
  };
  return [[question.type, answer]];
}

// oxlint-disable-next-line max-params -- to what, what, in which form
function replyWith<A>(
  request: CoordinationRequest,
  answer: A | Decline,
  question: Question<unknown, A>,
): CoordinationReply {
  if (isDecline(answer)) return replyTo(request, 'decline', { reason: answer.decline });
  const body = question.reply(answer);
  return body.ok
    ? replyTo(request, 'ok', { body: body.value })
    : replyTo(request, 'error', { reason: body.reason });
}

function isDecline(answer: unknown): answer is Decline {
  return isRecord(answer) && typeof answer['decline'] === 'string';
}

/** A question of a protocol that is not known here. */
function anyQuestion(type: string): Question<unknown, unknown> {
  return { type, parse: ({ body }) => parsed(body), reply: parsed };
}

function hear(
  notice: CoordinationRequest,
  heard: void | Promise<void>,
): CoordinationReply | Promise<CoordinationReply> {
  const reply = replyTo(notice, 'ok', {});
  return heard instanceof Promise ? heard.then(() => reply) : reply;
}

function replyTo(
  {
    session,
    round,
    nonce,
    to: from,
  }: Pick<CoordinationRequest, 'session' | 'round' | 'nonce' | 'to'>,
  status: ReplyStatus,
  content: { readonly body?: unknown; readonly reason?: string },
): CoordinationReply {
  return {
    kind: 'mabeam.coordination.reply',
    v: 1,
    session,
    round,
    nonce,
    from,
    status,
    ...content,
  };
}

/** Quotes what can be quoted, so that the sender may still recognize its request. */
function misunderstood(value: unknown, reason: string): CoordinationReply {
  const fields = isRecord(value) ? value : {};
  const textAt = (key: string): string => {
    const field = fields[key];
    return typeof field === 'string' ? field : '';
  };
  const quoted = { session: textAt('session'), round: 0, nonce: textAt('nonce'), to: textAt('to') };
  return replyTo(quoted, 'not_understood', { reason });
}
