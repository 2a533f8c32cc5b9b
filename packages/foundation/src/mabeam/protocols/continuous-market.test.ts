import { sit, type Sat, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../message.ts';
import { participant } from '../participant.ts';
import { readyReplies } from '../ready-replies.ts';
import { verify } from '../verify.ts';
import { continuousMarket } from './continuous-market.ts';
import { ordersMax } from './orders.ts';
import type { TradeAnswer, TradeQuestion } from './trade-question.ts';
import type { ContinuousMarketResult } from './trading.ts';

const spec = { lot: 'lot', roundMs: 100 };

const buy = (quantity: number, limit?: bigint): object => ({ side: 'buy', quantity, limit });
const sell = (quantity: number, limit?: bigint): object => ({ side: 'sell', quantity, limit });

/** What each does in each round; nothing after the last one. */
type Script = Readonly<Record<string, readonly (object | Scripted)[]>>;

function held(
  script: Script,
  terms: object = {},
  options: Sitting['options'] = {},
): Promise<Sat<ContinuousMarketResult>> {
  return sit(continuousMarket, {
    spec: { ...spec, ...terms },
    roster: Object.keys(script),
    answer: ({ to, round }): Scripted => {
      const move = script[to]?.[round - 1] ?? {};
      if (typeof move === 'string' || 'decline' in move || 'equivocate' in move) {
        return move as Scripted;
      }
      return { body: move };
    },
    options,
  });
}

const place = (...orders: readonly object[]): object => ({ orders });

/** `buyer < seller quantity @ price`. */
function trades({ outcome }: Sat<ContinuousMarketResult>): readonly string[] {
  return (outcome.result?.trades ?? []).map(
    ({ buyer, seller, quantity, price }) => `${buyer} < ${seller} ${quantity} @ ${price}`,
  );
}

describe('a continuous market', () => {
  it('trades when an order comes that meets one that waits, at the price of that one', async () => {
    const sat = await held({
      ada: [place(buy(5, 12n)), {}, place(buy(1, 9n))],
      bob: [{}, place(sell(3, 10n)), {}],
      cleo: [{}, {}, place(sell(4, 8n))],
    });
    // In the third round either comes first; both ways cleo meets the two units that are left at 12.
    expect(trades(sat).slice(0, 2)).toEqual(['ada < bob 3 @ 12', 'ada < cleo 2 @ 12']);
    const { outcome } = sat;
    expect(outcome).toMatchObject({ status: 'decided', reasons: { ada: 'won', bob: 'won' } });
    expect(outcome.result).toMatchObject({ rounds: 6, quantity: 6, lot: 'lot' });
    const bobs = { agent: 'bob', bought: 0, sold: 3, paid: 0n, received: 36n };
    expect(outcome.result?.positions[1]).toEqual(bobs);
    expect(verify(continuousMarket, outcome)).toEqual([]);
  });

  it('lets a market order take what there is, at prices that only limits set', async () => {
    const sat = await held({
      a: [place(sell(1, 10n), sell(1, 14n))],
      b: [{}, place(buy(5))],
      c: [{}, {}, place(sell(1, 1n))],
    });
    expect(trades(sat)).toEqual(['b < a 1 @ 10', 'b < a 1 @ 14']);
    expect(sat.outcome.result).toMatchObject({ turnover: 24n, lastPrice: 14n });
    expect(sat.outcome.result?.open).toEqual([
      { id: 4, agent: 'c', side: 'sell', limit: 1n, left: 1 },
    ]);
    // Two market orders alone name no price.
    const none = await held({ a: [place(sell(1))], b: [place(buy(1))] });
    expect(none.outcome).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'outbid', b: 'outbid' },
    });
  });

  it('shows each the book, and its own orders and trades, and nobody else', async () => {
    const { sent } = await held(
      {
        a: [place(sell(4, 10n), sell(1, 12n), sell(1, 13n))],
        b: [{}, place(buy(3, 11n), buy(2, 7n))],
      },
      { depth: 2, rounds: 3 },
    );
    const seen = (to: string, round: number): unknown =>
      sent.find((each) => each.to === to && each.round === round)?.body;
    expect(seen('a', 1)).toEqual({
      lot: 'lot',
      rounds: 3,
      bids: [],
      asks: [],
      orders: [],
      trades: [],
    });
    const asks = [
      { price: 10n, units: 4 },
      { price: 12n, units: 1 },
    ];
    expect(seen('b', 2)).toMatchObject({ bids: [], asks, orders: [], trades: [] });
    const book = {
      lot: 'lot',
      rounds: 3,
      bids: [{ price: 7n, units: 2 }],
      asks: [{ price: 10n, units: 1 }, asks[1]],
      lastPrice: 10n,
    };
    expect(seen('b', 3)).toEqual({
      ...book,
      orders: [{ id: 5, side: 'buy', limit: 7n, left: 2 }],
      trades: [{ order: 4, side: 'buy', price: 10n, quantity: 3 }],
    });
    expect(seen('a', 3)).toEqual({
      ...book,
      orders: [
        { id: 1, side: 'sell', limit: 10n, left: 1 },
        { id: 2, side: 'sell', limit: 12n, left: 1 },
        { id: 3, side: 'sell', limit: 13n, left: 1 },
      ],
      trades: [{ order: 1, side: 'sell', price: 10n, quantity: 3 }],
    });
  });

  it('has an event for each trade, as it happens', async () => {
    const { outcome } = await held(
      { a: [place(sell(2, 10n))], b: [{}, place(buy(1, 11n)), place(buy(1))] },
      { rounds: 3 },
    );
    const events = outcome.record.entries.flatMap((entry) =>
      entry.kind === 'emit' ? [{ name: entry.name, ...entry.facts }] : [],
    );
    const event = {
      name: 'trade',
      price: 10n,
      quantity: 1,
      buyer: 'b',
      seller: 'a',
      taker: 'buy',
    };
    expect(events).toEqual([event, event]);
    const third = outcome.record.entries.findIndex(
      (entry) => entry.kind === 'request' && entry.request.round === 3,
    );
    expect(outcome.record.entries.slice(0, third).some(({ kind }) => kind === 'emit')).toBe(true);
  });

  it('tells everybody who placed orders what came of it when it closes', async () => {
    const { sent } = await held(
      { a: [place(sell(2, 10n))], b: [{}, place(buy(1, 11n))], c: [place(buy(1, 1n))], d: [] },
      { rounds: 2 },
      { tie: 'lexicographic' },
    );
    const notices = sent.filter(({ type }) => type === 'market_closed');
    const trade = { price: 10n, quantity: 1 };
    expect(notices.map(({ to, body }) => ({ to, ...Object(body) }))).toEqual([
      {
        to: 'a',
        lot: 'lot',
        trades: [{ order: 1, side: 'sell', ...trade }],
        position: { agent: 'a', bought: 0, sold: 1, paid: 0n, received: 10n },
      },
      {
        to: 'b',
        lot: 'lot',
        trades: [{ order: 3, side: 'buy', ...trade }],
        position: { agent: 'b', bought: 1, sold: 0, paid: 10n, received: 0n },
      },
      { to: 'c', lot: 'lot', trades: [] },
    ]);
  });

  it('counts for won whoever has traded once, and for outbid who has only offered', async () => {
    const { outcome } = await held({
      a: [place(sell(1, 10n)), {}, place(sell(1, 99n)), {}],
      b: [{}, place(buy(1, 10n)), {}],
      c: [place(buy(1, 1n)), {}, {}],
    });
    expect(outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'outbid' });
  });

  it('closes after its last round, or when nobody has traded for a while', async () => {
    const make = place(sell(1, 10n));
    const take = place(buy(1, 10n));
    const roundsOf = async (script: Script, terms: object): Promise<number> =>
      Math.max(...(await held(script, terms)).sent.map(({ round }) => round));
    expect(await roundsOf({ a: [] }, {})).toBe(3);
    expect(await roundsOf({ a: [] }, { idleRounds: 5 })).toBe(5);
    expect(await roundsOf({ a: [] }, { idleRounds: 5, rounds: 3 })).toBe(3);
    // A trade begins the wait again.
    expect(await roundsOf({ a: [make], b: [{}, take] }, { idleRounds: 2 })).toBe(4);
    expect(await roundsOf({ a: [make, make, make], b: [{}, take, take, take] }, {})).toBe(7);
    const { outcome } = await held({ a: [place(sell(1, 10n))], b: [] });
    expect(outcome).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'outbid', b: 'declined' },
    });
  });
});

