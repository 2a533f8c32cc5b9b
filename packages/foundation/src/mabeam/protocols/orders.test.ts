import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../message.ts';
import { participant } from '../participant.ts';
import { readyReplies } from './call-market-ready.ts';
import { callMarket } from './call-market.ts';
import { type Order, ordersMax, type OrdersQuestion, quantityMax } from './orders.ts';

const request: CoordinationRequest = {
  kind: 'mabeam.coordination.request',
  v: 1,
  session: 's1',
  protocol: 'market.call',
  protocolVersion: '1.0.0',
  type: 'get_orders',
  to: 'trader-1',
  round: 1,
  seq: 1,
  epoch: 1,
  nonce: 'n1',
  budgetMs: 100,
  idempotencyKey: 's1|1|get_orders|trader-1',
  body: { lot: 'gpu hours', form: 'any' },
};

describe('a trader', () => {
  it('is told what is traded, and places orders', () => {
    const asked: OrdersQuestion[] = [];
    const orders: readonly Order[] = [
      { side: 'buy', quantity: 2, limit: 9n },
      { side: 'sell', quantity: 1 },
    ];
    const trader = participant({
      orders: (_ctx, question) => {
        asked.push(question);
        return orders;
      },
    });
    expect(trader(undefined, request)).toMatchObject({ status: 'ok', body: { orders } });
    expect(asked).toEqual([{ lot: 'gpu hours', form: 'any' }]);
  });

  it('reports an order that makes no sense as its own error', () => {
    const trader = participant({ orders: () => [{ side: 'buy' as const, quantity: 0.5 }] });
    expect(trader(undefined, request)).toMatchObject({
      status: 'error',
      reason: `body.orders[0].quantity: expected a whole number from 1 to ${quantityMax}, got 0.5`,
    });
  });

  it.each([
    [undefined, 'body: expected { lot, form }, got undefined'],
    [{ form: 'any' }, 'body.lot: expected a text, got undefined'],
    [{ lot: 'x', form: 'none' }, 'body.form: expected any or one_unit, got "none"'],
  ])('does not understand a request with the body %j', (body, reason) => {
    const trader = participant({ orders: () => [] });
    expect(trader(undefined, { ...request, body })).toMatchObject({
      status: 'not_understood',
      reason,
    });
  });

  it('may be a ready one that buys or sells a unit', () => {
    const bodies = [readyReplies.buyUpTo('60')(request), readyReplies.sellFrom(40n)(request)];
    expect(bodies.map((body) => callMarket.parseReply('get_orders', body))).toEqual([
      { ok: true, value: { orders: [{ side: 'buy', quantity: 1, limit: 60n }] } },
      { ok: true, value: { orders: [{ side: 'sell', quantity: 1, limit: 40n }] } },
    ]);
  });
});

describe('what traders and owners may say', () => {
  it.each([
    ['nothing', undefined, 'body: expected { orders }, got undefined'],
    ['no list', { orders: 1 }, `body.orders: expected at most ${ordersMax} orders, got 1`],
    ['a misspelt field', { orders: [], x: 1 }, 'body: unknown field "x"'],
    [
      'another side',
      { orders: [{ side: 'short', quantity: 1 }] },
      'body.orders[0].side: expected buy or sell, got "short"',
    ],
    [
      'no units',
      { orders: [{ side: 'buy', quantity: 0 }] },
      `body.orders[0].quantity: expected a whole number from 1 to ${quantityMax}, got 0`,
    ],
    [
      'a misspelt field of an order',
      { orders: [{ side: 'buy', quantity: 1, price: 1n }] },
      'body.orders[0]: unknown field "price"',
    ],
    ['no order', { orders: [7] }, 'body.orders[0]: expected { side, quantity, limit? }, got 7'],
  ])('orders with %s are refused with what is wrong', (_what, body, reason) => {
    const read = callMarket.parseReply('get_orders', body);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });

  it('a limit that is no amount is refused, and a million orders at once', () => {
    const limit = callMarket.parseReply('get_orders', {
      orders: [{ side: 'buy', quantity: 1, limit: 0.5 }],
    });
    expect(limit.ok ? 'accepted' : limit.reason).toContain(
      'body.orders[0].limit: expected a whole',
    );
    const many = callMarket.parseReply('get_orders', { orders: Array.from({ length: 1e6 }) });
    expect(many.ok).toBe(false);
  });

  it.each([
    ['nothing', undefined, 'expected { lot, k?, ration? }, got undefined'],
    [
      'a misspelt field',
      { lot: 'x', rations: 1 },
      'unknown field "rations", did you mean "ration"?',
    ],
    ['an empty lot', { lot: '' }, 'lot: expected a text of 1 to 256 characters, got ""'],
    [
      'a ration of its own',
      { lot: 'x', ration: 'mine' },
      'ration: expected priority or pro_rata, got "mine"',
    ],
    ['a float for k', { lot: 'x', k: 0.5 }, 'k: expected { num, den }, got 0.5'],
    [
      'k above 1',
      { lot: 'x', k: { num: 3n, den: 2n } },
      'k: expected a fraction from 0 to 1, got 3/2',
    ],
    [
      'a k of nothing',
      { lot: 'x', k: { num: 0n, den: 0n } },
      'k: expected a fraction from 0 to 1, got 0/0',
    ],
  ])('a spec with %s is refused with what is wrong', (_what, spec, reason) => {
    const read = callMarket.parseSpec(spec);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });

  it('amounts may be decimal strings, as JSON has no big integers', () => {
    expect(callMarket.parseSpec({ lot: 'x', k: { num: '1', den: '4' } })).toMatchObject({
      value: { k: { num: 1n, den: 4n }, ration: 'priority' },
    });
  });
});
