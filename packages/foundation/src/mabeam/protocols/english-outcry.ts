import { type Amount, parseAmount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Answer, Decision, LossReason, PureEnv, Step, Tie } from '../protocol.ts';
import { breakTie } from '../tie-break.ts';
import { isLimit, type Limit } from './auction-terms.ts';
import type { EnglishTerms } from './english-terms.ts';
import { awardOf, type OpenAuctionResult } from './open-auction.ts';
import { tickAfter } from './price-ladder.ts';
import type { Bid, BidReply, BidRequest } from './sealed-bid-auction.ts';

/** Body of an answer to a `get_bid` of an outcry. A limit has the auctioneer bid the least it can, up to there. */
export type OutcryReply = BidReply | Limit;

/** Somebody's bid, and how far the auctioneer may raise it: to itself, if nothing else was said. */
interface Offer extends Bid {
  readonly limit: Amount;
}

/** The bid that stands. */
interface Standing extends Omit<Offer, 'agent'> {
  /** One, unless equal bids came and the rule is to report that. */
  readonly holders: readonly AgentId[];
  readonly tie?: Tie;
}

/** An outcry between two rounds. */
export interface OutcryState {
  readonly kind: 'outcry';
  readonly terms: EnglishTerms;
  readonly roster: readonly AgentId[];
  readonly round: number;
  readonly standing?: Standing;
  /** The best that each has bid. */
  readonly bids: ReadonlyMap<AgentId, Amount>;
  /** The best of those who have offered too little to bid. */
  readonly tooLittle: ReadonlyMap<AgentId, Amount>;
}

type OutcryStep = Step<OutcryState, OpenAuctionResult>;

export function startOutcry(terms: EnglishTerms, roster: readonly AgentId[]): OutcryStep {
  const state: OutcryState = {
    kind: 'outcry',
    terms,
    roster,
    round: 0,
    bids: new Map(),
    tooLittle: new Map(),
  };
  return askForMore(state);
}

/** A round without a raise is the last. */
export function onBids(
  state: OutcryState,
  answers: readonly Answer<OutcryReply>[],
  env: PureEnv,
): OutcryStep {
  const { worth } = state.terms;
  const least = nextBid(state);
  if (least === undefined) return close(state);
  const offers = answers.flatMap((answer) =>
    answer.kind === 'ok' ? [offerOf(answer, least)] : [],
  );
  const raises = offers.filter(({ limit }) => worth(limit) >= worth(least));
  const tooLittle = new Map(state.tooLittle);
  for (const { agent, limit } of offers) {
    if (worth(limit) < worth(least)) tooLittle.set(agent, limit);
  }
  if (raises.length === 0) return close({ ...state, tooLittle });
  return askForMore({ ...contest(state, raises, env), tooLittle });
}

function offerOf(
  { from: agent, body }: { readonly from: AgentId; readonly body: OutcryReply },
  least: Amount,
): Offer {
  return isLimit(body)
    ? { agent, amount: least, limit: body.limit }
    : { agent, amount: body.amount, limit: body.amount };
}

/**
 * Raises each bid by its limit until one is left: the greatest limit holds the lot. Among equals, who held it before
 * keeps it.
 */
function contest(state: OutcryState, raises: readonly Offer[], env: PureEnv): OutcryState {
  const { terms, standing, round } = state;
  const { worth, lot } = terms;
  const held = heldOffers(standing, raises);
  const offers = [...held, ...raises];
  const best = offers.reduce((one, other) => (worth(other.limit) > worth(one.limit) ? other : one));
  const equals = offers.filter(({ limit }) => limit === best.limit);
  const kept = held.length === 1 ? held.filter((offer) => equals.includes(offer)) : [];
  const drawn = breakTie(
    (kept.length > 0 ? kept : equals).map(({ agent }) => agent),
    `bid ${round} on ${lot}`,
    env,
  );
  const holders = drawn.first === undefined ? equals.map(({ agent }) => agent) : [drawn.first];
  const own = offers.find(({ agent }) => agent === holders[0]) ?? best;
  const amount = amountOver(
    own,
    offers.filter((offer) => offer !== own),
    terms,
  );
  const bids = new Map(state.bids);
  for (const { agent, limit } of offers) bids.set(agent, limit);
  for (const agent of holders) bids.set(agent, amount);
  const tie = drawn.tie === undefined ? {} : { tie: drawn.tie };
  return { ...state, bids, standing: { holders, amount, limit: best.limit, ...tie } };
}

/** Of those who hold the bid that stands and have not raised it themselves. */
function heldOffers(standing: Standing | undefined, raises: readonly Offer[]): readonly Offer[] {
  if (standing === undefined) return [];
  const { amount, limit, holders } = standing;
  const raised = new Set(raises.map(({ agent }) => agent));
  return holders.filter((agent) => !raised.has(agent)).map((agent) => ({ agent, amount, limit }));
}