describe('traders of one round', () => {
  /** Both want the one unit that waits, twice. */
  const race = {
    s: [place(sell(1, 10n)), {}, place(sell(1, 10n))],
    a: [{}, place(buy(1)), {}, place(buy(1))],
    b: [{}, place(buy(1)), {}, place(buy(1))],
  };

  it('come in an order that is drawn anew in each round, whatever the order of the roster', async () => {
    const winners = (sat: Sat<ContinuousMarketResult>): readonly string[] =>
      (sat.outcome.result?.trades ?? []).map(({ buyer }) => buyer);
    let first = 0;
    let same = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [one, two] = winners(await held(race, {}, { seed: `${seed}` }));
      if (one === 'a') first++;
      if (one === two) same++;
      const { a, b, s } = race;
      expect(winners(await held({ b, a, s }, {}, { seed: `${seed}` }))).toEqual([one, two]);
    }
    expect([first, same].every((count) => count > 10 && count < 30)).toBe(true);
  });

  it('come by their names, or not at all, if that is the rule for ties', async () => {
    const { outcome } = await held(race, {}, { tie: 'lexicographic' });
    expect(outcome.result?.trades[0]?.buyer).toBe('a');
    const tied = await held(race, {}, { tie: 'report' });
    expect(tied.outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'] } });
    expect(tied.outcome.result).toBeUndefined();
    const alone = await held(
      { a: [place(sell(1, 1n))], b: [{}, place(buy(1, 1n))] },
      {},
      { tie: 'report' },
    );
    expect(alone.outcome.status).toBe('decided');
  });

  it('cancel first and then place, and only what is their own', async () => {
    const sat = await held({
      a: [place(sell(1, 10n), sell(1, 11n))],
      b: [{}, { cancel: [1, 99], orders: [] }],
      c: [{}, {}, place(buy(1, 10n))],
      d: [],
    });
    expect(trades(sat)).toEqual(['c < a 1 @ 10']);
    const own = await held({
      a: [place(sell(1, 10n), sell(1, 11n)), { cancel: [1], orders: [buy(1, 10n)] }],
      c: [{}, {}, place(buy(1, 11n)), place(sell(1, 9n))],
    });
    expect(trades(own)).toEqual(['c < a 1 @ 11', 'a < c 1 @ 10']);
    expect(own.outcome.result?.actions.filter(({ kind }) => kind === 'cancel')).toEqual([
      { kind: 'cancel', agent: 'a', id: 1 },
    ]);
  });

  it('do not trade with themselves', async () => {
    const sat = await held({
      a: [place(sell(1, 10n)), place(buy(2, 10n))],
      b: [{}, {}, place(sell(2, 9n))],
    });
    expect(trades(sat)).toEqual(['a < b 2 @ 10']);
    expect(sat.outcome.result?.open).toEqual([]);
  });

  it('leave their orders in the book when they are silent, dead or talk nonsense', async () => {
    for (const trouble of ['silent', 'dead', 'garbage', { decline: 'no' }] as const) {
      const sat = await held({
        a: [place(sell(2, 10n)), ...Array.from({ length: 9 }, () => trouble)],
        b: [{}, place(buy(1, 10n)), place(buy(1, 10n))],
        c: Array.from({ length: 10 }, () => trouble),
        d: [{ equivocate: place(buy(1, 20n)) }],
      });
      expect(trades(sat)).toEqual(['b < a 1 @ 10', 'b < a 1 @ 10']);
      const name = trouble === 'garbage' ? 'invalid' : 'silent';
      expect(sat.outcome.reasons).toMatchObject({
        a: 'won',
        b: 'won',
        c: typeof trouble === 'string' ? name : 'declined',
      });
      expect(verify(continuousMarket, sat.outcome)).toEqual([]);
    }
  });

  it('may do better than to say the truth: who waits with a worse price gets it', async () => {
    const sellersGain = async (limit: bigint): Promise<bigint> => {
      const { outcome } = await held({
        seller: [place(sell(1, limit))],
        buyer: [{}, place(buy(1, 9n))],
      });
      const received = outcome.result?.positions.find(({ agent }) => agent === 'seller')?.received;
      return received === undefined ? 0n : received - 4n;
    };
    expect(await sellersGain(4n)).toBe(0n);
    expect(await sellersGain(9n)).toBe(5n);
    expect(continuousMarket.traits.dominantStrategyTruthful).toBe(false);
  });
});

