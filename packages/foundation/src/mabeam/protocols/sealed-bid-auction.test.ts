import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../random.ts';
import { amountMax } from '../amount.ts';
import type { AgentId, CoordinationReply } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import type { TieRule } from '../protocol.ts';
import { SessionState } from '../session-state.ts';
import {
  firstPriceAuction,
  type SealedBidAuction,
  type SealedBidResult,
  type SealedBidSpec,
  settle,
  vickreyAuction,
} from './sealed-bid-auction.ts';

type Bids = Readonly<Record<AgentId, number | 'silent' | 'decline'>>;
interface Terms {
  readonly seed?: string;
  readonly tie?: TieRule;
  readonly roster?: readonly AgentId[];
}

/** Runs a whole session in which everybody answers in the order of `bids`. */
function hold(
  auction: SealedBidAuction,
  bids: Bids,
  terms: Partial<SealedBidSpec> & Terms = {},
): Outcome<SealedBidResult> {
  const { seed = 'seed', tie = 'seeded', roster = Object.keys(bids), ...spec } = terms;
  const checked = auction.parseSpec({ lot: 'lot', ...spec });
  if (!checked.ok) throw new Error(checked.reason);
  const session = new SessionState(auction, {
    session: 'session',
    protocol: auction.name,
    protocolVersion: auction.version,
    spec: checked.value,
    roster,
    seed,
    tie,
    deadlineMs: 1_000,
    quorum: 0,
    epoch: 1,
    nonceKey: 'key',
  });
  let action = session.start();
  const requests = action.kind === 'round' ? action.requests : [];
  expect(requests.length).toBe(roster.length);
  for (const [from, bid] of Object.entries(bids)) {
    if (bid === 'silent') continue;
    const request = requests.find(({ to }) => to === from);
    if (request === undefined) continue;
    const { nonce, round } = request;
    const answer: CoordinationReply = {
      kind: 'mabeam.coordination.reply',
      v: 1,
      session: 'session',
      round,
      nonce,
      from,
      ...(bid === 'decline'
        ? { status: 'decline', reason: 'busy' }
        : { status: 'ok', body: { amount: BigInt(bid) } }),
    };
    action = session.take({ kind: 'answer', at: 1, from, nonce, answer }) ?? action;
  }
  if (action.kind !== 'finish') {
    action = session.take({ kind: 'deadline', at: 1_000, round: 1 }) ?? action;
  }
  if (action.kind !== 'finish') throw new Error('the session did not end at its deadline');
  return action.outcome;
}

function sale(outcome: Outcome<SealedBidResult>): [AgentId, number] | string {
  const { status, result } = outcome;
  return result === undefined ? status : [result.winner, Number(result.price)];
}

/** What a bid earns who values the lot at 10, against a bid of 6. */
const gainOfTen = (bid: number): number =>
  10 - Number(hold(firstPriceAuction, { me: bid, rival: 6 }).result?.price);

const abc = { a: 10, b: 8, c: 5 };

describe('a first-price auction', () => {
  it('sells to the highest bidder at its own bid', () => {
    expect(sale(hold(firstPriceAuction, abc))).toEqual(['a', 10]);
  });

  it('sells nothing below the reserve, and says who stayed below', () => {
    const outcome = hold(firstPriceAuction, abc, { reserve: 11n });
    expect(sale(outcome)).toBe('no_deal');
    expect(outcome.reasons).toEqual({
      a: 'below_reserve',
      b: 'below_reserve',
      c: 'below_reserve',
    });
  });

  it('buys from the cheapest at its own price', () => {
    expect(sale(hold(firstPriceAuction, abc, { side: 'buy' }))).toEqual(['c', 5]);
  });

  it('rewards a bid below the true value, and says so in its traits', () => {
    expect([gainOfTen(10), gainOfTen(7)]).toEqual([0, 3]);
    expect(firstPriceAuction.traits.dominantStrategyTruthful).toBe(false);
  });
});