/** The least raise over all rivals' limits, within the own one; the own bid, where that is more. */
function amountOver(own: Offer, rivals: readonly Offer[], terms: EnglishTerms): Amount {
  const { ladder, worth } = terms;
  let amount = own.amount;
  for (const { limit } of rivals) {
    const over = tickAfter(ladder, limit);
    const needed = over === undefined || worth(over) > worth(own.limit) ? own.limit : over;
    if (worth(needed) > worth(amount)) amount = needed;
  }
  return amount;
}

/** The least bid that counts; undefined when amounts end before it. */
function nextBid({ standing, terms }: OutcryState): Amount | undefined {
  return standing === undefined ? terms.opening : tickAfter(terms.ladder, standing.amount);
}

function askForMore(state: OutcryState): OutcryStep {
  const { roster, round, standing, terms } = state;
  const { lot, side, roundMs: budgetMs, maxRounds } = terms;
  const [holder, another] = standing?.holders ?? [];
  const to = another === undefined ? roster.filter((id) => id !== holder) : roster;
  const least = nextBid(state);
  if (least === undefined || to.length === 0) return close(state);
  if (round === maxRounds) {
    return end(state, { status: 'limit_reached', reasons: reasonsOf(state) });
  }
  const body: BidRequest = {
    lot,
    side,
    nextBid: least,
    ...(standing === undefined ? {} : { currentPrice: standing.amount }),
  };
  const leader = holder === undefined || another !== undefined ? {} : { leader: holder };
  const facts = { price: standing?.amount ?? least, asked: to.length, ...leader };
  return {
    state: { ...state, round: round + 1 },
    effects: [
      { kind: 'emit', name: 'price', facts },
      { kind: 'ask', to, type: 'get_bid', body, budgetMs },
    ],
  };
}

function close(state: OutcryState): OutcryStep {
  const { roster, standing, terms } = state;
  if (standing === undefined) return end(state, { status: 'no_deal', reasons: reasonsOf(state) });
  const { amount: price, holders, tie } = standing;
  const [winner, another] = holders;
  const reasons = { ...reasonsOf(state), ...lostByTie(tie) };
  if (winner === undefined || another !== undefined) {
    return end(state, { status: 'tied', ...(tie && { tie }), reasons });
  }
  const bids = roster.flatMap((agent): Bid[] => {
    const amount = state.bids.get(agent);
    return amount === undefined ? [] : [{ agent, amount }];
  });
  const { lot, side } = terms;
  return end(state, {
    status: 'decided',
    result: { lot, side, winner, price, bids },
    ...(tie && { tie }),
    reasons: { ...reasons, [winner]: 'won' },
  });
}

function end(state: OutcryState, decision: Decision<OpenAuctionResult>): OutcryStep {
  return { state, effects: [...awardOf(decision), { kind: 'finish', decision }] };
}

/** Of those who are not the winner. Who holds the bid when the auction is given up has neither won nor lost. */
function reasonsOf({ bids, tooLittle, terms, standing }: OutcryState): Record<AgentId, LossReason> {
  const { opening, worth } = terms;
  const reasons: Record<AgentId, LossReason> = {};
  for (const [id, amount] of tooLittle) {
    reasons[id] = worth(amount) < worth(opening) ? 'below_reserve' : 'outbid';
  }
  for (const id of bids.keys()) reasons[id] = 'outbid';
  for (const id of standing?.holders ?? []) delete reasons[id];
  return reasons;
}

function lostByTie(tie: Tie | undefined): Readonly<Record<AgentId, LossReason>> {
  return Object.fromEntries((tie?.among ?? []).map((id) => [id, 'tie_lost']));
}

export function parseOutcryBid(body: unknown): Parsed<OutcryReply> {
  if (!isRecord(body))
    return unparsed(`body: expected { amount } or { limit }, got ${shown(body)}`);
  const field = 'limit' in body ? 'limit' : 'amount';
  const extra = unknownField(body, [field]);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const amount = parseAmount(`body.${field}`, body[field]);
  if (!amount.ok) return amount;
  return parsed(field === 'limit' ? { limit: amount.value } : { amount: amount.value });
}

/** What is wrong with a sale by outcry: the winner holds the best bid, at its price, which meets the opening. */
export function problemsOfOutcry(
  { opening, worth }: EnglishTerms,
  { winner, price, bids }: OpenAuctionResult,
): readonly string[] {
  const problems =
    worth(price) < worth(opening)
      ? [`the price of ${price} is worse than the opening of ${opening}`]
      : [];
  for (const { agent, amount } of bids) {
    if (agent !== winner && worth(amount) > worth(price)) {
      problems.push(`${agent} has bid ${amount}, and the price is ${price}`);
    }
  }
  return problems;
}
