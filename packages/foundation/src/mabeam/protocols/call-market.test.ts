import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { amountMax } from '../amount.ts';
import type { Decision, PureEnv } from '../protocol.ts';
import { verify } from '../verify.ts';
import { builtInProtocols } from './built-in.ts';
import { callMarket, type CallMarketResult, settleCall } from './call-market.ts';
import type { OrderSide, PlacedOrder } from './orders.ts';

const env: PureEnv = { seed: 'seed', tie: 'seeded' };

/** Orders for one unit each, of b1, b2, … and s1, s2, … */
function unitOrders(bids: readonly number[], asks: readonly number[]): readonly PlacedOrder[] {
  const units = (side: OrderSide, limits: readonly number[]): PlacedOrder[] =>
    limits.map((limit, index) => ({
      agent: `${side[0]}${index + 1}`,
      side,
      quantity: 1,
      limit: BigInt(limit),
    }));
  return [...units('buy', bids), ...units('sell', asks)];
}

function cleared(bids: readonly number[], asks: readonly number[]): Decision<CallMarketResult> {
  return settleCall(unitOrders(bids, asks), { lot: 'lot' }, env);
}

/** Agent, side, quantity and limit; none for a market order. */
type Line = readonly [agent: string, side: OrderSide, quantity: number, limit?: number];

function placed(...lines: readonly Line[]): readonly PlacedOrder[] {
  return lines.map(([agent, side, quantity, limit]) => ({
    agent,
    side,
    quantity,
    ...(limit === undefined ? {} : { limit: BigInt(limit) }),
  }));
}