const someOrder = fc
  .record({
    side: fc.constantFrom('buy', 'sell'),
    quantity: fc.integer({ min: 1, max: 5 }),
    limit: fc.option(fc.bigInt(0n, 8n), { nil: undefined, freq: 6 }),
  })
  .map(({ limit, ...rest }) => (limit === undefined ? rest : { ...rest, limit }));
const move = fc.record({
  cancel: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 }),
  orders: fc.array(someOrder, { maxLength: 3 }),
});
const scripts = fc
  .array(fc.array(move, { maxLength: 5 }), { minLength: 1, maxLength: 5 })
  .map((lists): Script =>
    Object.fromEntries(lists.map((moves, index) => [`trader-${index}`, moves])),
  );

describe('what a continuous market promises', () => {
  it('what is bought is sold, what is paid is received, within every limit, and nothing is left that crosses', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { outcome } = await held(script, { rounds: 6, idleRounds: 6 });
        expect(verify(continuousMarket, outcome)).toEqual([]);
        const { result } = outcome;
        if (result === undefined) return;
        const { actions, open, positions } = result;
        const placed = new Map(
          actions.flatMap((action) => (action.kind === 'place' ? [[action.id, action]] : [])),
        );
        const filled = new Map<number, number>();
        let turnover = 0n;
        for (const trade of result.trades) {
          const [bid, ask] = [placed.get(trade.buy), placed.get(trade.sell)];
          expect([bid?.agent, bid?.side]).toEqual([trade.buyer, 'buy']);
          expect([ask?.agent, ask?.side]).toEqual([trade.seller, 'sell']);
          expect(trade.buyer).not.toBe(trade.seller);
          expect(trade.price <= (bid?.limit ?? trade.price)).toBe(true);
          expect(trade.price >= (ask?.limit ?? trade.price)).toBe(true);
          expect(trade.price).toBe((trade.taker === 'buy' ? ask : bid)?.limit);
          for (const id of [trade.buy, trade.sell]) {
            filled.set(id, (filled.get(id) ?? 0) + trade.quantity);
          }
          turnover += trade.price * BigInt(trade.quantity);
        }
        for (const [id, units] of filled) {
          expect(units).toBeLessThanOrEqual(placed.get(id)?.quantity ?? 0);
        }
        for (const { id, left } of open) {
          expect(left + (filled.get(id) ?? 0)).toBe(placed.get(id)?.quantity);
        }
        const sum = (values: readonly (number | bigint)[]): bigint =>
          values.reduce<bigint>((total, value) => total + BigInt(value), 0n);
        expect(sum(positions.map(({ bought }) => bought))).toBe(BigInt(result.quantity));
        expect(sum(positions.map(({ sold }) => sold))).toBe(BigInt(result.quantity));
        expect(sum(positions.map(({ paid }) => paid))).toBe(turnover);
        expect(sum(positions.map(({ received }) => received))).toBe(turnover);
        expect(result.turnover).toBe(turnover);
        for (const bid of open.filter(({ side }) => side === 'buy')) {
          for (const ask of open.filter(({ side }) => side === 'sell')) {
            expect(bid.limit < ask.limit).toBe(true);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('what was traded can be checked from the outcome alone', async () => {
    const { outcome } = await held({
      a: [place(sell(2, 10n), sell(1, 12n))],
      b: [{}, place(buy(1, 11n)), { cancel: [1] }],
      c: [{}, {}, place(buy(1, 3n)), { cancel: [4] }],
    });
    const { result } = outcome;
    if (result === undefined) throw new Error('unreachable');
    const problems = (changed: Partial<ContinuousMarketResult>): readonly string[] =>
      continuousMarket.verify?.(spec, {
        ...outcome,
        roster: ['a', 'b', 'c'],
        result: { ...result, ...changed },
      }) ?? [];
    const [trade] = result.trades;
    const [first, ...rest] = result.actions;
    if (trade === undefined || first?.kind !== 'place') throw new Error('unreachable');
    expect(problems({})).toEqual([]);
    expect(problems({ trades: [{ ...trade, price: 11n }] })).toEqual([
      'trades: an array of 1 that the orders do not lead to',
    ]);
    expect(problems({ turnover: 11n, quantity: 2, lastPrice: 9n })).toHaveLength(3);
    expect(problems({ positions: [] })).toHaveLength(1);
    expect(problems({ open: [] })).toHaveLength(1);
    expect(problems({ rounds: 101 })).toEqual(['101 rounds, more than 100']);
    expect(problems({ actions: rest })).toContain('actions[0]: order 2, not 1');
    expect(problems({ actions: [{ ...first, agent: 'X' }, ...rest] })).toEqual([
      'X has traded and is not in the roster',
    ]);
    const stolen = { kind: 'cancel', agent: 'b', id: 2 } as const;
    expect(problems({ actions: [...result.actions, stolen] })).toEqual([
      `actions[${result.actions.length}]: b has no order 2 to cancel`,
    ]);
    expect(problems({ actions: [first] })).toEqual(['there are trades though no orders have met']);
  });

  it('nobody is there, and nothing is traded', async () => {
    expect((await held({})).outcome.status).toBe('no_deal');
  });
});

describe('a trader', () => {
  async function aRequest(): Promise<CoordinationRequest> {
    const { sent } = await held({
      a: [place(sell(2, 10n), sell(1, 12n))],
      b: [{}, place(buy(1, 11n))],
    });
    const found = sent.find(({ to, round }) => to === 'a' && round === 3);
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  it('sees the market, and answers by `trade`', async () => {
    const asked: TradeQuestion[] = [];
    const answers: TradeAnswer[] = [
      { cancel: [2] },
      { orders: [{ side: 'buy', quantity: 1 }] },
      {},
    ];
    const trader = participant({
      trade: (_ctx, question) => {
        asked.push(question);
        return answers.shift() ?? { cancel: [0.5] };
      },
    });
    const request = await aRequest();
    const bodies = [
      { cancel: [2], orders: [] },
      { cancel: [], orders: [{ side: 'buy', quantity: 1 }] },
      { cancel: [], orders: [] },
    ];
    for (const body of bodies) {
      expect(trader(undefined, request)).toMatchObject({ status: 'ok', body });
    }
    expect(trader(undefined, request)).toMatchObject({
      status: 'error',
      reason: 'body.cancel[0]: expected the id of an order, got 0.5',
    });
    expect(asked[0]).toEqual({ ...Object(request.body), round: 3 });
    expect(asked[0]?.orders).toHaveLength(2);
    expect(asked[0]?.lastPrice).toBe(10n);
  });

  it.each([
    ['lot', 7, 'body.lot: expected a text, got 7'],
    ['rounds', -1, 'body.rounds: expected a whole number, got -1'],
    ['bids', 7, 'body.bids: expected a list, got 7'],
    ['asks', [{ price: 1, units: 1 }], 'body.asks[0].price: expected a whole amount'],
    ['asks', [{ price: 1n }], 'body.asks[0].units: expected a whole number, got undefined'],
    ['orders', [7], 'body.orders[0]: expected an object, got 7'],
    ['orders', [{ limit: 1n }], 'body.orders[0]: expected { id, side, limit, left }'],
    ['trades', [{ price: 1n }], 'body.trades[0]: expected { order, side, price, quantity }'],
    ['lastPrice', -1n, 'body.lastPrice: expected a whole amount'],
  ])('does not understand a request whose %s is not right', async (field, value, reason) => {
    const trader = participant({ trade: () => ({}) });
    const request = await aRequest();
    const reply = await trader(undefined, {
      ...request,
      body: { ...Object(request.body), [field]: value },
    });
    expect(reply.status).toBe('not_understood');
    expect(reply.reason).toContain(reason);
  });

  it.each([
    ['nothing', undefined, 'body: expected { cancel?, orders? }, got undefined'],
    ['a misspelt field', { order: [] }, 'body: unknown field "order"'],
    ['no ids', { cancel: 1 }, 'body.cancel: expected at most 1000 ids, got 1'],
    ['a million orders', { orders: Array.from({ length: 1e6 }) }, `at most ${ordersMax} orders`],
    ['a million ids', { cancel: Array.from({ length: 1e6 }) }, 'at most 1000 ids'],
  ])('is refused %s', (_what, body, reason) => {
    const read = continuousMarket.parseReply('trade', body);
    expect(read.ok ? 'accepted' : read.reason).toContain(reason);
  });

  it.each([
    ['nothing', undefined, 'expected { lot, rounds?, … }, got undefined'],
    ['a misspelt field', { lot: 'x', round: 1 }, 'unknown field "round"'],
    [
      'too many rounds',
      { lot: 'x', rounds: 10_001 },
      'rounds: expected a whole number from 1 to 10000',
    ],
    ['no depth', { lot: 'x', depth: 0 }, 'depth: expected a whole number from 1 to 1000, got 0'],
  ])('cannot be held to a spec with %s', (_what, given, reason) => {
    const read = continuousMarket.parseSpec(given);
    expect(read.ok ? 'accepted' : read.reason).toContain(reason);
  });

  it('may be scripted: one that quotes both sides, buyers and sellers of one unit', async () => {
    const traders: Record<string, ReturnType<(typeof readyReplies)[string]> | undefined> = {
      maker: readyReplies['quote']?.({ bid: '10', ask: '12' }),
      buyer: readyReplies['buyUpTo']?.('15'),
      seller: readyReplies['sellFrom']?.('8'),
    };
    const { outcome } = await sit(continuousMarket, {
      spec: { ...spec, rounds: 4, idleRounds: 4 },
      roster: Object.keys(traders),
      answer: (request) => ({ body: traders[request.to]?.(request) }),
      options: { tie: 'lexicographic' },
    });
    // The buyer comes first and waits at 15, which the maker meets; then the seller meets the maker's bid.
    const prices = outcome.result?.trades.map(({ buyer, seller, price }) => [buyer, seller, price]);
    expect(prices).toEqual([
      ['buyer', 'maker', 15n],
      ['maker', 'seller', 10n],
    ]);
    expect(outcome.result?.open).toHaveLength(2);
    expect(() => readyReplies['quote']?.('10')).toThrow('quote: expected { bid, ask }, got "10"');
  });
});
