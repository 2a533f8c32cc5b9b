import type { Amount } from '../amount.ts';
import type { Order, OrderSide } from './orders.ts';

/** Where the orders of a market meet. */
export interface Clearing extends Margins {
  /** The most units that can be traded without a loss to anybody. Above 0. */
  readonly quantity: number;
}

/** The margin of each side. */
export interface Margins {
  readonly buy: Margin;
  readonly sell: Margin;
}

/** How far down a side orders are filled: better ones entirely, those at the margin in part, others not at all. */
export interface Margin {
  /** Of the worst orders that trade; absent if those are market orders. */
  readonly limit?: Amount;
  /** Units that the orders at the margin want, and those that they get in all. */
  readonly wanted: number;
  readonly units: number;
  /** The best limit of which units are left over, which may be the same one. */
  readonly next?: Amount;
}

/** Prices at which exactly the units of a clearing are traded. An end is absent if no limit bounds it. */
export interface Interval {
  readonly low?: Amount;
  readonly high?: Amount;
}

/**
 * Meets the best bids with the best asks as long as they cross. Market orders come first, on both sides.
 * Needs O(n).
 *
 * @returns nothing if no orders cross.
 */
export function clear(orders: readonly Order[]): Clearing | undefined {
  const bids = new Queue(orders, 'buy');
  const asks = new Queue(orders, 'sell');
  let quantity = 0;
  for (;;) {
    const [bid, ask] = [bids.first, asks.first];
    if (bid === undefined || ask === undefined || !cross(bid, ask)) break;
    const units = Math.min(bids.left, asks.left);
    quantity += units;
    bids.take(units);
    asks.take(units);
  }
  const [buy, sell] = [bids.margin, asks.margin];
  return buy && sell && { quantity, buy, sell };
}

/** [max(s_q, b_{q+1}), min(b_q, s_{q+1})] of the limits of q units that trade and those that do not. */
export function intervalOf({ buy, sell }: Margins): Interval {
  const low = largest(sell.limit, buy.next);
  const high = least(buy.limit, sell.next);
  return { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
}

/** Whether an order stands before the margin, at it or behind it: 1, 0 or -1. */
export function standing({ side, limit }: Order, margin: Margin): -1 | 0 | 1 {
  if (limit === margin.limit) return 0;
  if (limit === undefined) return 1;
  if (margin.limit === undefined) return -1;
  return (side === 'buy' ? limit > margin.limit : limit < margin.limit) ? 1 : -1;
}

/** Orders of one side with the same limit. */
interface Level {
  /** Absent for market orders. */
  readonly limit?: Amount;
  readonly wanted: number;
}

function cross(bid: Level, ask: Level): boolean {
  return bid.limit === undefined || ask.limit === undefined || bid.limit >= ask.limit;
}

/** The orders of one side, best first, as they are taken. */
class Queue {
  readonly #levels: Iterator<Level, undefined>;
  /** The best orders of which something is left, and those that come after. */
  #first: Level | undefined;
  #second: Level | undefined;
  #taken = 0;
  /** The worst orders that were taken entirely. */
  #gone: Level | undefined;

  constructor(orders: readonly Order[], side: OrderSide) {
    this.#levels = levelsOf(orders, side);
    this.#first = this.#levels.next().value;
    this.#second = this.#levels.next().value;
  }

  get first(): Level | undefined {
    return this.#first;
  }

  get left(): number {
    return (this.#first?.wanted ?? 0) - this.#taken;
  }

  take(units: number): void {
    this.#taken += units;
    if (this.left > 0) return;
    this.#gone = this.#first;
    this.#first = this.#second;
    this.#second = this.#levels.next().value;
    this.#taken = 0;
  }

  /** The worst orders of which something was taken, and the best limit of which something is left. */
  get margin(): Margin | undefined {
    const worst = this.#taken > 0 ? this.#first : this.#gone;
    if (worst === undefined) return undefined;
    const next = this.#first?.limit ?? this.#second?.limit;
    const units = this.#taken > 0 ? this.#taken : worst.wanted;
    return { ...worst, units, ...(next === undefined ? {} : { next }) };
  }
}

/**
 * Orders of one side by limit.
 *
 * @yields best first: market orders, if any, then the others. What is not asked for is not read.
 */
function* levelsOf(orders: readonly Order[], side: OrderSide): Generator<Level, undefined> {
  const limits = new DataView(new ArrayBuffer(orders.length * 8));
  const quantities = new Uint32Array(orders.length);
  let count = 0;
  let atMarket = 0;
  for (const order of orders) {
    if (order.side !== side) continue;
    if (order.limit === undefined) {
      atMarket += order.quantity;
      continue;
    }
    limits.setBigUint64(count * 8, order.limit, true);
    quantities[count] = order.quantity;
    count++;
  }
  if (atMarket > 0) yield { wanted: atMarket };
  const rising = risingPlaces(new Uint8Array(limits.buffer, 0, count * 8));
  const places = side === 'buy' ? rising.toReversed() : rising;
  let level: Level | undefined;
  for (const place of places) {
    const limit = limits.getBigUint64(place * 8, true);
    const quantity = quantities[place] ?? 0;
    if (limit === level?.limit) level = { limit, wanted: level.wanted + quantity };
    else {
      if (level !== undefined) yield level;
      level = { limit, wanted: quantity };
    }
  }
  if (level !== undefined) yield level;
  return undefined;
}

/**
 * Places of 64-bit words, least first. A radix sort from the last byte to the first: to compare so many bigints
 * takes several times as long.
 */
function risingPlaces(words: Uint8Array): Uint32Array {
  const count = words.length / 8;
  let places = new Uint32Array(count);
  for (let place = 0; place < count; place++) places[place] = place;
  for (let byte = 0; byte < 8; byte++) {
    // How many are less than a value, then where the next one of it goes.
    const starts = new Uint32Array(257);
    for (let at = byte; at < words.length; at += 8) {
      const value = words[at] ?? 0;
      starts[value + 1] = (starts[value + 1] ?? 0) + 1;
    }
    if (starts.includes(count)) continue;
    for (let value = 1; value < 257; value++) {
      starts[value] = (starts[value] ?? 0) + (starts[value - 1] ?? 0);
    }
    const sorted = new Uint32Array(count);
    for (const place of places) {
      const value = words[place * 8 + byte] ?? 0;
      const start = starts[value] ?? 0;
      sorted[start] = place;
      starts[value] = start + 1;
    }
    places = sorted;
  }
  return places;
}

function largest(left: Amount | undefined, right: Amount | undefined): Amount | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left > right ? left : right;
}

function least(left: Amount | undefined, right: Amount | undefined): Amount | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left < right ? left : right;
}
