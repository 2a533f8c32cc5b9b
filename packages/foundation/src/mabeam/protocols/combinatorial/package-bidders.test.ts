import { describe, expect, it } from 'vitest';

import { withBudget } from '../../bidders.ts';
import type { CoordinationRequest } from '../../message.ts';
import { participant, type ParticipantHandlers } from '../../participant.ts';
import { readyReplies } from '../../ready-replies.ts';
import { additive, unitDemand, withinBudget } from './package-bidders.ts';
import type { PackageQuestion } from './package-bids.ts';

const question: PackageQuestion = {
  goods: [
    { name: 'A', supply: 1 },
    { name: 'B', supply: 2 },
  ],
  side: 'sell',
  bidsMax: 9,
  unitsMax: 9,
  groupsMax: 9,
};

function request(body: unknown = question, type = 'get_package_bids'): CoordinationRequest {
  return {
    kind: 'mabeam.coordination.request',
    v: 1,
    session: 's',
    protocol: 'auction.combinatorial',
    protocolVersion: '1.0.0',
    type,
    to: 'a',
    round: 1,
    seq: 1,
    epoch: 1,
    nonce: 'n',
    budgetMs: 10,
    idempotencyKey: 'k',
    body,
  };
}

const values = { A: 5n, B: 3n };

describe('bidders on packages', () => {
  it('want each good for itself, or one of them', () => {
    expect(additive(values)).toEqual([
      { goods: ['A'], amount: 5n, xorGroup: 'A' },
      { goods: ['B'], amount: 3n, xorGroup: 'B' },
    ]);
    expect(unitDemand(values)).toEqual([
      { goods: ['A'], amount: 5n },
      { goods: ['B'], amount: 3n },
    ]);
  });

  it('cannot win more together than their budget', () => {
    expect(withinBudget(additive(values), 8n)).toEqual(additive(values));
    expect(withinBudget(additive(values), 7n)).toEqual(unitDemand(values));
    expect(withinBudget(additive(values), 4n)).toEqual(unitDemand({ A: 4n, B: 3n }));
    expect(withinBudget(unitDemand(values), 5n)).toEqual(unitDemand(values));
  });

  it('are there for scripts, by name', () => {
    const bids = (name: string, argument: unknown): unknown =>
      readyReplies[name]?.(argument)(request());
    expect(bids('additive', { A: '5', B: '3' })).toEqual({ bids: additive(values) });
    expect(bids('unitDemand', { A: '5', B: 3n })).toEqual({ bids: unitDemand(values) });
    expect(() => readyReplies['additive']?.({ A: 'much' })).toThrow(/additive.A/);
    const bid = readyReplies['additive']?.({});
    expect(() => bid?.(request({ lot: 'x', side: 'sell' }, 'get_bid'))).toThrow(/get_package_bids/);
  });

  it('are asked what is auctioned, and refused what is no bid', async () => {
    const seen: PackageQuestion[] = [];
    const handlers: ParticipantHandlers<null> = {
      packageBids: (_ctx, asked) => {
        seen.push(asked);
        return additive(values);
      },
    };
    const answer = participant(handlers);
    expect(await answer(null, request())).toMatchObject({
      status: 'ok',
      body: { bids: additive(values) },
    });
    expect(seen).toEqual([question]);
    expect(await answer(null, request({ ...question, goods: [] }))).toMatchObject({
      status: 'not_understood',
    });
    expect(await answer(null, request({ ...question, bidsMax: 0 }))).toMatchObject({
      status: 'not_understood',
    });
    const wrong = participant<null>({ packageBids: () => [{ goods: [], amount: 1n }] });
    expect(await wrong(null, request())).toMatchObject({ status: 'error' });
  });

  it('keep to the budget of their process, unless they are paid', async () => {
    const bidder = withBudget<null>(4n, { packageBids: () => additive(values) });
    const answer = participant(bidder);
    expect(await answer(null, request())).toMatchObject({
      body: { bids: unitDemand({ A: 4n, B: 3n }) },
    });
    const paid = request({ ...question, side: 'buy' });
    expect(await answer(null, paid)).toMatchObject({ body: { bids: additive(values) } });
    const away = withBudget<null>(4n, { packageBids: () => ({ decline: 'no' }) });
    expect(await participant(away)(null, request())).toMatchObject({ status: 'decline' });
  });
});