describe('a second-price auction', () => {
  it('sells to the highest bidder at the second-highest bid', () => {
    expect(sale(hold(vickreyAuction, abc))).toEqual(['a', 8]);
  });

  it('charges at least the reserve', () => {
    expect(sale(hold(vickreyAuction, abc, { reserve: 9n }))).toEqual(['a', 9]);
    expect(sale(hold(vickreyAuction, { a: 10, b: 3 }, { reserve: 7n }))).toEqual(['a', 7]);
    expect(sale(hold(vickreyAuction, abc, { reserve: 11n }))).toBe('no_deal');
  });

  it('charges a single bidder the reserve, which is 0 unless given', () => {
    expect(sale(hold(vickreyAuction, { a: 10 }, { reserve: 3n }))).toEqual(['a', 3]);
    expect(sale(hold(vickreyAuction, { a: 10 }))).toEqual(['a', 0]);
  });

  it('buys from the cheapest at the second-lowest cost', () => {
    expect(sale(hold(vickreyAuction, abc, { side: 'buy' }))).toEqual(['c', 8]);
  });

  it('never pays a supplier more than the reserve', () => {
    expect(sale(hold(vickreyAuction, abc, { side: 'buy', reserve: 7n }))).toEqual(['c', 7]);
    expect(sale(hold(vickreyAuction, abc, { side: 'buy', reserve: 4n }))).toBe('no_deal');
  });

  it('pays a single supplier the reserve, or its own bid where there is none', () => {
    expect(sale(hold(vickreyAuction, { c: 5 }, { side: 'buy', reserve: 9n }))).toEqual(['c', 9]);
    expect(sale(hold(vickreyAuction, { c: 5 }, { side: 'buy' }))).toEqual(['c', 5]);
  });

  it('records every bid and tells everybody why it won or lost', () => {
    const bids: Bids = { a: 10, b: 8, c: 2, d: 'decline', e: 'silent' };
    const outcome = hold(vickreyAuction, bids, { reserve: 5n });
    expect(outcome.result?.bids).toEqual([
      { agent: 'a', amount: 10n },
      { agent: 'b', amount: 8n },
      { agent: 'c', amount: 2n },
    ]);
    expect(outcome.reasons).toEqual({
      a: 'won',
      b: 'outbid',
      c: 'below_reserve',
      d: 'declined',
      e: 'silent',
    });
    expect(outcome.participation).toEqual({ asked: 5, ok: 3, declined: 1, silent: 1, invalid: 0 });
  });

  it('ends without a deal when nobody is there', () => {
    expect(sale(hold(vickreyAuction, {}))).toBe('no_deal');
  });
});

