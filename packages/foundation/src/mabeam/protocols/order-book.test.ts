import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { DepthLevel, RestingOrder } from './book-side.ts';
import { type BookOrder, type BookTrade, OrderBook, restingOrdersMax } from './order-book.ts';
import type { OrderSide } from './orders.ts';

/** Agent, side, quantity and limit; none for a market order. */
type Line = readonly [agent: string, side: OrderSide, quantity: number, limit?: number | undefined];

function order(id: number, [agent, side, quantity, limit]: Line): BookOrder {
  const known = { id, agent, side, quantity };
  return limit === undefined ? known : { ...known, limit: BigInt(limit) };
}

/** A book in which these were placed, with ids from 1, and what the last of them has traded. */
function bookOf(...lines: readonly Line[]): { book: OrderBook; trades: readonly BookTrade[] } {
  const book = new OrderBook();
  let trades: readonly BookTrade[] = [];
  for (const [index, line] of lines.entries()) trades = book.place(order(index + 1, line));
  return { book, trades };
}

/** `price × quantity with seller or buyer` of trades. */
function shown(trades: readonly BookTrade[]): readonly string[] {
  return trades.map((trade) => {
    const other = trade.taker === 'buy' ? trade.seller : trade.buyer;
    return `${trade.price} × ${trade.quantity} with ${other}`;
  });
}

const level = (price: bigint, units: number): DepthLevel => ({ price, units });

describe('an order book', () => {
  it('trades with the best price first, then with the oldest, at the prices of those who waited', () => {
    const { book, trades } = bookOf(
      ['a', 'sell', 5, 12],
      ['b', 'sell', 5, 10],
      ['c', 'sell', 5, 11],
      ['d', 'sell', 5, 10],
      ['e', 'buy', 13, 11],
    );
    expect(shown(trades)).toEqual(['10 × 5 with b', '10 × 5 with d', '11 × 3 with c']);
    expect(trades[2]).toEqual({
      price: 11n,
      quantity: 3,
      buyer: 'e',
      seller: 'c',
      buy: 5,
      sell: 3,
      taker: 'buy',
    });
    expect(book.depth(9)).toEqual({ bids: [], asks: [level(11n, 2), level(12n, 5)] });
  });

  it('keeps what is left of a limit order, and nothing of a market order', () => {
    const { book, trades } = bookOf(
      ['a', 'buy', 2, 9],
      ['b', 'buy', 2, 8],
      ['c', 'sell', 3],
      ['d', 'sell', 9],
      ['e', 'sell', 4, 7],
    );
    expect(trades).toEqual([]);
    expect(book.resting()).toEqual([{ id: 5, agent: 'e', side: 'sell', limit: 7n, left: 4 }]);
    expect(shown(book.place(order(6, ['f', 'buy', 6, 9])))).toEqual(['7 × 4 with e']);
    expect(book.depth(9)).toEqual({ bids: [level(9n, 2)], asks: [] });
  });

  it('keeps the place of what was filled in part, and loses that of what was cancelled', () => {
    const { book } = bookOf(['a', 'buy', 5, 9], ['b', 'buy', 5, 9], ['c', 'sell', 2, 9]);
    expect(shown(book.place(order(4, ['d', 'sell', 4, 9])))).toEqual([
      '9 × 3 with a',
      '9 × 1 with b',
    ]);
    book.place(order(5, ['a', 'buy', 1, 9]));
    book.cancel(2);
    book.cancel(2);
    book.cancel(77);
    book.place(order(6, ['b', 'buy', 1, 9]));
    expect(book.order(2)).toBeUndefined();
    expect(shown(book.place(order(7, ['d', 'sell', 2])))).toEqual(['9 × 1 with a', '9 × 1 with b']);
  });

  it('never has anybody trade with itself: its older order is taken off', () => {
    const { book, trades } = bookOf(
      ['b', 'sell', 1, 8],
      ['a', 'sell', 3, 9],
      ['c', 'sell', 1, 9],
      ['a', 'buy', 3, 9],
    );
    expect(shown(trades)).toEqual(['8 × 1 with b', '9 × 1 with c']);
    expect(book.resting()).toEqual([{ id: 4, agent: 'a', side: 'buy', limit: 9n, left: 1 }]);
    // What stands behind where the new one ends stays.
    const { book: other } = bookOf(['b', 'sell', 3, 8], ['a', 'sell', 3, 9], ['a', 'buy', 2, 9]);
    expect(other.order(2)).toMatchObject({ left: 3 });
  });

  it('keeps at most so many orders of one trader', () => {
    const book = new OrderBook();
    for (let id = 1; id <= restingOrdersMax + 1; id++) {
      book.place(order(id, ['a', 'sell', 1, 1_000 + id]));
    }
    expect(book.resting()).toHaveLength(restingOrdersMax);
    book.place(order(5_000, ['b', 'buy', 1, 9]));
    expect(shown(book.place(order(5_001, ['a', 'sell', 2, 9])))).toEqual(['9 × 1 with b']);
    expect(book.order(5_001)).toBeUndefined();
    book.cancel(1);
    book.place(order(5_002, ['a', 'sell', 2, 9]));
    expect(book.order(5_002)).toBeDefined();
  });

  it('shows as many prices as are asked for', () => {
    const { book } = bookOf(['a', 'buy', 1, 1], ['a', 'buy', 2, 3], ['a', 'buy', 3, 2]);
    expect(book.depth(2).bids).toEqual([level(3n, 2), level(2n, 3)]);
    expect(book.depth(0)).toEqual({ bids: [], asks: [] });
  });
});

