import { sit, type Sat, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId, CoordinationRequest } from '../message.ts';
import type { SessionOptions } from '../session-options.ts';
import { verify } from '../verify.ts';
import { readyReplies } from './dutch-auction-ready.ts';
import { dutchAuction, type DutchSpec } from './dutch-auction.ts';
import type { OpenAuctionResult } from './open-auction.ts';
import { settle } from './sealed-bid-auction.ts';

type Bidder = (request: CoordinationRequest) => Scripted;
type Bidders = Readonly<Record<AgentId, Bidder>>;
type Terms = Partial<DutchSpec> & { readonly options?: Partial<SessionOptions> };

/** Answers tick by tick. */
const at = (limit: bigint): Bidder => {
  const accept = readyReplies.acceptAt(limit);
  return (request) => ({ body: accept(request) });
};
/** Answers with its limit. */
const proxyOf =
  (limit: bigint): Bidder =>
  () => ({ body: { limit } });

async function hold(bidders: Bidders, terms: Terms = {}): Promise<Sat<OpenAuctionResult>> {
  const { options = {}, ...spec } = terms;
  return sit(dutchAuction, {
    spec: { lot: 'lot', start: 100n, increment: 5n, ...spec },
    roster: Object.keys(bidders),
    options: { deadlineMs: 10_000_000, ...options },
    answer: (request) => bidders[request.to]?.(request) ?? 'dead',
  });
}

function sale({ outcome }: Sat<OpenAuctionResult>): [AgentId, number] | string {
  const { status, result } = outcome;
  return result === undefined ? status : [result.winner, Number(result.price)];
}

function path({ outcome }: Sat<OpenAuctionResult>): number[] {
  return outcome.record.entries.flatMap((entry) =>
    entry.kind === 'emit' ? [Number(entry.facts['price'])] : [],
  );
}

function asked({ sent }: Sat<OpenAuctionResult>, id?: AgentId): number {
  return sent.filter(({ to, budgetMs }) => budgetMs > 0 && (id ?? to) === to).length;
}

