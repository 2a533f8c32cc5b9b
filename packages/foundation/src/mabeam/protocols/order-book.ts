import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import { BookSide, type DepthLevel, type Entry, type RestingOrder } from './book-side.ts';
import type { OrderSide, PlacedOrder } from './orders.ts';

/** Most orders of one trader that rest in a book at once; what is left of further ones is not kept. */
export const restingOrdersMax = 1_000;

/** An order that comes to a book. */
export interface BookOrder extends PlacedOrder {
  /** Greater than that of every order before. */
  readonly id: number;
}

/** Two orders that met. */
export interface BookTrade {
  /** The limit of the order that was there before. */
  readonly price: Amount;
  readonly quantity: number;
  readonly buyer: AgentId;
  readonly seller: AgentId;
  /** Ids of the orders. */
  readonly buy: number;
  readonly sell: number;
  /** Which of the two came to meet the other. */
  readonly taker: OrderSide;
}

/** The best prices of a book, best first. */
export interface BookDepth {
  readonly bids: readonly DepthLevel[];
  readonly asks: readonly DepthLevel[];
}

/**
 * Limit orders that wait for others, by price and then by age. An order that comes trades with the best ones of the
 * other side as long as they cross, at their prices; what is left of it waits, unless it has no limit. So no two
 * orders of a book ever cross.
 *
 * Nobody trades with itself: an own order that stands in the way of a new one is taken off.
 *
 * It changes in place. Placing and cancelling take O(log P) steps for P prices, and one for each trade.
 */
export class OrderBook {
  readonly #sides = { buy: new BookSide('buy'), sell: new BookSide('sell') };
  readonly #orders = new Map<number, Entry>();
  readonly #counts = new Map<AgentId, number>();

  /** @param orders - What rests in it, in the order of the ids. */
  constructor(orders: readonly RestingOrder[] = []) {
    for (const { left, ...order } of orders) this.#rest(order, left);
  }

  /** Trades an order as far as it goes; what is left rests. */
  place(order: BookOrder): readonly BookTrade[] {
    const others = this.#sides[order.side === 'buy' ? 'sell' : 'buy'];
    const trades: BookTrade[] = [];
    let left = order.quantity;
    while (left > 0) {
      const first = others.first;
      if (first === undefined || !crosses(order, first.limit)) break;
      if (first.agent === order.agent) {
        this.#remove(first);
        continue;
      }
      const quantity = Math.min(left, first.left);
      trades.push(tradeOf(order, first, quantity));
      left -= quantity;
      if (quantity === first.left) this.#remove(first);
      else others.fill(first, quantity);
    }
    const { id, agent, side, limit } = order;
    const rests = limit !== undefined && (this.#counts.get(agent) ?? 0) < restingOrdersMax;
    if (left > 0 && rests) this.#rest({ id, agent, side, limit }, left);
    return trades;
  }

  /** Takes an order off, if it is there. */
  cancel(id: number): void {
    const entry = this.#orders.get(id);
    if (entry !== undefined) this.#remove(entry);
  }

  /** An order that rests here. */
  order(id: number): RestingOrder | undefined {
    return this.#orders.get(id);
  }

  /** What rests here, in the order of the ids. */
  resting(): readonly RestingOrder[] {
    // Each order has come after all that were here.
    return Array.from(this.#orders.values(), ({ id, agent, side, limit, left }) => {
      return { id, agent, side, limit, left };
    });
  }

  /** @param levelsMax - Most prices of each side. */
  depth(levelsMax: number): BookDepth {
    const { buy, sell } = this.#sides;
    return { bids: buy.depth(levelsMax), asks: sell.depth(levelsMax) };
  }

  #rest(order: Omit<RestingOrder, 'left'>, left: number): void {
    const entry = this.#sides[order.side].add(order, left);
    this.#orders.set(order.id, entry);
    this.#counts.set(order.agent, (this.#counts.get(order.agent) ?? 0) + 1);
  }

  #remove(entry: Entry): void {
    this.#sides[entry.side].remove(entry);
    this.#orders.delete(entry.id);
    this.#counts.set(entry.agent, (this.#counts.get(entry.agent) ?? 1) - 1);
  }
}

function crosses({ side, limit }: BookOrder, price: Amount): boolean {
  if (limit === undefined) return true;
  return side === 'buy' ? limit >= price : limit <= price;
}

// oxlint-disable-next-line max-params -- who meets whom, for how many units
function tradeOf(taker: BookOrder, maker: RestingOrder, quantity: number): BookTrade {
  const [buy, sell] = taker.side === 'buy' ? [taker, maker] : [maker, taker];
  return {
    price: maker.limit,
    quantity,
    buyer: buy.agent,
    seller: sell.agent,
    buy: buy.id,
    sell: sell.id,
    taker: taker.side,
  };
}
