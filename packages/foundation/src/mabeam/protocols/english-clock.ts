import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type { Answer, Decision, LossReason, PureEnv, Step } from '../protocol.ts';
import { breakTie } from '../tie-break.ts';
import { isLimit, isWithin } from './auction-terms.ts';
import type { EnglishTerms } from './english-terms.ts';
import { awardOf, type OpenAuctionResult } from './open-auction.ts';
import { tickAfter, tickReaching } from './price-ladder.ts';
import type { PriceRequest, StayReply } from './price-questions.ts';
import type { Bid } from './sealed-bid-auction.ts';

/** A clock between two ticks. */
export interface ClockState {
  readonly kind: 'clock';
  readonly terms: EnglishTerms;
  readonly roster: readonly AgentId[];
  readonly round: number;
  /** What has been called. */
  readonly price: Amount;
  /** The tick before, at which everybody who is active has stayed. */
  readonly previous?: Amount;
  readonly active: readonly AgentId[];
  /** Up to where somebody stays without being asked. */
  readonly limits: ReadonlyMap<AgentId, Amount>;
  /** The last price at which somebody stayed who has left. */
  readonly bids: ReadonlyMap<AgentId, Amount>;
  /** Of those who have said that they leave. */
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

type ClockStep = Step<ClockState, OpenAuctionResult>;

export function startClock(terms: EnglishTerms, roster: readonly AgentId[]): ClockStep {
  const state: ClockState = {
    kind: 'clock',
    terms,
    roster,
    round: 1,
    price: terms.opening,
    active: roster,
    limits: new Map(),
    bids: new Map(),
    reasons: {},
  };
  return call(state, roster);
}

/** Who does not stay has left for good: by word, by silence, or by being gone. */
export function onTick(
  state: ClockState,
  answers: readonly Answer<StayReply>[],
  env: PureEnv,
): ClockStep {
  const { active, price, previous } = state;
  const heard = new Map(answers.map((answer) => [answer.from, answer]));
  const stays = (id: AgentId): boolean => {
    const answer = heard.get(id);
    if (answer === undefined) return true; // Was not asked: its limit stands.
    if (answer.kind !== 'ok') return false;
    return isLimit(answer.body)
      ? isWithin(state.terms.side, price, answer.body.limit)
      : answer.body.stay;
  };
  const staying = active.filter((id) => stays(id));
  const leaving = active.filter((id) => !stays(id));
  const after = without(state, leaving, heard);
  const [only] = staying;
  if (only !== undefined && staying.length === 1) return sell(after, { winner: only, price });
  if (only !== undefined)
    return goOn({ ...after, active: staying, limits: limitsOf(after, answers) });
  if (previous === undefined) return end(after, { status: 'no_deal', reasons: after.reasons });

  const { first, tie } = breakTie(leaving, `winner of ${state.terms.lot}`, env);
  const tied = {
    ...after,
    reasons: { ...after.reasons, ...tiedReasons(leaving, tie !== undefined) },
  };
  if (first !== undefined)
    return sell(tied, { winner: first, price: previous, ...(tie && { tie }) });
  return end(tied, { status: 'tied', ...(tie && { tie }), reasons: tied.reasons });
}

/** The state after some have left. */
function without(
  state: ClockState,
  leaving: readonly AgentId[],
  heard: ReadonlyMap<AgentId, Answer<StayReply>>,
): ClockState {
  const { previous } = state;
  const bids = new Map(state.bids);
  const reasons = { ...state.reasons };
  for (const id of leaving) {
    if (previous !== undefined) bids.set(id, previous);
    // The engine names those who did not say so.
    if (heard.get(id)?.kind === 'ok') {
      reasons[id] = previous === undefined ? 'below_reserve' : 'outbid';
    }
  }
  return { ...state, bids, reasons };
}

function limitsOf(
  state: ClockState,
  answers: readonly Answer<StayReply>[],
): ReadonlyMap<AgentId, Amount> {
  const limits = new Map(state.limits);
  for (const answer of answers) {
    if (answer.kind === 'ok' && isLimit(answer.body)) limits.set(answer.from, answer.body.limit);
  }
  return limits;
}

/**
 * Calls the next price at which somebody has to be asked. Between, everybody stays by its limit: the
 * clock passes those ticks without a round, and comes to where it would have come by asking.
 */
function goOn(state: ClockState): ClockStep {
  const { active, limits, price, round, terms } = state;
  const { ladder, side, worth } = terms;
  const isUp = ladder.direction === 'up';
  let target: Amount | undefined;
  for (const id of active) {
    const limit = limits.get(id);
    const past = limit === undefined || !isWithin(side, price, limit) ? price : limit;
    if (target === undefined || worth(past) < worth(target)) target = past;
  }
  const beyond = (target ?? price) + (isUp ? 1n : -1n);
  const tick = tickReaching(ladder, price, beyond);
  if (tick === undefined || round === terms.maxRounds) {
    return end(state, { status: 'limit_reached', reasons: state.reasons });
  }
  const asked = active.filter((id) => {
    const limit = limits.get(id);
    return limit === undefined || !isWithin(side, tick.price, limit);
  });
  return call({ ...state, ...tick, round: round + 1 }, asked);
}

function call(state: ClockState, to: readonly AgentId[]): ClockStep {
  const { active, price, terms } = state;
  const { lot, side, roundMs: budgetMs } = terms;
  const body: PriceRequest = { lot, side, price };
  const facts = { price, active: active.length, asked: to.length };
  return {
    state,
    effects: [
      { kind: 'emit', name: 'price', facts },
      { kind: 'ask', to, type: 'stay', body, budgetMs },
    ],
  };
}

type Sale = { readonly winner: AgentId } & Pick<OpenAuctionResult, 'price'> &
  Pick<Decision<OpenAuctionResult>, 'tie'>;

function sell(state: ClockState, { winner, price, tie }: Sale): ClockStep {
  const { lot, side } = state.terms;
  const agreed = new Map([...state.bids, [winner, price]]);
  const bids = state.roster.flatMap((agent): Bid[] => {
    const amount = agreed.get(agent);
    return amount === undefined ? [] : [{ agent, amount }];
  });
  return end(state, {
    status: 'decided',
    result: { lot, side, winner, price, bids },
    ...(tie === undefined ? {} : { tie }),
    reasons: { ...state.reasons, [winner]: 'won' },
  });
}

function end(state: ClockState, decision: Decision<OpenAuctionResult>): ClockStep {
  return { state, effects: [...awardOf(decision), { kind: 'finish', decision }] };
}

function tiedReasons(
  leaving: readonly AgentId[],
  isTie: boolean,
): Readonly<Record<AgentId, LossReason>> {
  return isTie ? Object.fromEntries(leaving.map((id) => [id, 'tie_lost'])) : {};
}

/**
 * What is wrong with a sale by clock. The winner stayed one tick longer than the second best, or left
 * with it; alone it gets the opening price.
 */
export function problemsOfClock(
  terms: EnglishTerms,
  { winner, price, bids }: OpenAuctionResult,
): readonly string[] {
  const { ladder, opening, worth } = terms;
  const isTick = price === opening || tickReaching(ladder, opening, price)?.price === price;
  const problems = isTick ? [] : [`${price} is no price of this clock`];
  let second: Amount | undefined;
  for (const { agent, amount } of bids) {
    if (agent === winner) continue;
    if (second === undefined || worth(amount) > worth(second)) second = amount;
  }
  const isRight =
    second === undefined
      ? price === opening
      : price === second || price === tickAfter(ladder, second);
  if (!isRight) {
    problems.push(
      `the price is ${price}, and the second best has left after ${second ?? 'nothing'}`,
    );
  }
  return problems;
}