describe('a Dutch auction', () => {
  it('sells at the first price that somebody accepts, to whom the price came first', async () => {
    const sat = await hold({ b: at(64n), a: at(72n) });
    expect(sale(sat)).toEqual(['a', 70]);
    expect(path(sat)).toEqual([100, 95, 90, 85, 80, 75, 70]);
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'outbid' });
    expect(sat.outcome.result?.bids).toEqual([{ agent: 'a', amount: 70n }]);
  });

  it('draws among those who accept at the same tick, whoever is faster or sits first', async () => {
    const winners = new Set<unknown>();
    for (let seed = 0; seed < 20; seed++) {
      const options = { seed: String(seed) };
      const sat = await hold({ a: at(72n), b: at(71n) }, { options });
      expect(sat.outcome.result?.price).toBe(70n);
      expect(sat.outcome.tie).toEqual({ among: ['a', 'b'], rule: 'seeded' });
      expect(Object.values(sat.outcome.reasons).toSorted()).toEqual(['tie_lost', 'won']);
      expect(sale(await hold({ b: at(71n), a: at(72n) }, { options }))).toEqual(sale(sat));
      winners.add(sat.outcome.result?.winner);
    }
    expect(winners).toEqual(new Set(['a', 'b']));
    const reported = await hold({ a: at(72n), b: proxyOf(71n) }, { options: { tie: 'report' } });
    expect(reported.outcome).toMatchObject({
      status: 'tied',
      tie: { among: ['a', 'b'], rule: 'report' },
      reasons: { a: 'tie_lost', b: 'tie_lost' },
    });
  });

  it('ends without a deal after the last price within the reserve', async () => {
    const sat = await hold({ a: at(40n), b: at(35n) }, { reserve: 50n });
    expect(sale(sat)).toBe('no_deal');
    expect(path(sat)).toHaveLength(11);
    expect(sat.outcome.reasons).toEqual({ a: 'below_reserve', b: 'below_reserve' });
    expect(sale(await hold({ a: proxyOf(49n) }, { reserve: 50n }))).toBe('no_deal');
    expect(sale(await hold({ a: proxyOf(50n) }, { reserve: 50n }))).toEqual(['a', 50]);
    expect(sale(await hold({ a: at(2n) }, { increment: 30n }))).toBe('no_deal');
    expect(sale(await hold({}))).toBe('no_deal');
  });

  it('passes a million ticks in one round when everybody has said its limit', async () => {
    const start = 1_000_000n;
    const sat = await hold({ a: proxyOf(3n), b: proxyOf(7n) }, { start, increment: 1n });
    expect(sale(sat)).toEqual(['b', 7]);
    expect(asked(sat)).toBe(2);
  });

  it('does not ask again who has said its limit, and holds it to that', async () => {
    const sat = await hold({ a: proxyOf(88n), b: at(71n) });
    expect(sale(sat)).toEqual(['a', 85]);
    expect([asked(sat, 'a'), asked(sat, 'b')]).toEqual([1, 4]);
  });

  it('does not ask again who was silent, dead, lying or did not want', async () => {
    const sat = await hold(
      {
        silent: () => 'silent',
        dead: () => 'dead',
        liar: () => 'garbage',
        double: () => ({ equivocate: { accept: true } }),
        vague: () => ({ body: { accept: 'perhaps' } }),
        gone: () => ({ decline: 'no' }),
        a: at(72n),
      },
      { roundMs: 100 },
    );
    expect(sale(sat)).toEqual(['a', 70]);
    expect(asked(sat)).toBe(6 + 7);
    expect(sat.outcome.reasons).toEqual({
      silent: 'silent',
      dead: 'silent',
      liar: 'invalid',
      double: 'invalid',
      vague: 'invalid',
      gone: 'declined',
      a: 'won',
    });
  });

  it('rises when buying, to the first who does it for that', async () => {
    const spec = { side: 'buy', start: 10n, increment: 7n, reserve: 50n } as const;
    expect(sale(await hold({ a: at(30n), b: at(44n) }, spec))).toEqual(['a', 31]);
    expect(sale(await hold({ a: proxyOf(30n), b: proxyOf(44n) }, spec))).toEqual(['a', 31]);
    expect(sale(await hold({ a: at(46n), b: at(60n) }, spec))).toBe('no_deal');
  });

  it('gives up after as many rounds as it may take', async () => {
    const sat = await hold({ a: at(10n) }, { maxRounds: 4 });
    expect([sale(sat), asked(sat)]).toEqual(['limit_reached', 4]);
  });

  it('tells the winner', async () => {
    const { sent } = await hold({ a: at(72n), b: at(64n) });
    expect(sent.filter(({ budgetMs }) => budgetMs === 0)).toMatchObject([
      { to: 'a', type: 'award', body: { lot: 'lot', side: 'sell', price: 70n } },
    ]);
  });

  it('rewards who waits below its value, and says so in its traits', async () => {
    const gain = async (limit: bigint): Promise<number> => {
      const { outcome } = await hold({ me: at(limit), rival: at(60n) }, { increment: 1n });
      return outcome.result?.winner === 'me' ? 100 - Number(outcome.result.price) : 0;
    };
    expect([await gain(100n), await gain(61n)]).toEqual([0, 39]);
    expect(dutchAuction.traits.dominantStrategyTruthful).toBe(false);
  });
});

