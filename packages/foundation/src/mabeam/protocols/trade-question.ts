import { type Amount, parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import type { DepthLevel, RestingOrder } from './book-side.ts';
import { restingOrdersMax } from './order-book.ts';
import { type Order, type OrderSide, parseOrders } from './orders.ts';

/** An own order that rests in the book. */
export type OwnOrder = Omit<RestingOrder, 'agent'>;

/** A trade of one's own. With whom is not said before the market has closed. */
export interface OwnTrade {
  /** Id of the own order. */
  readonly order: number;
  readonly side: OrderSide;
  readonly price: Amount;
  readonly quantity: number;
}

/** Body of a `trade` request: the market as its recipient sees it. */
export interface TradeRequest {
  /** Name of what is traded. */
  readonly lot: string;
  /** Most rounds that there will be. */
  readonly rounds: number;
  /** The best prices, best first, with the units that wait at each. */
  readonly bids: readonly DepthLevel[];
  readonly asks: readonly DepthLevel[];
  /** Of the last trade of anybody. */
  readonly lastPrice?: Amount;
  /** One's own orders in the book, oldest first. */
  readonly orders: readonly OwnOrder[];
  /** One's own trades of the round before. */
  readonly trades: readonly OwnTrade[];
}

/** What a trader is asked each round. */
export interface TradeQuestion extends TradeRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** What a trader does in a round: first it cancels, then it places. */
export interface TradeAnswer {
  /** Ids of own orders. Those that are gone by now are passed over. */
  readonly cancel?: readonly number[];
  /** @defaultValue none */
  readonly orders?: readonly Order[];
}

/** Body of the answer. */
export type TradeReply = Required<TradeAnswer>;

/** Asks a trader of a continuous market what it does. */
export const tradeQuestion: Question<TradeQuestion, TradeAnswer> = {
  type: 'trade',
  parse: parseQuestion,
  reply: (answer) => parseTrade(answer),
};

/** Reads the body of an answer. Limits may be decimal strings. */
export function parseTrade(body: unknown): Parsed<TradeReply> {
  if (!isRecord(body)) return unparsed(`body: expected { cancel?, orders? }, got ${shown(body)}`);
  const extra = unknownField(body, ['cancel', 'orders']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { cancel = [], orders = [] } = body;
  if (!Array.isArray(cancel) || cancel.length > restingOrdersMax) {
    return unparsed(`body.cancel: expected at most ${restingOrdersMax} ids, got ${shown(cancel)}`);
  }
  const ids: number[] = [];
  for (const [index, id] of cancel.entries()) {
    if (!isCount(id)) {
      return unparsed(`body.cancel[${index}]: expected the id of an order, got ${shown(id)}`);
    }
    ids.push(id);
  }
  const placed = parseOrders({ orders });
  return placed.ok ? parsed({ cancel: ids, orders: placed.value.orders }) : placed;
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<TradeQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, bids, asks, … }, got ${shown(body)}`);
  const { lot, rounds } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  if (!isCount(rounds)) {
    return unparsed(`body.rounds: expected a whole number, got ${shown(rounds)}`);
  }
  const bids = parseList('bids', body['bids'], parseLevel);
  if (!bids.ok) return bids;
  const asks = parseList('asks', body['asks'], parseLevel);
  if (!asks.ok) return asks;
  const orders = parseList('orders', body['orders'], parseOwnOrder);
  if (!orders.ok) return orders;
  const trades = parseList('trades', body['trades'], parseOwnTrade);
  if (!trades.ok) return trades;
  const lists = {
    bids: bids.value,
    asks: asks.value,
    orders: orders.value,
    trades: trades.value,
  };
  const known = { lot, rounds, round, ...lists };
  if (body['lastPrice'] === undefined) return parsed(known);
  const lastPrice = parseAmount('body.lastPrice', body['lastPrice']);
  return lastPrice.ok ? parsed({ ...known, lastPrice: lastPrice.value }) : lastPrice;
}

type Reader<T> = (field: string, value: Readonly<Record<string, unknown>>) => Parsed<T>;

// oxlint-disable-next-line max-params -- what it is called, what it is, how each is read
function parseList<T>(name: string, value: unknown, read: Reader<T>): Parsed<readonly T[]> {
  if (!Array.isArray(value)) {
    return unparsed(`body.${name}: expected a list, got ${shown(value)}`);
  }
  const list: T[] = [];
  for (const [index, each] of value.entries()) {
    const field = `body.${name}[${index}]`;
    if (!isRecord(each)) return unparsed(`${field}: expected an object, got ${shown(each)}`);
    const one = read(field, each);
    if (!one.ok) return one;
    list.push(one.value);
  }
  return parsed(list);
}

const parseLevel: Reader<DepthLevel> = (field, { price, units }) => {
  const amount = parseAmount(`${field}.price`, price);
  if (!amount.ok) return amount;
  return isCount(units)
    ? parsed({ price: amount.value, units })
    : unparsed(`${field}.units: expected a whole number, got ${shown(units)}`);
};

const parseOwnOrder: Reader<OwnOrder> = (field, { id, side, limit, left }) => {
  const amount = parseAmount(`${field}.limit`, limit);
  if (!amount.ok) return amount;
  return isCount(id) && isCount(left) && isOrderSide(side)
    ? parsed({ id, side, limit: amount.value, left })
    : unparsed(`${field}: expected { id, side, limit, left }`);
};

const parseOwnTrade: Reader<OwnTrade> = (field, { order, side, price, quantity }) => {
  const amount = parseAmount(`${field}.price`, price);
  if (!amount.ok) return amount;
  return isCount(order) && isCount(quantity) && isOrderSide(side)
    ? parsed({ order, side, price: amount.value, quantity })
    : unparsed(`${field}: expected { order, side, price, quantity }`);
};

function isOrderSide(value: unknown): value is OrderSide {
  return value === 'buy' || value === 'sell';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
