import { type Amount, isAmount, parseAmount } from '../amount.ts';
import { parseFields } from '../fields.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type {
  Answer,
  Decision,
  LossReason,
  Protocol,
  ProtocolTraits,
  PureEnv,
} from '../protocol.ts';
import type { Question } from '../question.ts';
import { breakTie } from '../tie-break.ts';
import {
  type AuctionSide,
  isLimit,
  type Limit,
  optionalAmount,
  parseLot,
  parseSide,
  worthOf,
} from './auction-terms.ts';

/** What is auctioned. */
export interface SealedBidSpec {
  /** Name of what is sold or bought, up to 256 characters. */
  readonly lot: string;
  /** @defaultValue `sell` */
  readonly side?: AuctionSide;
  /**
   * Least price when selling, greatest when buying. Bidders are told.
   *
   * @defaultValue 0 when selling, none when buying
   */
  readonly reserve?: Amount;
}

/** Body of a `get_bid` request. */
export interface BidRequest {
  readonly lot: string;
  readonly side: AuctionSide;
  /** Of open auctions: the bid that stands, if any. */
  readonly currentPrice?: Amount;
  /** Of open auctions: the least bid that counts now (`buy`: the greatest). */
  readonly nextBid?: Amount;
  readonly reserve?: Amount;
}

/** What a bidder is asked. */
export interface BidQuestion {
  readonly lot: string;
  /** `sell`: bid what you would pay. `buy`: bid what it would cost you. */
  readonly side: AuctionSide;
  /** Counts from 1. */
  readonly round: number;
  /** Of auctions whose price moves from round to round. */
  readonly currentPrice?: Amount;
  /** Of open auctions: the least bid that counts now (`buy`: the greatest). A limit is an answer, too. */
  readonly nextBid?: Amount;
  /** Least price when selling, greatest when buying. */
  readonly reserve?: Amount;
}

/** Asks a bidder for an amount, or for a limit up to which the auctioneer bids for it. */
export const bidQuestion: Question<BidQuestion, Amount | Limit> = {
  type: 'get_bid',
  parse: parseQuestion,
  reply: (answer) => {
    if (isLimit(answer) && isAmount(answer.limit)) return parsed({ limit: answer.limit });
    return isAmount(answer)
      ? parsed({ amount: answer })
      : unparsed(`the bid was ${shown(answer)}, not an amount`);
  },
};

/** Body of its answer. */
export interface BidReply {
  readonly amount: Amount;
}

/** What an agent has bid. */
export interface Bid extends BidReply {
  readonly agent: AgentId;
}

/** How an auction ended. */
export interface SealedBidResult {
  readonly lot: string;
  readonly side: AuctionSide;
  readonly winner: AgentId;
  /** What the winner pays (`sell`) or is paid (`buy`). */
  readonly price: Amount;
  /** Every bid that counted, in the order of the roster. */
  readonly bids: readonly Bid[];
}

/** A sealed-bid auction. Its state is its spec: there is nothing else to remember. */
export type SealedBidAuction = Protocol<SealedBidSpec, BidReply, SealedBidSpec, SealedBidResult>;

type Pricing = 'first' | 'second';

/**
 * The best bid wins and pays its own amount (Vickrey 1961). Bidders do well to shade their bids.
 */
export const firstPriceAuction: SealedBidAuction = auction('auction.first_price', 'first');

/**
 * The best bid wins at the second-best price, or at the reserve where that is worse for the winner
 * (Vickrey 1961). To bid one's true value is best, whatever the others do.
 *
 * A single bidder gets the reserve: a buyer of an auction without one pays 0, a supplier (`buy`)
 * is paid its own bid, as nothing else bounds the price; there alone the price depends on the bid.
 */
export const vickreyAuction: SealedBidAuction = auction('auction.vickrey', 'second');

function auction(name: string, pricing: Pricing): SealedBidAuction {
  return {
    name,
    version: '1.0.0',
    traits: traitsOf(pricing),
    parseSpec,
    parseReply: (_type, body) => parseBid(body),
    init(spec, roster) {
      const { lot, side = 'sell', reserve } = spec;
      const body: BidRequest = { lot, side, ...(reserve === undefined ? {} : { reserve }) };
      return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_bid', body }] };
    },
    on(spec, { answers }, env) {
      const decision = settle(bidsOf(answers), { ...spec, pricing }, env);
      return { state: spec, effects: [{ kind: 'finish', decision }] };
    },
  };
}