describe('laws of a Dutch auction', () => {
  const markets = fc.record({
    limits: fc.array(fc.bigInt(0n, 40n), { minLength: 1, maxLength: 6 }),
    isProxy: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    side: fc.constantFrom('sell' as const, 'buy' as const),
    increment: fc.bigInt(1n, 7n),
    reserve: fc.bigInt(0n, 40n),
    seed: fc.string(),
  });

  it('the sale is that of a first-price auction whose bids are rounded to prices that are called', () =>
    fc.assert(
      fc.asyncProperty(markets, async ({ limits, isProxy, side, increment, reserve, seed }) => {
        const start = side === 'sell' ? 40n : 0n;
        const names = limits.map((_, index) => `bidder-${index}`);
        const terms = { side, start, increment, reserve, options: { seed } };
        const bidders = Object.fromEntries(
          names.map((id, index) => [id, (isProxy[index] ? proxyOf : at)(limits[index] ?? 0n)]),
        );
        // The first price that a limit accepts, and the reserve likewise on the grid.
        const onGrid = (limit: bigint): bigint => {
          const distance = side === 'sell' ? start - limit : limit - start;
          const ticks = (distance + increment - 1n) / increment;
          return side === 'sell' ? start - ticks * increment : start + ticks * increment;
        };
        const bids = names
          .map((agent, index) => ({ agent, amount: onGrid(limits[index] ?? 0n) }))
          .filter(({ amount }) => amount >= 0n);
        const sealed = settle(
          bids,
          { lot: 'lot', side, reserve, pricing: 'first' },
          { seed, tie: 'seeded' },
        );
        for (const order of [bidders, Object.fromEntries(Object.entries(bidders).toReversed())]) {
          const { outcome } = await hold(order, terms);
          expect(outcome.status).toBe(sealed.status);
          expect(outcome.result?.winner).toBe(sealed.result?.winner);
          expect(outcome.result?.price).toBe(sealed.result?.price);
          expect(outcome.tie).toEqual(sealed.tie);
        }
      }),
    ));
});

describe('verification of a Dutch sale', () => {
  it('finds what cannot be', async () => {
    const { outcome } = await hold({ a: at(72n), b: at(71n) }, { reserve: 50n });
    const { result, record } = outcome;
    if (result === undefined) throw new Error('no result');
    const claim = (change: Partial<OpenAuctionResult>): readonly string[] =>
      dutchAuction.verify?.(
        { lot: 'lot', start: 100n, increment: 5n, reserve: 50n },
        { ...outcome, roster: record.setup.roster, result: { ...result, ...change } },
      ) ?? [];
    expect(claim({})).toEqual([]);
    expect(claim({ price: 71n })[0]).toBe('71 is no price of this auction');
    expect(claim({ price: 45n })[0]).toBe('45 is past the reserve');
    expect(claim({ winner: 'x' })).toEqual(['x has not accepted']);
    expect(claim({ bids: result.bids.slice(0, 1), winner: 'a' })).toEqual([
      'the tie is not that of the bids',
    ]);
    expect(claim({ bids: [...result.bids, { agent: 'x', amount: 70n }] })).toEqual([
      'x has accepted and is not in the roster',
    ]);
    expect(verify(dutchAuction, outcome)).toEqual([]);
  });
});

describe('a spec', () => {
  it('is filled in', () => {
    expect(dutchAuction.parseSpec({ lot: 'x', increment: '5', start: '20', side: 'buy' })).toEqual({
      ok: true,
      value: {
        lot: 'x',
        side: 'buy',
        start: 20n,
        increment: 5n,
        roundMs: 1_000,
        maxRounds: 10_000,
      },
    });
  });

  it.each([
    [{ start: undefined }, 'start: expected the first price, got undefined'],
    [{ reserve: 21n }, 'start: expected a price up to the reserve of 21, got 20'],
    [{ side: 'buy', reserve: 19n }, 'start: expected a price up to the reserve of 19, got 20'],
    [{ variant: 'clock' }, 'unknown field "variant"'],
  ])('is refused with what is wrong, %#', (wrong, reason) => {
    const read = dutchAuction.parseSpec({ lot: 'x', start: 20n, increment: 1n, ...wrong });
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });
});
