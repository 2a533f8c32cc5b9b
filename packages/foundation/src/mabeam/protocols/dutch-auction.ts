import { parseAmount } from '../amount.ts';
import type { Amount } from '../amount.ts';
import { parseFields } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Answer, Decision, LossReason, Protocol, PureEnv, Step } from '../protocol.ts';
import { breakTie } from '../tie-break.ts';
import { isLimit, isWithin, worthOf } from './auction-terms.ts';
import {
  awardOf,
  openAuctionDefaults,
  type OpenAuctionResult,
  type OpenAuctionSpec,
  openAuctionTraits,
  openAuctionFields,
} from './open-auction.ts';
import { type Ladder, tickAfter, tickReaching } from './price-ladder.ts';
import { type AcceptReply, parseAccept, type PriceRequest } from './price-questions.ts';

/** An auction whose price moves towards the bidders until one accepts: down when selling, up when buying. */
export interface DutchSpec extends OpenAuctionSpec {
  /** The first price. */
  readonly start: Amount;
  /**
   * The last price that is called, at most: least when selling, greatest when buying.
   *
   * @defaultValue 0 when selling, the greatest amount when buying
   */
  readonly reserve?: Amount;
}

interface DutchState {
  readonly spec: DutchSpec & ParsedDefaults;
  readonly roster: readonly AgentId[];
  readonly round: number;
  /** What has been called. */
  readonly price: Amount;
  /** Who is asked at each tick. */
  readonly undecided: readonly AgentId[];
  /** At which price somebody accepts without being asked. */
  readonly limits: ReadonlyMap<AgentId, Amount>;
}

type ParsedDefaults = Required<Pick<DutchSpec, 'side' | 'roundMs' | 'maxRounds'>>;
type DutchStep = Step<DutchState, OpenAuctionResult>;

/**
 * The price moves until somebody accepts it (Vickrey 1961 shows that bidders reason as in a first-price auction).
 * All who accept at the same tick are equal, whoever was faster.
 *
 * A bidder that answers with a `limit` accepts at the first tick within it and is not asked again.
 */
export const dutchAuction: Protocol<DutchSpec, AcceptReply, DutchState, OpenAuctionResult> = {
  name: 'auction.dutch',
  version: '1.0.0',
  traits: openAuctionTraits,
  parseSpec,
  parseReply: (_type, body) => parseAccept(body),
  init(spec, roster) {
    const filled = { ...openAuctionDefaults, ...spec };
    return call({
      spec: filled,
      roster,
      round: 1,
      price: spec.start,
      undecided: roster,
      limits: new Map(),
    });
  },
  on: (state, { answers }, env) => onTick(state, answers, env),
  verify(spec, { roster, result, tie }) {
    if (result === undefined) return [];
    const { price, winner, bids } = result;
    const { start, side = 'sell' } = spec;
    const isTick = price === start || tickReaching(ladderOf(spec), start, price)?.price === price;
    const accepted = bids.map(({ agent }) => agent);
    const members = new Set(roster);
    const stranger = accepted.find((agent) => !members.has(agent));
    return [
      ...(isTick ? [] : [`${price} is no price of this auction`]),
      ...(isCallable(spec, price) ? [] : [`${price} is past the reserve`]),
      ...(stranger === undefined ? [] : [`${stranger} has accepted and is not in the roster`]),
      ...(accepted.includes(winner) ? [] : [`${winner} has not accepted`]),
      ...(bids.every(({ amount }) => isWithin(side, price, amount))
        ? []
        : ['somebody who has not accepted is among the bids']),
      ...(accepted.length > 1 === (tie !== undefined) ? [] : ['the tie is not that of the bids']),
    ];
  },
};

/** Who is silent at a tick, or gone, or declines, is not asked again: it would hold up every tick. */
function onTick(
  state: DutchState,
  answers: readonly Answer<AcceptReply>[],
  env: PureEnv,
): DutchStep {
  const { price, spec } = state;
  const limits = new Map(state.limits);
  const accepting = new Set<AgentId>();
  const undecided: AgentId[] = [];
  for (const answer of answers) {
    if (answer.kind !== 'ok') continue;
    if (isLimit(answer.body)) limits.set(answer.from, answer.body.limit);
    else if (answer.body.accept) accepting.add(answer.from);
    else undecided.push(answer.from);
  }
  for (const [id, limit] of limits) if (isWithin(spec.side, price, limit)) accepting.add(id);
  const heard = { ...state, limits, undecided };
  if (accepting.size > 0) return sell(heard, accepting, env);
  return undecided.length === 0 ? settleByLimits(heard, env) : goOn(heard);
}

