import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Decision, PureEnv } from '../protocol.ts';
import { verify } from '../verify.ts';
import { settleCall } from './call-market.ts';
import { mcafeeAuction, type McAfeeResult, settleMcAfee } from './mcafee-auction.ts';
import type { OrderSide, PlacedOrder } from './orders.ts';

const env: PureEnv = { seed: 'seed', tie: 'seeded' };

/** One unit each, of b1, b2, … and s1, s2, … */
function unitOrders(bids: readonly number[], asks: readonly number[]): readonly PlacedOrder[] {
  const placed = (side: OrderSide, limits: readonly number[]): PlacedOrder[] =>
    limits.map((limit, index) => ({
      agent: `${side[0]}${index + 1}`,
      side,
      quantity: 1,
      limit: BigInt(limit),
    }));
  return [...placed('buy', bids), ...placed('sell', asks)];
}

function held(bids: readonly number[], asks: readonly number[]): Decision<McAfeeResult> {
  return settleMcAfee(unitOrders(bids, asks), { lot: 'lot' }, env);
}

function terms({ result, status }: Decision<McAfeeResult>): unknown {
  return result === undefined
    ? status
    : [result.quantity, Number(result.buyPrice), Number(result.sellPrice), Number(result.kept)];
}

describe('a McAfee auction', () => {
  it('makes every trade at one price between the first pair that does not trade', () => {
    // 4.5, rounded down.
    expect(terms(held([9, 8, 7, 4], [2, 3, 4, 5]))).toEqual([3, 4, 4, 0]);
    expect(terms(held([90, 80, 70, 40], [20, 30, 40, 50]))).toEqual([3, 45, 45, 0]);
  });

  it('gives up the least valuable trade when that price does not suit it', () => {
    const decision = held([9, 8, 7, 4], [2, 3, 4, 12]);
    expect(terms(decision)).toEqual([2, 7, 4, 6]);
    expect(decision.result).toMatchObject({ quantityMax: 3, fills: [1, 1, 0, 0, 1, 1, 0, 0] });
    expect(decision.reasons).toMatchObject({
      b2: 'won',
      b3: 'outbid',
      b4: 'outbid',
      s3: 'outbid',
    });
  });

  it('comes to the results of published examples', () => {
    expect(terms(held([170, 140, 130, 90, 60], [10, 40, 50, 80, 110]))).toEqual([4, 85, 85, 0]);
    expect(terms(held([17, 14, 13, 9, 6], [1, 4, 5, 8, 13]))).toEqual([3, 9, 8, 3]);
    expect(terms(held([9, 4], [3, 8]))).toEqual([1, 6, 6, 0]);
    expect(terms(held([9, 8], [3, 4]))).toEqual([1, 8, 4, 4]);
    expect(terms(held([9], [4]))).toBe('no_deal');
  });

  it('makes no deal when nothing crosses', () => {
    expect(terms(held([3], [4]))).toBe('no_deal');
    expect(terms(held([], []))).toBe('no_deal');
  });

  // 236,196 cases for 2 by 2: four traders, nine values and nine statements of each, 9³ of the others.
  it.each([
    [2, 2, 9],
    [3, 2, 5],
    [2, 3, 5],
    [1, 3, 6],
  ])(
    'is truthful for %i buyers and %i sellers with %i values, by exhaustion',
    (buyers, sellers, values) => {
      expect(profitableLies(buyers, sellers, values)).toBe(0);
    },
  );

  it('is the exhaustion that finds lies where there are some', () => {
    const call = (bids: readonly number[], asks: readonly number[]): Gains => {
      const { result } = settleCall(unitOrders(bids, asks), { lot: 'lot' }, env);
      const price = Number(result?.price ?? 0);
      return { fills: result?.fills ?? [], buyPrice: price, sellPrice: price };
    };
    expect(profitableLies(2, 2, 5, call)).toBeGreaterThan(0);
  });
});

interface Gains {
  readonly fills: readonly number[];
  readonly buyPrice: number;
  readonly sellPrice: number;
}

function mcafee(bids: readonly number[], asks: readonly number[]): Gains {
  const { result } = held(bids, asks);
  return {
    fills: result?.fills ?? [],
    buyPrice: Number(result?.buyPrice ?? 0),
    sellPrice: Number(result?.sellPrice ?? 0),
  };
}

/** How often somebody gains by a lie, in all profiles of values 0 to `values` - 1. Each profile is settled once. */
// oxlint-disable-next-line max-params -- the sizes of what is enumerated, and the rule
function profitableLies(
  buyers: number,
  sellers: number,
  values: number,
  settle: (bids: readonly number[], asks: readonly number[]) => Gains = mcafee,
): number {
  const traders = buyers + sellers;
  const profiles = values ** traders;
  const stated = (profile: number, trader: number): number =>
    Math.floor(profile / values ** trader) % values;
  const trades = new Uint8Array(profiles * traders);
  const buyPrices = new Uint8Array(profiles);
  const sellPrices = new Uint8Array(profiles);
  for (let profile = 0; profile < profiles; profile++) {
    const limits = Array.from({ length: traders }, (_, trader) => stated(profile, trader));
    const { fills, buyPrice, sellPrice } = settle(limits.slice(0, buyers), limits.slice(buyers));
    buyPrices[profile] = buyPrice;
    sellPrices[profile] = sellPrice;
    for (const [trader, units] of fills.entries()) trades[profile * traders + trader] = units;
  }
  let lies = 0;
  for (let trader = 0; trader < traders; trader++) {
    const gain = (profile: number, value: number): number => {
      if (trades[profile * traders + trader] === 0) return 0;
      return trader < buyers
        ? value - (buyPrices[profile] ?? 0)
        : (sellPrices[profile] ?? 0) - value;
    };
    for (let profile = 0; profile < profiles; profile++) {
      const value = stated(profile, trader);
      const truth = gain(profile, value);
      if (truth < 0) lies++;
      const others = profile - value * values ** trader;
      for (let lie = 0; lie < values; lie++) {
        if (gain(others + lie * values ** trader, value) > truth) lies++;
      }
    }
  }
  return lies;
}