describe('a call market', () => {
  it('trades every unit that can be traded, at one price in the clearing interval', () => {
    const { result, reasons } = cleared([9, 8, 7, 4], [2, 3, 4, 5]);
    expect(result).toMatchObject({ quantity: 3, low: 4n, high: 5n, price: 4n, surplus: 15n });
    expect(result?.fills).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
    expect(reasons).toMatchObject({ b1: 'won', b4: 'outbid', s3: 'won', s4: 'outbid' });
  });

  it('finds the interval and welfare of larger books', () => {
    const { result } = cleared([170, 140, 130, 90, 60], [10, 40, 50, 80, 110]);
    expect(result).toMatchObject({ quantity: 4, low: 80n, high: 90n, price: 85n, surplus: 350n });
  });

  it("comes to the price, quantity and surplus of Smith's first chart (1962)", () => {
    const grid = Array.from({ length: 11 }, (_, index) => 75 + 25 * index);
    const { result } = cleared(grid.toReversed(), grid);
    expect(result).toMatchObject({ price: 200n, quantity: 6, surplus: 750n });
  });

  it('earns linear bidders 9/64 in 9 of 32 meetings (Chatterjee and Samuelson 1983)', () => {
    // Values and costs are spread evenly over 0 to 1, in units of 1/12,000,000.
    const scale = 12_000_000;
    const steps = 300;
    const [buyer, seller] = [
      { agent: 'b', side: 'buy' as const },
      { agent: 's', side: 'sell' as const },
    ];
    let gains = 0;
    let trades = 0;
    for (let i = 0; i < steps; i++) {
      for (let j = 0; j < steps; j++) {
        const value = ((i + 0.5) / steps) * scale;
        const cost = ((j + 0.5) / steps) * scale;
        const bid = BigInt(Math.round((2 * value) / 3 + scale / 12));
        const ask = BigInt(Math.round((2 * cost) / 3 + scale / 4));
        const orders = [
          { ...buyer, quantity: 1, limit: bid },
          { ...seller, quantity: 1, limit: ask },
        ];
        if (settleCall(orders, { lot: 'lot' }, env).status !== 'decided') continue;
        gains += (value - cost) / scale;
        trades++;
      }
    }
    expect(Math.abs(gains / steps ** 2 - 9 / 64)).toBeLessThan(0.001);
    expect(Math.abs(trades / steps ** 2 - 9 / 32)).toBeLessThan(0.002);
  });

  it('makes no deal when nothing crosses, rather than a price out of nothing', () => {
    const { status, result, reasons } = cleared([3, 2], [4, 5]);
    expect([status, result]).toEqual(['no_deal', undefined]);
    expect(reasons).toEqual({ b1: 'outbid', b2: 'outbid', s1: 'outbid', s2: 'outbid' });
    expect(settleCall([], { lot: 'lot' }, env).status).toBe('no_deal');
  });

  it('prices exactly by k, and rounds down to a whole amount', () => {
    const prices = [
      [0n, 1n],
      [1n, 3n],
      [1n, 2n],
      [999n, 1000n],
      [1n, 1n],
    ].map(([num = 0n, den = 1n]) => {
      const orders = unitOrders([10], [3]);
      return settleCall(orders, { lot: 'lot', k: { num, den } }, env).result?.price;
    });
    expect(prices).toEqual([3n, 5n, 6n, 9n, 10n]);
  });

  it('tells amounts of every size apart', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: amountMax }), { minLength: 2 }), (asks) => {
        const sells = asks.map((limit, index): PlacedOrder => {
          return { agent: `s${index}`, side: 'sell', quantity: 1, limit };
        });
        const buy: PlacedOrder = { agent: 'b', side: 'buy', quantity: 1 };
        const { result } = settleCall(
          [buy, ...sells],
          { lot: 'lot', k: { num: 0n, den: 1n } },
          env,
        );
        const [least] = asks.toSorted((left, right) => (left < right ? -1 : 1));
        expect(result?.price).toBe(least);
      }),
    );
  });

  it('fills market orders first, at a price that only limits set', () => {
    const orders = placed(['m', 'buy', 5], ['a', 'buy', 5, 9], ['s', 'sell', 5, 4]);
    const { result, reasons } = settleCall(orders, { lot: 'lot' }, env);
    // The bid of 9 that is left over is what a unit is worth to somebody.
    expect(result).toMatchObject({
      price: 9n,
      low: 9n,
      quantity: 5,
      fills: [5, 0, 5],
      surplus: 25n,
    });
    expect(result?.high).toBeUndefined();
    expect(reasons).toEqual({ m: 'won', a: 'outbid', s: 'won' });
    const more = placed(['m', 'buy', 7], ['s', 'sell', 5, 4]);
    expect(settleCall(more, { lot: 'lot' }, env).result).toMatchObject({
      price: 4n,
      fills: [5, 5],
    });
  });

  it('makes no deal between market orders alone, as nobody names a price', () => {
    const orders = placed(['a', 'buy', 1], ['b', 'sell', 1]);
    expect(settleCall(orders, { lot: 'lot' }, env).status).toBe('no_deal');
  });

  it('fills each order as far as it trades, not the first one with everything', () => {
    const orders = placed(
      ['a', 'buy', 4, 9],
      ['b', 'buy', 3, 8],
      ['c', 'sell', 2, 1],
      ['d', 'sell', 3, 2],
      ['e', 'sell', 9, 10],
    );
    const { result } = settleCall(orders, { lot: 'lot' }, env);
    expect(result).toMatchObject({ quantity: 5, fills: [4, 1, 2, 3, 0], price: 8n });
    expect(result?.surplus).toBe(4n * 9n + 8n - 2n - 6n);
  });
});