describe('a tie', () => {
  const tied = { a: 10, b: 10, c: 4 };

  it('costs the common bid and goes to each half of the time', () => {
    const bids = [
      { agent: 'a', amount: 10n },
      { agent: 'b', amount: 10n },
      { agent: 'c', amount: 4n },
    ];
    let wins = 0;
    for (let seed = 0; seed < 10_000; seed++) {
      const spec = { lot: 'lot', pricing: 'second' } as const;
      const { result } = settle(bids, spec, { seed: String(seed), tie: 'seeded' });
      expect(result?.price).toBe(10n);
      if (result?.winner === 'a') wins++;
    }
    expect(wins).toBeGreaterThan(4_800);
    expect(wins).toBeLessThan(5_200);
  });

  it('is drawn anew for another lot, and alike for the same seed', () => {
    const winners = Array.from({ length: 40 }, (_, lot) =>
      sale(hold(vickreyAuction, tied, { lot: `lot ${lot}` })),
    );
    expect(new Set(winners.map(String)).size).toBe(2);
    expect(sale(hold(vickreyAuction, tied))).toEqual(sale(hold(vickreyAuction, tied)));
  });

  it('goes to the smallest id when the rule is lexicographic', () => {
    const outcome = hold(vickreyAuction, { b: 10, a: 10, c: 4 }, { tie: 'lexicographic' });
    expect(sale(outcome)).toEqual(['a', 10]);
    expect(outcome.tie).toEqual({ among: ['a', 'b'], rule: 'lexicographic' });
    expect(outcome.reasons).toEqual({ a: 'won', b: 'tie_lost', c: 'outbid' });
  });

  it('is only reported when that is the rule', () => {
    const outcome = hold(vickreyAuction, tied, { tie: 'report' });
    expect(outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'], rule: 'report' } });
    expect(outcome).not.toHaveProperty('result');
  });
});

describe.each(['sell', 'buy'] as const)('to bid the true value, side %s', (side) => {
  it('is best in a second-price auction, in all 14,641 cases of three bidders', () => {
    const amounts = Array.from({ length: 11 }, (_, index) => index);
    const env = { seed: 'seed', tie: 'seeded' } as const;
    const gain = (bid: number, value: number, rivals: readonly [number, number]): number => {
      const bids = [bid, ...rivals].map((amount, agent) => ({
        agent: String(agent),
        amount: BigInt(amount),
      }));
      const { result } = settle(bids, { lot: 'lot', side, pricing: 'second' }, env);
      if (result?.winner !== '0') return 0;
      return side === 'sell' ? value - Number(result.price) : Number(result.price) - value;
    };
    let cases = 0;
    let violations = 0;
    for (const value of amounts) {
      for (const left of amounts) {
        for (const right of amounts) {
          const truthful = gain(value, value, [left, right]);
          for (const bid of amounts) {
            cases++;
            if (gain(bid, value, [left, right]) > truthful) violations++;
          }
        }
      }
    }
    expect({ cases, violations }).toEqual({ cases: 14_641, violations: 0 });
    expect(vickreyAuction.traits.dominantStrategyTruthful).toBe(true);
  });
});

describe('expected revenue of uniform values', () => {
  const unit = 1_000_000;
  const draws = 30_000;
  const env = { seed: 'seed', tie: 'lexicographic' } as const;

  function revenue(count: number, pricing: 'first' | 'second', reserve = 0): number {
    const random = seededRandom(`${pricing} ${count} ${reserve}`);
    const shade = pricing === 'first' ? (count - 1) / count : 1;
    let sum = 0;
    for (let draw = 0; draw < draws; draw++) {
      const bids = Array.from({ length: count }, (_, agent) => ({
        agent: String(agent),
        amount: BigInt(Math.round(random.next() * shade * unit)),
      }));
      const spec = { lot: 'lot', reserve: BigInt(reserve), pricing };
      sum += Number(settle(bids, spec, env).result?.price ?? 0n);
    }
    return sum / draws / unit;
  }

  it.each([
    [2, 1 / 3],
    [3, 1 / 2],
    [5, 2 / 3],
  ])('is (n-1)/(n+1) for %i bidders at either price', (count, expected) => {
    expect(Math.abs(revenue(count, 'first') - expected)).toBeLessThan(0.003);
    expect(Math.abs(revenue(count, 'second') - expected)).toBeLessThan(0.003);
  });

  it('is 5/12 for two bidders with a reserve of one half', () => {
    expect(Math.abs(revenue(2, 'second', unit / 2) - 5 / 12)).toBeLessThan(0.003);
  });
});

function toBids(list: readonly (number | 'silent' | 'decline')[]): Bids {
  return Object.fromEntries(list.map((amount, index) => [`agent-${index}`, amount]));
}

describe('laws of sealed-bid auctions', () => {
  const auctions = fc.constantFrom(firstPriceAuction, vickreyAuction);
  const sides = fc.constantFrom('sell' as const, 'buy' as const);
  const bid = fc.oneof(fc.nat(9), fc.constantFrom('silent' as const, 'decline' as const));
  const bids = fc.array(bid, { maxLength: 8 }).map((list) => toBids(list));
  const terms = fc.record(
    { side: sides, seed: fc.string(), reserve: fc.bigInt(0n, 9n) },
    { requiredKeys: ['side', 'seed'] },
  );

  it('the order of arrival and of the roster decides nothing', () => {
    fc.assert(
      fc.property(auctions, bids, terms, (auction, given, spec) => {
        const roster = Object.keys(given);
        const backwards = Object.fromEntries(Object.entries(given).toReversed());
        const first = hold(auction, given, { ...spec, roster });
        const { record: _1, ...same } = hold(auction, backwards, { ...spec, roster });
        const { record: _2, ...base } = first;
        expect(same).toEqual(base);
        const turned = hold(auction, given, { ...spec, roster: roster.toReversed() });
        expect(sale(turned)).toEqual(sale(first));
        expect(turned.reasons).toEqual(first.reasons);
      }),
    );
  });

  it('a winner has the best admitted bid and is never worse off than by it', () => {
    fc.assert(
      fc.property(auctions, bids, terms, (auction, given, spec) => {
        const { result } = hold(auction, given, spec);
        const sign = spec.side === 'sell' ? 1n : -1n;
        const worths = Object.values(given)
          .filter((amount) => typeof amount === 'number')
          .map((amount) => sign * BigInt(amount))
          .filter((worth) => spec.reserve === undefined || worth >= sign * spec.reserve);
        expect(result === undefined).toBe(worths.length === 0);
        if (result === undefined) return;
        const own = sign * BigInt(given[result.winner] ?? -1);
        expect(worths.every((worth) => worth <= own)).toBe(true);
        expect(sign * result.price).toBeLessThanOrEqual(own);
        const floor = sign * (spec.reserve ?? result.price);
        expect(sign * result.price).toBeGreaterThanOrEqual(floor);
      }),
    );
  });

  it('one more bidder never lowers what a sale earns', () => {
    fc.assert(
      fc.property(auctions, bids, fc.nat(9), (auction, given, more) => {
        const price = (all: Bids): number => Number(hold(auction, all).result?.price ?? -1n);
        expect(price({ ...given, more })).toBeGreaterThanOrEqual(price(given));
      }),
    );
  });

  it('other names give the same prices', () => {
    fc.assert(
      fc.property(auctions, bids, terms, (auction, given, spec) => {
        const renamed = Object.fromEntries(
          Object.entries(given).map(([id, amount]) => [`x-${id}`, amount]),
        );
        const [left, right] = [hold(auction, given, spec), hold(auction, renamed, spec)];
        expect(right.result?.price).toBe(left.result?.price);
        const among = left.tie?.among ?? (left.result ? [left.result.winner] : [undefined]);
        expect(among).toContain(right.result?.winner.replace('x-', ''));
      }),
    );
  });

  it('no session takes more messages than its traits allow', () => {
    fc.assert(
      fc.property(auctions, bids, (auction, given) => {
        const { record } = hold(auction, given);
        const messages = record.entries.filter(({ kind }) => kind !== 'deadline').length;
        expect(messages).toBeLessThanOrEqual(auction.traits.maxMessages(Object.keys(given).length));
      }),
    );
  });
});

describe('a spec', () => {
  it.each([
    ['nothing', undefined, 'expected { lot, side?, reserve? }, got undefined'],
    [
      'a misspelt field',
      { lot: 'x', reserv: 1n },
      'unknown field "reserv", did you mean "reserve"?',
    ],
    ['an empty lot', { lot: '' }, 'lot: expected a text of 1 to 256 characters, got ""'],
    ['another side', { lot: 'x', side: 'both' }, 'side: expected sell or buy, got "both"'],
    [
      'a fraction',
      { lot: 'x', reserve: 0.5 },
      `reserve: expected a whole amount from 0 to ${amountMax}, got 0.5`,
    ],
    [
      'less than nothing',
      { lot: 'x', reserve: -1n },
      `reserve: expected a whole amount from 0 to ${amountMax}, got -1n`,
    ],
  ])('with %s is refused with the field that is wrong', (_what, spec, reason) => {
    const read = vickreyAuction.parseSpec(spec);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });

  it('takes a decimal string for an amount, as JSON has no big integers', () => {
    const read = vickreyAuction.parseSpec({ lot: 'x', reserve: '12' });
    expect(read).toEqual({ ok: true, value: { lot: 'x', side: 'sell', reserve: 12n } });
  });
});