function traitsOf(pricing: Pricing): ProtocolTraits {
  return {
    dominantStrategyTruthful: pricing === 'second',
    individuallyRational: true,
    budget: 'weak',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 2 * n,
  };
}

/** Winner, price and everybody's reason, from the bids alone. Linear in their number. */
export function settle(
  bids: readonly Bid[],
  spec: SealedBidSpec & { readonly pricing: Pricing },
  env: PureEnv,
): Decision<SealedBidResult> {
  const { lot, side = 'sell', reserve } = spec;
  const worth = worthOf(side);
  const floor = reserve === undefined ? undefined : worth(reserve);
  const isAdmitted = ({ amount }: Bid): boolean => floor === undefined || worth(amount) >= floor;
  const admitted = bids.filter(isAdmitted);
  const top = bestTwo(admitted.map(({ amount }) => worth(amount)));
  if (top === undefined) return { status: 'no_deal', reasons: reasonsOf(bids, isAdmitted, {}) };

  const equals = admitted.filter(({ amount }) => worth(amount) === top.best);
  const broken = breakTie(
    equals.map(({ agent }) => agent),
    `winner of ${lot}`,
    env,
  );
  const tie = broken.tie === undefined ? {} : { tie: broken.tie };
  const reasons = reasonsOf(bids, isAdmitted, { best: worth(top.best), winner: broken.first });
  if (broken.first === undefined) return { status: 'tied', ...tie, reasons };

  const lowest = floor ?? (side === 'sell' ? 0n : undefined);
  const price = worth(priceOf(spec.pricing, top, lowest));
  return {
    status: 'decided',
    result: { lot, side, winner: broken.first, price, bids },
    ...tie,
    reasons,
  };
}

interface BestTwo {
  readonly best: bigint;
  readonly second: bigint | undefined;
}

function bestTwo(worths: readonly bigint[]): BestTwo | undefined {
  let best: bigint | undefined;
  let second: bigint | undefined;
  for (const worth of worths) {
    if (best === undefined || worth > best) [best, second] = [worth, best];
    else if (second === undefined || worth > second) second = worth;
  }
  return best === undefined ? undefined : { best, second };
}

function priceOf(rule: Pricing, { best, second }: BestTwo, lowest: bigint | undefined): bigint {
  if (rule === 'first') return best;
  if (second === undefined) return lowest ?? best;
  return lowest !== undefined && lowest > second ? lowest : second;
}

function reasonsOf(
  bids: readonly Bid[],
  isAdmitted: (bid: Bid) => boolean,
  won: { readonly best?: Amount; readonly winner?: AgentId | undefined },
): Readonly<Record<AgentId, LossReason>> {
  return Object.fromEntries(
    bids.map((bid): [AgentId, LossReason] => {
      if (bid.agent === won.winner) return [bid.agent, 'won'];
      if (!isAdmitted(bid)) return [bid.agent, 'below_reserve'];
      return [bid.agent, bid.amount === won.best ? 'tie_lost' : 'outbid'];
    }),
  );
}

function bidsOf(answers: readonly Answer<BidReply>[]): Bid[] {
  return answers.flatMap((answer) =>
    answer.kind === 'ok' ? [{ agent: answer.from, amount: answer.body.amount }] : [],
  );
}

function parseBid(body: unknown): Parsed<BidReply> {
  if (!isRecord(body)) return unparsed(`body: expected { amount }, got ${shown(body)}`);
  const amount = parseAmount('body.amount', body['amount']);
  return amount.ok ? parsed({ amount: amount.value }) : amount;
}

function parseSpec(spec: unknown): Parsed<SealedBidSpec> {
  return parseFields(spec, '{ lot, side?, reserve? }', ({ lot, side = 'sell', reserve }) => ({
    lot: parseLot(lot),
    side: parseSide('side', side),
    reserve: optionalAmount('reserve', reserve),
  }));
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<BidQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, side }, got ${shown(body)}`);
  const { lot } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  const side = parseSide('body.side', body['side']);
  if (!side.ok) return side;
  const terms: { [Term in 'currentPrice' | 'nextBid' | 'reserve']?: Amount } = {};
  for (const term of ['currentPrice', 'nextBid', 'reserve'] as const) {
    const amount = optionalAmount(`body.${term}`, body[term]);
    if (!amount.ok) return amount;
    if (amount.value !== undefined) terms[term] = amount.value;
  }
  return parsed({ lot, side: side.value, round, ...terms });
}