/** Nobody is left to ask: the best limit decides, at the first tick within it. */
function settleByLimits(state: DutchState, env: PureEnv): DutchStep {
  const { limits, price, spec } = state;
  const worth = worthOf(spec.side);
  let best: Amount | undefined;
  for (const limit of limits.values()) {
    if (best === undefined || worth(limit) > worth(best)) best = limit;
  }
  const tick = best === undefined ? undefined : tickReaching(ladderOf(spec), price, best);
  if (tick === undefined || !isCallable(spec, tick.price)) return noDeal(state);
  const within = [...limits].filter(([, limit]) => isWithin(spec.side, tick.price, limit));
  return sell({ ...state, price: tick.price }, new Set(within.map(([id]) => id)), env);
}

function goOn(state: DutchState): DutchStep {
  const { price, round, spec } = state;
  const next = tickAfter(ladderOf(spec), price);
  if (next === undefined || !isCallable(spec, next)) return noDeal(state);
  // Nobody has won or lost.
  if (round === spec.maxRounds) return end(state, { status: 'limit_reached' });
  return call({ ...state, price: next, round: round + 1 });
}

function call(state: DutchState): DutchStep {
  const { price, spec, undecided } = state;
  const { lot, side, roundMs: budgetMs } = spec;
  const body: PriceRequest = { lot, side, price };
  return {
    state,
    effects: [
      { kind: 'emit', name: 'price', facts: { price, asked: undecided.length } },
      { kind: 'ask', to: undecided, type: 'accept', body, budgetMs },
    ],
  };
}

function sell(state: DutchState, accepting: ReadonlySet<AgentId>, env: PureEnv): DutchStep {
  const { price, roster, spec } = state;
  const { lot, side } = spec;
  const accepted = roster.filter((id) => accepting.has(id));
  const { first: winner, tie } = breakTie(accepted, `winner of ${lot}`, env);
  const reasons: Record<AgentId, LossReason> = reasonsOf(state, 'outbid');
  for (const id of accepted) reasons[id] = id === winner ? 'won' : 'tie_lost';
  if (winner === undefined) return end(state, { status: 'tied', ...(tie && { tie }), reasons });
  const bids = accepted.map((agent) => ({ agent, amount: price }));
  return end(state, {
    status: 'decided',
    result: { lot, side, winner, price, bids },
    ...(tie && { tie }),
    reasons,
  });
}

function noDeal(state: DutchState): DutchStep {
  return end(state, { status: 'no_deal', reasons: reasonsOf(state, 'below_reserve') });
}

function end(state: DutchState, decision: Decision<OpenAuctionResult>): DutchStep {
  return { state, effects: [...awardOf(decision), { kind: 'finish', decision }] };
}

/** Of all who were ready to accept at some price. */
function reasonsOf(
  { limits, undecided }: DutchState,
  reason: LossReason,
): Record<AgentId, LossReason> {
  return Object.fromEntries([...limits.keys(), ...undecided].map((id) => [id, reason]));
}

function ladderOf({ side, increment }: DutchSpec): Ladder {
  return { direction: side === 'buy' ? 'up' : 'down', increment };
}

/** Whether a price is not past the reserve. */
function isCallable({ side = 'sell', reserve }: DutchSpec, price: Amount): boolean {
  return reserve === undefined || worthOf(side)(price) >= worthOf(side)(reserve);
}

function parseSpec(spec: unknown): Parsed<DutchSpec> {
  const open = parseFields(spec, '{ lot, start, increment, … }', (given) => ({
    ...openAuctionFields(given),
    start:
      given['start'] === undefined
        ? unparsed('start: expected the first price, got undefined')
        : parseAmount('start', given['start']),
  }));
  if (!open.ok || isCallable(open.value, open.value.start)) return open;
  const { start, reserve } = open.value;
  return unparsed(`start: expected a price up to the reserve of ${reserve}, got ${start}`);
}