describe('whatever the orders', () => {
  const limits = fc.array(fc.nat(30), { maxLength: 8 });

  it('buyers pay at least what sellers receive, and exactly the rest is kept', () => {
    fc.assert(
      fc.property(limits, limits, (bids, asks) => {
        const { result } = held(bids, asks);
        if (result === undefined) return;
        expect(result.kept).toBe((result.buyPrice - result.sellPrice) * BigInt(result.quantity));
        expect(result.kept).toBeGreaterThanOrEqual(0n);
        const traded = (side: OrderSide): number =>
          result.fills.filter((units, index) => units > 0 && result.orders[index]?.side === side)
            .length;
        expect([traded('buy'), traded('sell')]).toEqual([result.quantity, result.quantity]);
      }),
    );
  });

  it('at most the least valuable trade is lost', () => {
    fc.assert(
      fc.property(limits, limits, (bids, asks) => {
        const { result } = held(bids, asks);
        const best = settleCall(unitOrders(bids, asks), { lot: 'lot' }, env).result;
        if (best === undefined) return;
        let welfare = 0n;
        for (const [index, order] of (result?.orders ?? []).entries()) {
          const worth = (order.limit ?? 0n) * BigInt(result?.fills[index] ?? 0);
          welfare += order.side === 'buy' ? worth : -worth;
        }
        const trades = BigInt(best.quantity);
        expect(welfare * trades).toBeGreaterThanOrEqual((trades - 1n) * best.surplus);
      }),
    );
  });

  it('nobody trades at a loss', () => {
    fc.assert(
      fc.property(limits, limits, (bids, asks) => {
        const { result } = held(bids, asks);
        for (const [index, { side, limit = 0n }] of (result?.orders ?? []).entries()) {
          if (result === undefined || result.fills[index] === 0) continue;
          const gain = side === 'buy' ? limit - result.buyPrice : result.sellPrice - limit;
          expect(gain).toBeGreaterThanOrEqual(0n);
        }
      }),
    );
  });
});

describe('a session of a McAfee auction', () => {
  const order = (side: OrderSide, limit: string): Scripted => ({
    body: { orders: [{ side, quantity: 1, limit }] },
  });
  const say: Readonly<Record<string, Scripted>> = {
    ada: order('buy', '9'),
    bob: order('buy', '8'),
    cleo: order('sell', '3'),
    dan: order('sell', '4'),
    eve: 'dead',
    fay: 'silent',
    gus: { body: { orders: [{ side: 'sell', quantity: 2, limit: '1' }] } },
    hal: { body: { orders: [{ side: 'sell', quantity: 1 }] } },
    ida: { equivocate: { orders: [] } },
  };
  const sitting = {
    spec: { lot: 'seat' },
    roster: Object.keys(say),
    answer: ({ to }: { readonly to: string }): Scripted => say[to] ?? 'silent',
  };

  it('takes one unit of each trader, and tells each what became of it', async () => {
    const { sent, outcome } = await sit(mcafeeAuction, sitting);
    expect(sent[0]?.body).toEqual({ lot: 'seat', form: 'one_unit' });
    expect(terms(outcome)).toEqual([1, 8, 4, 4]);
    expect(outcome.reasons).toEqual({
      ada: 'won',
      bob: 'outbid',
      cleo: 'won',
      dan: 'outbid',
      eve: 'silent',
      fay: 'silent',
      gus: 'invalid',
      hal: 'invalid',
      ida: 'invalid',
    });
    const notices = sent.filter(({ type }) => type === 'fills');
    expect(notices.map(({ to }) => to)).toEqual(['ada', 'bob', 'cleo', 'dan']);
    expect(notices[0]?.body).toEqual({ lot: 'seat', fills: [1], buyPrice: 8n, sellPrice: 4n });
  });

  it.each([
    ['sellPrice', { sellPrice: 3n }],
    ['fills', { fills: [2, 0, 1, 0] }],
    ['fills', { fills: [1, 0] }],
    ['kept', { kept: 0n }],
  ])('is not verified with another %s', async (field, forged) => {
    const { outcome } = await sit(mcafeeAuction, sitting);
    expect(verify(mcafeeAuction, outcome)).toEqual([]);
    if (outcome.result === undefined) throw new Error('nothing was decided');
    const claim = { ...outcome, roster: sitting.roster, result: { ...outcome.result, ...forged } };
    expect(mcafeeAuction.verify?.({ lot: 'seat' }, claim).join('; ')).toContain(field);
  });

  it('draws who trades of equals, or only reports them', async () => {
    const equals = { ...say, ada: order('buy', '8') };
    const tied = { ...sitting, answer: ({ to }: { readonly to: string }) => equals[to as 'ada'] };
    const drawn = await sit(mcafeeAuction, tied);
    expect(drawn.outcome.tie).toEqual({ among: ['ada', 'bob'], rule: 'seeded' });
    const reported = await sit(mcafeeAuction, { ...tied, options: { tie: 'report' } });
    expect(reported.outcome.status).toBe('tied');
  });

  it.each([
    ['nothing', undefined, 'expected { lot }, got undefined'],
    ['a misspelt field', { lot: 'x', k: 1 }, 'unknown field "k"'],
    ['no lot', {}, 'lot: expected a text of 1 to 256 characters, got undefined'],
  ])('refuses a spec with %s', (_what, spec, reason) => {
    const read = mcafeeAuction.parseSpec(spec);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });
});