describe('too many equal orders at the margin', () => {
  const equals = placed(
    ['a', 'buy', 5, 9],
    ['b', 'buy', 3, 9],
    ['c', 'buy', 2, 9],
    ['s', 'sell', 7, 1],
  );

  it('are served one after the other, by a draw that each can win', () => {
    const firsts = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { result, tie } = settleCall(
        equals,
        { lot: 'lot' },
        { seed: `${seed}`, tie: 'seeded' },
      );
      expect(tie).toEqual({ among: ['a', 'b', 'c'], rule: 'seeded' });
      const fills = result?.fills ?? [];
      firsts.add(String(fills));
      expect(
        fills.slice(0, 3).filter((units, i) => units > 0 && units < (equals[i]?.quantity ?? 0))
          .length,
      ).toBeLessThanOrEqual(1);
    }
    expect([...firsts].toSorted()).toEqual(['2,3,2,7', '4,3,0,7', '5,0,2,7', '5,2,0,7']);
  });

  it('give nobody a better chance for splitting its order', () => {
    const split = placed(
      ['a', 'buy', 1, 9],
      ['a', 'buy', 1, 9],
      ['a', 'buy', 1, 9],
      ['b', 'buy', 3, 9],
      ['s', 'sell', 3, 1],
    );
    let wins = 0;
    for (let seed = 0; seed < 1_000; seed++) {
      const fills = settleCall(split, { lot: 'lot' }, { seed: `${seed}`, tie: 'seeded' }).result
        ?.fills;
      expect(['1,1,1,0,3', '0,0,0,3,3']).toContain(String(fills));
      if (fills?.[3] === 0) wins++;
    }
    expect(Math.abs(wins - 500)).toBeLessThan(60);
  });

  it('share pro rata, where the largest remainders get what is left', () => {
    // 7 units for 5 : 3 : 2 are 3.5, 2.1 and 1.4.
    const { result, tie } = settleCall(equals, { lot: 'lot', ration: 'pro_rata' }, env);
    expect(result?.fills).toEqual([4, 2, 1, 7]);
    expect(tie).toBeUndefined();
    // 3 units for 1 : 1 : 2, and 2 for 2 : 2, take no draw.
    for (const [wanted, units, fills] of [
      [[1, 1, 2], 3, [1, 1, 1, 3]],
      [[2, 2, 0], 2, [1, 1, 0, 2]],
    ] as const) {
      const claims = wanted.map((quantity, i): Line => [`${i}`, 'buy', quantity, 9]);
      const exact = settleCall(
        placed(...claims, ['s', 'sell', units, 1]),
        { lot: 'lot', ration: 'pro_rata' },
        env,
      );
      expect([exact.result?.fills, exact.tie]).toEqual([fills, undefined]);
    }
    const even = placed(['a', 'buy', 1, 9], ['b', 'buy', 1, 9], ['s', 'sell', 1, 1]);
    const drawn = settleCall(even, { lot: 'lot', ration: 'pro_rata' }, env);
    expect(drawn.tie).toEqual({ among: ['a', 'b'], rule: 'seeded' });
    expect(drawn.result?.fills.toSorted()).toEqual([0, 1, 1]);
  });

  it('go by id, or are only reported, when that is the rule', () => {
    const byId = settleCall(equals, { lot: 'lot' }, { seed: 'seed', tie: 'lexicographic' });
    expect(byId.result?.fills).toEqual([5, 2, 0, 7]);
    expect(byId.reasons).toEqual({ a: 'won', b: 'won', c: 'tie_lost', s: 'won' });
    const reported = settleCall(equals, { lot: 'lot' }, { seed: 'seed', tie: 'report' });
    expect([reported.status, reported.result]).toEqual(['tied', undefined]);
  });
});

const order = fc
  .record({
    agent: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    side: fc.constantFrom('buy' as const, 'sell' as const),
    quantity: fc.integer({ min: 1, max: 4 }),
    limit: fc.option(fc.bigInt({ min: 0n, max: 9n }), { freq: 6, nil: undefined }),
  })
  .map(({ limit, ...rest }): PlacedOrder => (limit === undefined ? rest : { ...rest, limit }));
const books = fc.array(order, { maxLength: 14 });
const terms = fc.record({
  lot: fc.constant('lot'),
  ration: fc.constantFrom('priority' as const, 'pro_rata' as const),
  k: fc.constantFrom({ num: 0n, den: 1n }, { num: 1n, den: 3n }, { num: 1n, den: 1n }),
});

/** Limits of single units, best first; a market order is better than any. */
function unitsOf(orders: readonly PlacedOrder[], side: OrderSide): readonly number[] {
  const [sign, best] = side === 'buy' ? [-1, 1_000] : [1, -1_000];
  return orders
    .filter((each) => each.side === side)
    .flatMap(({ quantity, limit }) => Array.from({ length: quantity }, () => Number(limit ?? best)))
    .toSorted((left, right) => sign * (left - right));
}

