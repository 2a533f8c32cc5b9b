// Sixteen things that an earlier system got wrong. Each is tested here in its simplest form, and by its mechanism in full.
import { generateKeyPairSync, sign } from 'node:crypto';

import { sit, type Scripted, type Sitting } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { highsHere } from '../../test/highs-here.ts';
import type { CoordinationRequest } from './message.ts';
import type { Outcome } from './outcome.ts';
import type { AnyProtocol } from './protocol.ts';
import { alternatingOffers } from './protocols/alternating-offers.ts';
import { callMarket } from './protocols/call-market.ts';
import { combinatorialAuction } from './protocols/combinatorial/combinatorial-auction.ts';
import { dutchAuction } from './protocols/dutch-auction.ts';
import { englishAuction } from './protocols/english-auction.ts';
import { quorumCertificate } from './protocols/quorum-certificate.ts';
import { firstPriceAuction, vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { majorityVote } from './protocols/voting/vote.ts';
import { replay } from './replay.ts';

const lot = { lot: 'x' };

/** A session among agents that answer with these bodies; a function is asked each time. */
// oxlint-disable-next-line max-params -- what, about what, who says what, how
async function held<Out>(
  protocol: AnyProtocol<Out>,
  spec: unknown,
  bodies: Readonly<Record<string, unknown>>,
  more: Partial<Sitting> = {},
): Promise<
  Outcome<Out> & { readonly sent: readonly CoordinationRequest[]; readonly endedAt: number }
> {
  const answer = (request: CoordinationRequest): Scripted => {
    const body = bodies[request.to];
    if (body === undefined) return 'silent';
    return { body: typeof body === 'function' ? body(request) : body };
  };
  const sat = await sit(protocol, { spec, roster: Object.keys(bodies), answer, ...more });
  return { ...sat.outcome, sent: sat.sent, endedAt: sat.endedAt };
}

const amounts = (bids: Readonly<Record<string, bigint>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(bids).map(([id, amount]) => [id, { amount }]));
const staysTo = (limit: bigint) => (request: CoordinationRequest) => ({
  stay: Object(request.body).price <= limit,
});
const acceptsAt = (limit: bigint) => (request: CoordinationRequest) => ({
  accept: Object(request.body).price <= limit,
});
const order = (side: 'buy' | 'sell', quantity: number, limit?: bigint): unknown => ({
  orders: [{ side, quantity, ...(limit === undefined ? {} : { limit }) }],
});

describe('what an earlier system got wrong', () => {
  it('O1: agents are asked, once a round, and an outcome is a function of what they say', async () => {
    const bids = amounts({ a: 10n, b: 8n });
    const [one, again] = [
      await held(vickreyAuction, lot, bids),
      await held(vickreyAuction, lot, bids),
    ];
    expect(one.sent.map(({ to, type, round }) => [to, type, round])).toEqual([
      ['a', 'get_bid', 1],
      ['b', 'get_bid', 1],
    ]);
    expect(one.sent[0]).toMatchObject({
      kind: 'mabeam.coordination.request',
      v: 1,
      budgetMs: 10_000,
    });
    expect(again.result).toEqual(one.result);
    const other = await held(vickreyAuction, lot, amounts({ a: 10n, b: 9n }));
    expect(other.result?.price).toBe(9n);
  });

  it('O2: an English price rises, whoever is in is asked at each step, and pays no more than it takes', async () => {
    const spec = { ...lot, start: 1n, increment: 1n };
    const { sent, result } = await held(englishAuction, spec, { a: staysTo(10n), b: staysTo(6n) });
    const prices = sent
      .filter(({ to, type }) => to === 'a' && type === 'stay')
      .map(({ body }) => Object(body).price);
    expect(prices).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    expect(result).toMatchObject({ winner: 'a', price: 7n });
  });

  it('O3: who sits first in a Dutch auction wins nothing by it', async () => {
    const spec = { ...lot, start: 100n, increment: 5n, reserve: 5n };
    const [a, b] = [acceptsAt(64n), acceptsAt(72n)];
    for (const bodies of [
      { a, b },
      { b, a },
    ]) {
      const { result } = await held(dutchAuction, spec, bodies);
      expect(result).toMatchObject({ winner: 'b', price: 70n });
    }
  });

  it('O4: the only bidder pays the reserve', async () => {
    const { result } = await held(vickreyAuction, { ...lot, reserve: 3n }, amounts({ a: 10n }));
    expect(result).toMatchObject({ winner: 'a', price: 3n });
  });

  it('O5: a reserve between the two best bids is the price', async () => {
    const { result } = await held(
      vickreyAuction,
      { ...lot, reserve: 7n },
      amounts({ a: 10n, b: 3n }),
    );
    expect(result?.price).toBe(7n);
  });

  it('O6: a tie is told, drawn by the seed wherever one sits, and drawn again by a replay', async () => {
    const winners = new Set<string | undefined>();
    for (let seed = 0; seed < 20; seed++) {
      const options = { seed: `${seed}` };
      const one = await held(vickreyAuction, lot, amounts({ a: 9n, b: 9n }), { options });
      const other = await held(vickreyAuction, lot, amounts({ b: 9n, a: 9n }), { options });
      expect(one.tie).toEqual({ among: ['a', 'b'], rule: 'seeded' });
      expect(other.result?.winner).toBe(one.result?.winner);
      expect(replay(vickreyAuction, one.record).result).toEqual(one.result);
      winners.add(one.result?.winner);
    }
    expect(winners.size).toBe(2);
  });

  it('O7: a thousand silent agents cost one deadline', async () => {
    const nobody = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [`agent-${at}`, undefined]),
    );
    const { status, endedAt } = await held(vickreyAuction, lot, nobody, {
      options: { deadlineMs: 500 },
    });
    expect({ status, endedAt }).toEqual({ status: 'no_deal', endedAt: 500 });
  });

  it('O8, O9: the best set of packages wins, and how good it is can be proven', async () => {
    const spec = { goods: ['A', 'B', 'C'].map((name) => ({ name })), pricing: 'first' };
    const bid = (goods: string, amount: bigint): unknown => ({
      bids: [{ goods: Array.from(goods), amount }],
    });
    const bodies = { big: bid('ABC', 10n), a: bid('A', 4n), b: bid('BC', 7n) };
    const solver = await highsHere();
    const { result, certificate } = await held(combinatorialAuction, spec, bodies, { solver });
    expect(result?.winners.map(({ agent }) => agent)).toEqual(['a', 'b']);
    // 11 of at most 11: an efficiency of 1.
    expect(certificate).toMatchObject({ bound: 11, gap: 0 });
  });

  it('O10: supply and demand meet where they cross, and nowhere if they do not', async () => {
    const bids = [9n, 8n, 7n, 4n].map((limit, at) => [`b${at}`, order('buy', 1, limit)] as const);
    const asks = [2n, 3n, 4n, 5n].map((limit, at) => [`s${at}`, order('sell', 1, limit)] as const);
    const { result } = await held(callMarket, lot, Object.fromEntries([...bids, ...asks]));
    expect(result).toMatchObject({ quantity: 3, low: 4n, high: 5n, surplus: 15n });
    const apart = await held(callMarket, lot, { b: order('buy', 1, 1n), s: order('sell', 1, 2n) });
    expect(apart).toMatchObject({ status: 'no_deal' });
  });

  it('O11: market orders trade first, and name no price', async () => {
    const bodies = {
      m: order('buy', 1),
      b: order('buy', 1, 6n),
      s: order('sell', 1, 4n),
      t: order('sell', 1, 5n),
    };
    const { result } = await held(callMarket, lot, bodies);
    expect(result).toMatchObject({ quantity: 2, low: 5n, high: 6n });
    const bare = await held(callMarket, lot, { m: order('buy', 1), s: order('sell', 1, 4n) });
    expect(bare.result).toMatchObject({ price: 4n });
  });

  it('O12, O13: each order has its own fill, what is bought is sold, and the surplus is what the fills add up to', async () => {
    const bodies = {
      a: order('buy', 3, 10n),
      b: order('buy', 5, 8n),
      s: order('sell', 4, 2n),
      t: order('sell', 2, 7n),
    };
    const { result } = await held(callMarket, lot, bodies);
    const { orders = [], fills = [], price = 0n, surplus } = result ?? {};
    const of = (side: string): number =>
      orders.reduce((sum, each, at) => sum + (each.side === side ? (fills[at] ?? 0) : 0), 0);
    expect([of('buy'), of('sell')]).toEqual([6, 6]);
    orders.forEach(({ quantity }, at) => expect(fills[at]).toBeLessThanOrEqual(quantity));
    const gains = orders.map(({ side, limit = price }, at) => {
      const gain = side === 'buy' ? limit - price : price - limit;
      return gain * BigInt(fills[at] ?? 0);
    });
    expect(surplus).toBe(gains.reduce((sum, each) => sum + each, 0n));
  });

  it('O14: votes that nobody signed make no certificate', async () => {
    const pairs = ['a', 'b', 'c', 'd'].map((id) => [id, generateKeyPairSync('ed25519')] as const);
    const keys = Object.fromEntries(
      pairs.map(([id, { publicKey }]) => [
        id,
        publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
      ]),
    );
    const forged = Object.fromEntries(
      pairs.map(([id, { privateKey }]) => [
        id,
        {
          value: 'yes',
          signature: sign(null, Buffer.from('anything'), privateKey).toString('base64'),
        },
      ]),
    );
    const outcome = await held(quorumCertificate, { ballot: 'b', keys }, forged);
    expect(outcome.status).not.toBe('decided');
    expect(outcome.certificate).toBeUndefined();
    expect(outcome.result?.forged).toEqual(['a', 'b', 'c', 'd']);
  });

  it('O15: a negotiation agrees to what was offered and accepted, and may fail', async () => {
    const spec = { subject: 'a van', issues: { price: { from: 0n, to: 200n } } };
    const offer = (price: bigint): unknown => ({ act: 'offer', offer: { price } });
    const deal = await held(alternatingOffers, spec, { a: offer(90n), b: { act: 'accept' } });
    expect(deal.result?.agreement).toMatchObject({ by: 'a', offer: { price: 90n } });
    const failure = await held(alternatingOffers, spec, { a: offer(90n), b: { act: 'end' } });
    expect(failure).toMatchObject({ status: 'no_deal', result: { breakdown: { by: 'b' } } });
  });

  it('O16: a majority says of whom', async () => {
    const spec = { question: '?', options: ['yes', 'no'] };
    const votes = { a: { single: 'yes' }, b: { single: 'yes' }, c: undefined, d: undefined };
    expect((await held(majorityVote, spec, votes)).status).toBe('no_deal');
    const { status, certificate } = await held(majorityVote, { ...spec, of: 'cast' }, votes);
    expect(status).toBe('decided');
    expect(certificate?.data).toMatchObject({ votes: 2, of: 2, denominator: 'cast' });
  });

  it('does not sell for less than the reserve', async () => {
    const { status } = await held(
      firstPriceAuction,
      { ...lot, reserve: 100n },
      amounts({ a: 15n }),
    );
    expect(status).toBe('no_deal');
  });
});