/** The same book without any structure: it looks through all orders each time. */
class PlainBook {
  orders: RestingOrder[] = [];

  place({ id, agent, side, quantity, limit }: BookOrder): readonly BookTrade[] {
    const isBuy = side === 'buy';
    const trades: BookTrade[] = [];
    let left = quantity;
    while (left > 0) {
      const [best] = this.orders
        .filter((other) => other.side !== side)
        .filter(
          (other) => limit === undefined || (isBuy ? other.limit <= limit : other.limit >= limit),
        )
        .toSorted((one, other) => {
          const gap = isBuy ? one.limit - other.limit : other.limit - one.limit;
          return gap === 0n ? one.id - other.id : Number(gap);
        });
      if (best === undefined) break;
      this.cancel(best.id);
      if (best.agent === agent) continue;
      const units = Math.min(left, best.left);
      const [buy, sell] = isBuy ? [{ id, agent }, best] : [best, { id, agent }];
      const who = { buyer: buy.agent, seller: sell.agent, buy: buy.id, sell: sell.id, taker: side };
      trades.push({ price: best.limit, quantity: units, ...who });
      left -= units;
      if (best.left > units) this.orders.push({ ...best, left: best.left - units });
    }
    if (left > 0 && limit !== undefined) this.orders.push({ id, agent, side, limit, left });
    return trades;
  }

  cancel(id: number): void {
    this.orders = this.orders.filter((other) => other.id !== id);
  }

  levels(side: OrderSide): readonly DepthLevel[] {
    const own = this.orders.filter((each) => each.side === side);
    return [...Map.groupBy(own, ({ limit }) => limit)]
      .map(([price, at]) =>
        level(
          price,
          at.reduce((sum, { left }) => sum + left, 0),
        ),
      )
      .toSorted((one, other) =>
        Number(side === 'buy' ? other.price - one.price : one.price - other.price),
      );
  }
}

const line = fc.tuple(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.constantFrom<OrderSide>('buy', 'sell'),
  fc.integer({ min: 1, max: 6 }),
  fc.option(fc.nat(9), { nil: undefined, freq: 5 }),
);
const moves = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: line.map((placed) => ({ kind: 'place' as const, placed })) },
    { weight: 2, arbitrary: fc.nat(60).map((id) => ({ kind: 'cancel' as const, id })) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  ),
  { maxLength: 60 },
);

describe('an order book does what one without structure does', () => {
  it('trade by trade, also when it is written down and read again, and is never crossed', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const plain = new PlainBook();
        let book = new OrderBook();
        let id = 0;
        for (const move of all) {
          const traded: (readonly BookTrade[])[] = [];
          if (move.kind === 'reopen') book = new OrderBook(book.resting());
          else if (move.kind === 'cancel') {
            plain.cancel(move.id);
            book.cancel(move.id);
          } else {
            const placed = order(++id, move.placed);
            traded.push(book.place(placed), plain.place(placed));
          }
          expect(traded[0]).toEqual(traded[1]);
          const resting = plain.orders.toSorted((one, other) => one.id - other.id);
          expect(book.resting()).toEqual(resting);
          const { bids, asks } = book.depth(100);
          expect([bids, asks]).toEqual([plain.levels('buy'), plain.levels('sell')]);
          const [bid = -1n, ask = 99n] = [bids[0]?.price, asks[0]?.price];
          expect(bid).toBeLessThan(ask);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('with thousands of prices, which come and go in any order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.constantFrom('buy', 'sell'),
        (seed, side) => {
          const book = new OrderBook();
          const left = new Map<bigint, number>();
          const check = (): void => {
            const prices = new BigUint64Array(left.keys()).toSorted();
            const best = side === 'buy' ? prices.toReversed() : prices;
            const levels = book.depth(5_000)[side === 'buy' ? 'bids' : 'asks'];
            expect(levels.map(({ price }) => price)).toEqual([...best]);
          };
          for (let id = 1; id <= 2_000; id++) {
            const limit = BigInt((id * seed) % 1_000_003);
            if (left.has(limit)) continue;
            left.set(limit, id);
            book.place({ id, agent: `agent-${id}`, side, quantity: 1, limit });
          }
          check();
          for (const [price, id] of left) {
            if (id % 3 === 0) continue;
            book.cancel(id);
            left.delete(price);
          }
          check();
          // One who takes all of them, best first.
          const taker = side === 'buy' ? 'sell' : 'buy';
          const all = book.place({ id: 9_999, agent: 'taker', side: taker, quantity: 5_000 });
          const prices = [...new BigUint64Array(left.keys()).toSorted()];
          expect(all.map(({ price }) => price)).toEqual(
            taker === 'buy' ? prices : prices.toReversed(),
          );
          expect(book.resting()).toEqual([]);
          book.place({ id: 10_000, agent: 'last', side, quantity: 1, limit: 7n });
          expect(book.depth(1)[side === 'buy' ? 'bids' : 'asks']).toEqual([level(7n, 1)]);
        },
      ),
      { numRuns: 10 },
    );
  });
});