describe('whatever the orders', () => {
  const check = (law: (result: CallMarketResult, orders: readonly PlacedOrder[]) => void): void =>
    fc.assert(
      fc.property(books, terms, (orders, spec) => {
        const { result } = settleCall(orders, spec, env);
        if (result !== undefined) law(result, orders);
      }),
      { numRuns: 400 },
    );
  const sideOf = ({ orders, fills }: CallMarketResult, side: OrderSide): readonly number[] =>
    fills.filter((_, index) => orders[index]?.side === side);
  const sum = (units: readonly number[]): number => units.reduce((all, each) => all + each, 0);

  it('what is bought is sold, and no order gets more than it wants', () => {
    check((result) => {
      expect(sum(sideOf(result, 'buy'))).toBe(result.quantity);
      expect(sum(sideOf(result, 'sell'))).toBe(result.quantity);
      for (const [index, { quantity }] of result.orders.entries()) {
        expect(result.fills[index]).toBeGreaterThanOrEqual(0);
        expect(result.fills[index]).toBeLessThanOrEqual(quantity);
      }
    });
  });

  it('as many units trade as can, and their surplus is the largest there is', () => {
    check((result, orders) => {
      const [bids, asks] = [unitsOf(orders, 'buy'), unitsOf(orders, 'sell')];
      const trades = bids.filter((bid, index) => bid >= (asks[index] ?? Infinity)).length;
      expect(result.quantity).toBe(trades);
      if (orders.some(({ limit }) => limit === undefined)) return;
      const gains = bids.slice(0, trades).map((bid, index) => bid - Number(asks[index]));
      expect(result.surplus).toBe(BigInt(sum(gains)));
    });
  });

  it('nobody trades at a loss, and no crossed orders are left', () => {
    check(({ price, orders, fills }) => {
      const left: PlacedOrder[] = [];
      for (const [index, each] of orders.entries()) {
        const filled = fills[index] ?? 0;
        if (filled < each.quantity) left.push({ ...each, quantity: each.quantity - filled });
        if (filled === 0 || each.limit === undefined) continue;
        const gain = each.side === 'buy' ? each.limit - price : price - each.limit;
        expect(gain).toBeGreaterThanOrEqual(0n);
      }
      expect(settleCall(left, { lot: 'lot' }, env).status).toBe('no_deal');
      // Who would have traded at this price has, but for equals.
      for (const { side, limit } of left) {
        if (limit === undefined) continue;
        const missed = side === 'buy' ? limit - price : price - limit;
        expect(missed).toBeLessThanOrEqual(0n);
      }
    });
  });

  it('market orders trade before limits, and never set the price', () => {
    check(({ low, high, price, orders, fills }) => {
      const limits = orders.map(({ limit }) => limit);
      expect(limits).toEqual(expect.arrayContaining([low ?? high, high ?? low]));
      expect(price).toBeGreaterThanOrEqual(low ?? price);
      expect(price).toBeLessThanOrEqual(high ?? price);
      for (const side of ['buy', 'sell'] as const) {
        const own = orders.flatMap((each, index) =>
          each.side === side ? [{ ...each, filled: fills[index] ?? 0 }] : [],
        );
        const isShort = own.some((each) => each.limit === undefined && each.filled < each.quantity);
        const isLimited = own.some((each) => each.limit !== undefined && each.filled > 0);
        expect(isShort && isLimited).toBe(false);
      }
    });
  });

  it('the order of the roster changes nothing', () => {
    fc.assert(
      fc.property(books, terms, (orders, spec) => {
        const byAgent = (given: readonly PlacedOrder[]): unknown => {
          const { result, tie } = settleCall(given, spec, env);
          const shares = new Map<string, number>();
          for (const [index, { agent, side }] of (result?.orders ?? []).entries()) {
            const key = `${agent} ${side}`;
            shares.set(key, (shares.get(key) ?? 0) + (result?.fills[index] ?? 0));
          }
          return { price: result?.price, tie, shares: Object.fromEntries(shares) };
        };
        expect(byAgent(orders.toReversed())).toEqual(byAgent(orders));
      }),
    );
  });
});

