import type { Amount } from '../amount.ts';
import { orDefaults, parseFields, parseMs, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { type Parsed } from '../parse.ts';
import type {
  Answer,
  AskEffect,
  Decision,
  EmitEffect,
  LossReason,
  OkAnswer,
  Protocol,
  PureEnv,
  Step,
  TellEffect,
} from '../protocol.ts';
import { parseLot } from './auction-terms.ts';
import type { RestingOrder } from './book-side.ts';
import { type BookTrade, OrderBook } from './order-book.ts';
import { inOrder } from './ration.ts';
import {
  type OwnOrder,
  type OwnTrade,
  parseTrade,
  type TradeReply,
  type TradeRequest,
  tradeQuestion,
} from './trade-question.ts';
import {
  type ContinuousMarketResult,
  type Position,
  resultOf,
  trade,
  type Trading,
  tradingProblems,
} from './trading.ts';

/** What is traded, and for how long. */
export interface ContinuousMarketSpec {
  /** Name of what is traded, up to 256 characters. */
  readonly lot: string;
  /** It closes after so many rounds: 1 to 10,000. @defaultValue 100 */
  readonly rounds?: number;
  /** It closes earlier when nobody has traded for so many rounds: 1 to 10,000. @defaultValue 3 */
  readonly idleRounds?: number;
  /** Milliseconds that traders have to answer in each round. @defaultValue 1_000 */
  readonly roundMs?: number;
  /** Prices of each side of the book that traders are shown: 1 to 1,000. @defaultValue 10 */
  readonly depth?: number;
}

/** Body of the `market_closed` notice, which everybody gets who has placed orders. */
export interface MarketClosedNotice {
  readonly lot: string;
  /** One's own trades of the last round. */
  readonly trades: readonly OwnTrade[];
  /** What one has traded in all; absent if that is nothing. */
  readonly position?: Position;
}

type Terms = Required<ContinuousMarketSpec>;

/** A continuous market between two rounds. */
interface MarketState {
  readonly terms: Terms;
  readonly roster: readonly AgentId[];
  /** The round that is under way. */
  readonly round: number;
  /** Rounds since the last trade. */
  readonly idle: number;
  readonly nextId: number;
  /** What waits in the book. */
  readonly resting: readonly RestingOrder[];
  readonly lastPrice?: Amount;
  /** Round by round. */
  readonly history: readonly Trading[];
  /** Of everybody who has answered. */
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

type MarketStep = Step<MarketState, ContinuousMarketResult>;

/** A continuous market. */
export type ContinuousMarket = Protocol<
  ContinuousMarketSpec,
  TradeReply,
  MarketState,
  ContinuousMarketResult
>;

const defaults = { rounds: 100, idleRounds: 3, roundMs: 1_000, depth: 10 } as const;
const roundsMax = 10_000;

/**
 * A continuous double auction: orders wait in a book, and whoever comes with a better one trades at once, at the price of
 * the order that waited (price and time priority, as on stock exchanges).
 *
 * It goes by rounds, so that it does not matter who is faster: each asks everybody, and those who do something come to the
 * book one after the other, in an order that is drawn anew each round.
 */
export const continuousMarket: ContinuousMarket = {
  name: 'market.continuous',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'strong',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => roundsMax,
    maxMessages: (n) => 2 * n * roundsMax + n,
  },
  parseSpec,
  parseReply: (_type, body) => parseTrade(body),
  init(spec, roster) {
    const terms = { ...defaults, ...spec };
    const begun = { round: 1, idle: 0, nextId: 1, resting: [], history: [], reasons: {} };
    const state = { terms, roster, ...begun };
    return roster.length === 0
      ? end(state, [], { status: 'no_deal' })
      : ask(state, new OrderBook(), []);
  },
  on: (state, { answers }, env) => onAnswers(state, answers.filter(isOk), env),
  verify(spec, { result, roster }) {
    if (result === undefined) return [];
    const { rounds } = { ...defaults, ...spec };
    const late = result.rounds > rounds ? [`${result.rounds} rounds, more than ${rounds}`] : [];
    return [...late, ...tradingProblems(result, roster)];
  },
};

function isOk(answer: Answer<TradeReply>): answer is OkAnswer<TradeReply> {
  return answer.kind === 'ok';
}

/** Silence leaves one's orders in the book: an offer holds until it is cancelled. */
function onAnswers(
  state: MarketState,
  answers: readonly OkAnswer<TradeReply>[],
  env: PureEnv,
): MarketStep {
  const { idle, lastPrice, nextId, round, terms } = state;
  const replies = new Map(answers.map(({ body, from }) => [from, body]));
  const acting = answers.filter(({ body }) => body.cancel.length + body.orders.length > 0);
  const { order, ...tie } = inOrder(
    acting.map(({ from }) => from),
    `round ${round} of ${terms.lot}`,
    env,
  );
  const reasons = { ...state.reasons, ...placedReasons(state, answers) };
  if (order === undefined) return end(state, [], { status: 'tied', ...tie, reasons });

  const book = new OrderBook(state.resting);
  const turns = order.flatMap((agent): [AgentId, TradeReply][] => {
    const reply = replies.get(agent);
    return reply === undefined ? [] : [[agent, reply]];
  });
  const { actions, trades } = trade(book, turns, nextId);
  const price = trades.at(-1)?.price ?? lastPrice;
  const after: MarketState = {
    ...state,
    idle: trades.length === 0 ? idle + 1 : 0,
    nextId: nextId + actions.filter(({ kind }) => kind === 'place').length,
    resting: book.resting(),
    ...(price === undefined ? {} : { lastPrice: price }),
    history: [...state.history, { actions, trades }],
    reasons: { ...reasons, ...wonReasons(trades) },
  };
  const isOver = round === terms.rounds || after.idle >= terms.idleRounds;
  return isOver ? close(after, trades) : ask({ ...after, round: round + 1 }, book, trades);
}

/** `declined`: has placed no orders so far. */
function placedReasons(
  { reasons }: MarketState,
  answers: readonly OkAnswer<TradeReply>[],
): Readonly<Record<AgentId, LossReason>> {
  return Object.fromEntries(
    answers.map(({ body, from }): [AgentId, LossReason] => {
      const before = reasons[from] ?? 'declined';
      return [from, before === 'declined' && body.orders.length > 0 ? 'outbid' : before];
    }),
  );
}

function wonReasons(trades: readonly BookTrade[]): Readonly<Record<AgentId, LossReason>> {
  return Object.fromEntries(
    trades.flatMap(({ buyer, seller }) => [buyer, seller]).map((agent) => [agent, 'won'] as const),
  );
}

/** Each sees the book, and its own orders and trades. */
// oxlint-disable-next-line max-params -- whom, and what they are shown
function ask(state: MarketState, book: OrderBook, trades: readonly BookTrade[]): MarketStep {
  const { lastPrice, resting, roster, terms } = state;
  const { lot, rounds, roundMs: budgetMs } = terms;
  const { bids, asks } = book.depth(terms.depth);
  const own = ownTrades(trades);
  const ordersOf = Map.groupBy(resting, ({ agent }) => agent);
  const market = { lot, rounds, bids, asks, ...(lastPrice === undefined ? {} : { lastPrice }) };
  const requests = roster.map((id): AskEffect => {
    const orders = (ordersOf.get(id) ?? []).map(ownOrder);
    const body: TradeRequest = { ...market, orders, trades: own.get(id) ?? [] };
    return { kind: 'ask', to: [id], type: tradeQuestion.type, body, budgetMs };
  });
  return { state, effects: [...tradeEvents(trades), ...requests] };
}

function ownOrder({ id, left, limit, side }: RestingOrder): OwnOrder {
  return { id, side, limit, left };
}

function close(state: MarketState, trades: readonly BookTrade[]): MarketStep {
  const { history, reasons, resting: open, roster, round: rounds, terms } = state;
  const { lot } = terms;
  const trading = {
    actions: history.flatMap(({ actions }) => actions),
    trades: history.flatMap((each) => each.trades),
  };
  const result = resultOf(trading, { lot, rounds, open }, roster);
  const decision: Decision<ContinuousMarketResult> =
    result === undefined ? { status: 'no_deal', reasons } : { status: 'decided', result, reasons };
  const own = ownTrades(trades);
  const positions = new Map(result?.positions.map((position) => [position.agent, position]));
  const notices = roster
    .filter((id) => reasons[id] === 'won' || reasons[id] === 'outbid')
    .map((id): TellEffect => {
      const position = positions.get(id);
      const last = { lot, trades: own.get(id) ?? [] };
      const body: MarketClosedNotice = position === undefined ? last : { ...last, position };
      return { kind: 'tell', to: [id], type: 'market_closed', body };
    });
  return end(state, [...tradeEvents(trades), ...notices], decision);
}

function end(
  state: MarketState,
  effects: readonly (EmitEffect | TellEffect)[],
  decision: Decision<ContinuousMarketResult>,
): MarketStep {
  return { state, effects: [...effects, { kind: 'finish', decision }] };
}

function ownTrades(trades: readonly BookTrade[]): ReadonlyMap<AgentId, readonly OwnTrade[]> {
  const own = trades.flatMap(({ buy, buyer, price, quantity, sell, seller }) => [
    { agent: buyer, own: { order: buy, side: 'buy' as const, price, quantity } },
    { agent: seller, own: { order: sell, side: 'sell' as const, price, quantity } },
  ]);
  const groups = Map.groupBy(own, ({ agent }) => agent);
  return new Map([...groups].map(([agent, each]) => [agent, each.map((one) => one.own)]));
}

function tradeEvents(trades: readonly BookTrade[]): readonly EmitEffect[] {
  return trades.map(({ buyer, price, quantity, seller, taker }) => {
    return { kind: 'emit', name: 'trade', facts: { price, quantity, buyer, seller, taker } };
  });
}

function parseSpec(spec: unknown): Parsed<ContinuousMarketSpec> {
  return parseFields(spec, '{ lot, rounds?, … }', ({ lot, ...given }) => {
    const { rounds, idleRounds, roundMs, depth } = orDefaults(given, defaults);
    return {
      lot: parseLot(lot),
      rounds: parseWhole('rounds', rounds, { max: roundsMax }),
      idleRounds: parseWhole('idleRounds', idleRounds, { max: roundsMax }),
      roundMs: parseMs('roundMs', roundMs),
      depth: parseWhole('depth', depth, { max: 1_000 }),
    };
  });
}
