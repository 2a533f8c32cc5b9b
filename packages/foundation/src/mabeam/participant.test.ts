import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from './message.ts';
import { participant } from './participant.ts';

const request: CoordinationRequest = {
  kind: 'mabeam.coordination.request',
  v: 1,
  session: 's1',
  protocol: 'auction.vickrey',
  protocolVersion: '1.0.0',
  type: 'get_bid',
  to: 'worker-1',
  round: 1,
  seq: 1,
  epoch: 1,
  nonce: 'n1',
  budgetMs: 100,
  idempotencyKey: 's1|1|get_bid|worker-1',
  body: { lot: 'batch-7', side: 'buy', reserve: 50n },
};

describe('a participant', () => {
  it('bids from its own state, under the name it was asked by', () => {
    const worker = participant<{ load: bigint }>({ bid: ({ load }) => load * 2n });
    expect(worker({ load: 3n }, request)).toEqual({
      kind: 'mabeam.coordination.reply',
      v: 1,
      session: 's1',
      round: 1,
      nonce: 'n1',
      from: 'worker-1',
      status: 'ok',
      body: { amount: 6n },
    });
  });

  it('is told what is auctioned and on which terms', () => {
    const questions: unknown[] = [];
    const worker = participant({
      bid: (_ctx, question) => {
        questions.push(question);
        return 1n;
      },
    });
    void worker(undefined, request);
    void worker(undefined, { ...request, body: { lot: 'x', side: 'sell', currentPrice: '7' } });
    expect(questions).toEqual([
      { lot: 'batch-7', side: 'buy', round: 1, reserve: 50n },
      { lot: 'x', side: 'sell', round: 1, currentPrice: 7n },
    ]);
  });

  it('may take its time, and may decline', async () => {
    const worker = participant({ bid: () => Promise.resolve({ decline: 'too busy' }) });
    const reply = await worker(undefined, request);
    expect(reply).toMatchObject({ status: 'decline', reason: 'too busy' });
  });

  it('crashes with its handler, as any process does', () => {
    const worker = participant({
      bid: () => {
        throw new Error('broken');
      },
    });
    expect(() => worker(undefined, request)).toThrow('broken');
  });

  it('reports a bid that is no amount as its own error', () => {
    const worker = participant({ bid: () => -1n });
    expect(worker(undefined, request)).toMatchObject({
      status: 'error',
      reason: 'the bid was -1n, not an amount',
    });
  });

  it.each([
    ['another type', { ...request, type: 'get_vote' }, 'no handler for "get_vote"'],
    ['a body that makes no sense', { ...request, body: 7 }, 'body: expected { lot, side }, got 7'],
    ['another version', { ...request, v: 2 }, 'v: expected 1, got 2'],
    ['garbage', 'hello', 'expected a request, got "hello"'],
  ])('does not understand %s, and says why', (_what, value, reason) => {
    const worker = participant({ bid: () => 1n });
    expect(worker(undefined, value)).toMatchObject({ status: 'not_understood', reason });
  });

  it('understands nothing without a handler', () => {
    expect(participant({})(undefined, request)).toMatchObject({ status: 'not_understood' });
  });
});