describe('a session of a call market', () => {
  const buys = (limit: string, quantity = 1): Scripted => ({
    body: { orders: [{ side: 'buy', quantity, limit }] },
  });
  const sells = (limit: string): Scripted => ({
    body: { orders: [{ side: 'sell', quantity: 1, limit }] },
  });
  const say: Readonly<Record<string, Scripted>> = {
    ada: buys('9', 2),
    bob: buys('4'),
    cleo: sells('3'),
    dan: 'dead',
    eve: { equivocate: { orders: [] } },
    fay: 'silent',
    gus: { body: { orders: [{ side: 'sell', quantity: 1.5, limit: '1' }] } },
    hal: { decline: 'not today' },
    ida: { body: { orders: [] } },
  };
  const sitting = {
    spec: { lot: 'gpu hours' },
    roster: Object.keys(say),
    answer: ({ to }: { readonly to: string }): Scripted => say[to] ?? 'silent',
  };

  it('asks each trader once, and tells those who answered what they traded', async () => {
    const { sent, outcome } = await sit(callMarket, sitting);
    const asked = sent.filter(({ type }) => type === 'get_orders');
    expect(asked.map(({ to }) => to)).toEqual(sitting.roster);
    expect(asked[0]?.body).toEqual({ lot: 'gpu hours', form: 'any' });
    expect(outcome.result).toMatchObject({ quantity: 1, price: 9n, fills: [1, 0, 1] });
    const notices = sent.filter(({ type }) => type === 'fills');
    const prices = { buyPrice: 9n, sellPrice: 9n };
    expect(notices.map(({ to, body }) => [to, body])).toEqual([
      ['ada', { lot: 'gpu hours', fills: [1], ...prices }],
      ['bob', { lot: 'gpu hours', fills: [0], ...prices }],
      ['cleo', { lot: 'gpu hours', fills: [1], ...prices }],
      ['ida', { lot: 'gpu hours', fills: [], ...prices }],
    ]);
  });

  it('names everybody who is dead, silent, lying or of two minds', async () => {
    const { outcome } = await sit(callMarket, sitting);
    expect(outcome.reasons).toEqual({
      ada: 'won',
      bob: 'outbid',
      cleo: 'won',
      dan: 'silent',
      eve: 'invalid',
      fay: 'silent',
      gus: 'invalid',
      hal: 'declined',
      ida: 'declined',
    });
  });

  it.each([
    ['price', { price: 8n }],
    ['fills', { fills: [2, 0, 1] }],
    ['fills', { fills: [0, 1, 1] }],
    ['surplus', { surplus: 7n }],
    ['quantity', { quantity: 2 }],
  ])('is not verified with another %s', async (field, forged) => {
    const { outcome } = await sit(callMarket, sitting);
    expect(verify(callMarket, outcome)).toEqual([]);
    if (outcome.result === undefined) throw new Error('nothing was decided');
    const claim = { ...outcome, roster: sitting.roster, result: { ...outcome.result, ...forged } };
    const problems = callMarket.verify?.({ lot: 'gpu hours' }, claim) ?? [];
    expect(problems.join('; ')).toContain(field);
  });

  it('is not verified with unfair shares', () => {
    const spec = { lot: 'lot', ration: 'pro_rata' } as const;
    const orders = placed(['a', 'buy', 5, 9], ['b', 'buy', 3, 9], ['s', 'sell', 4, 1]);
    const decision = settleCall(orders, spec, env);
    if (decision.result === undefined) throw new Error('nothing was decided');
    const problems = (fills: readonly number[]): readonly string[] | undefined =>
      callMarket.verify?.(spec, {
        status: 'decided',
        roster: ['a', 'b', 's'],
        result: resultWith(decision, fills),
      });
    expect(problems(decision.result.fills)).toEqual([]);
    expect(problems([4, 0, 4])).toEqual([
      'a does not have its share of the margin',
      'b does not have its share of the margin',
    ]);
  });

  it('rewards a bid below the true value, and says so in its traits', () => {
    const gain = (bid: number): number => {
      const { result } = cleared([bid], [2]);
      return 10 - Number(result?.price);
    };
    expect(gain(4)).toBeGreaterThan(gain(10));
    expect(callMarket.traits.dominantStrategyTruthful).toBe(false);
  });

  it('no market claims to be truthful and to keep a balanced budget (Myerson and Satterthwaite 1983)', () => {
    const claims = builtInProtocols
      .filter(({ traits }) => traits.dominantStrategyTruthful && traits.individuallyRational)
      .filter(({ traits }) => traits.budget === 'strong');
    expect(claims.map(({ name }) => name)).toEqual([]);
  });
});

function resultWith(
  { result }: Decision<CallMarketResult>,
  fills: readonly number[],
): CallMarketResult {
  if (result === undefined) throw new Error('nothing was decided');
  return { ...result, fills };
}
