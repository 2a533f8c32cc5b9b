import { sit, type Sat, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { amountMax } from '../amount.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import type { SessionOptions } from '../session-options.ts';
import { verify } from '../verify.ts';
import { readyReplies } from './english-auction-ready.ts';
import { englishAuction, type EnglishSpec } from './english-auction.ts';
import type { OpenAuctionResult } from './open-auction.ts';
import type { Increment } from './price-ladder.ts';

type Bidder = (request: CoordinationRequest) => Scripted;
type Bidders = Readonly<Record<AgentId, Bidder>>;
type Terms = Partial<EnglishSpec> & { readonly options?: Partial<SessionOptions> };

const { stayUpTo, bidUpTo } = readyReplies;
/** Answers every question by itself, of either variant. */
const upTo = (limit: bigint): Bidder => {
  const [stay, bid] = [stayUpTo(limit), bidUpTo(limit)];
  return (request) => ({ body: request.type === 'stay' ? stay(request) : bid(request) });
};
/** Answers with its limit. */
const proxyOf =
  (limit: bigint): Bidder =>
  () => ({ body: { limit } });

async function hold(bidders: Bidders, terms: Terms = {}): Promise<Sat<OpenAuctionResult>> {
  const { options = {}, ...spec } = terms;
  return sit(englishAuction, {
    spec: { lot: 'lot', increment: 1n, ...spec },
    roster: Object.keys(bidders),
    options: { deadlineMs: 10_000_000, ...options },
    answer: (request) => bidders[request.to]?.(request) ?? 'dead',
  });
}

function sale({ outcome }: Sat<OpenAuctionResult>): [AgentId, number] | string {
  const { status, result } = outcome;
  return result === undefined ? status : [result.winner, Number(result.price)];
}

/** Prices as a watcher sees them. */
function path({ outcome }: Sat<OpenAuctionResult>): number[] {
  return outcome.record.entries.flatMap((entry) =>
    entry.kind === 'emit' ? [Number(entry.facts['price'])] : [],
  );
}

function asked({ sent }: Sat<OpenAuctionResult>, id?: AgentId): number {
  return sent.filter(({ to, budgetMs }) => budgetMs > 0 && (id ?? to) === to).length;
}

const abc = { a: upTo(10n), b: upTo(8n), c: upTo(5n) };

describe('a clock', () => {
  it('sells at the price at which the second best leaves', async () => {
    const sat = await hold(abc);
    expect(sale(sat)).toEqual(['a', 9]);
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'outbid', c: 'outbid' });
    expect(sat.outcome.result?.bids).toEqual([
      { agent: 'a', amount: 9n },
      { agent: 'b', amount: 8n },
      { agent: 'c', amount: 5n },
    ]);
  });

  it('asks again at each step, whom it has not lost, and shows the price', async () => {
    const sat = await hold(abc);
    expect(path(sat)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([asked(sat, 'a'), asked(sat, 'b'), asked(sat, 'c')]).toEqual([10, 10, 7]);
    const last = sat.sent.findLast(({ type }) => type === 'stay');
    expect(last?.body).toEqual({ lot: 'lot', side: 'sell', price: 9n });
  });

  it('sells to the one who has 60 at 50 when the other has 49', async () => {
    for (const kind of [upTo, proxyOf]) {
      expect(sale(await hold({ one: kind(49n), two: kind(60n) }, { start: 10n }))).toEqual([
        'two',
        50,
      ]);
    }
  });

  it('sells to a single bidder at the reserve, in one round', async () => {
    const sat = await hold({ a: upTo(20n) }, { reserve: 7n });
    expect(sale(sat)).toEqual(['a', 7]);
    expect(asked(sat)).toBe(1);
    expect(sale(await hold({ a: upTo(6n) }, { reserve: 7n }))).toBe('no_deal');
    expect(sale(await hold({ a: upTo(20n) }, { start: 9n, reserve: 7n }))).toEqual(['a', 9]);
  });

  it('sells by draw at the price before when all leave at once', async () => {
    const winners = new Set<unknown>();
    for (let seed = 0; seed < 20; seed++) {
      const options = { seed: String(seed) };
      const sat = await hold({ a: upTo(30n), b: upTo(30n) }, { options });
      expect(sat.outcome.result?.price).toBe(30n);
      expect(sat.outcome.tie).toEqual({ among: ['a', 'b'], rule: 'seeded' });
      winners.add(sat.outcome.result?.winner);
      const turned = await hold({ b: upTo(30n), a: upTo(30n) }, { options });
      expect(sale(turned)).toEqual(sale(sat));
    }
    expect(winners).toEqual(new Set(['a', 'b']));
  });

  it('follows another rule for ties when there is one', async () => {
    const tied = { b: upTo(30n), a: upTo(30n), c: upTo(4n) };
    const first = await hold(tied, { options: { tie: 'lexicographic' } });
    expect(sale(first)).toEqual(['a', 30]);
    expect(first.outcome.reasons).toEqual({ a: 'won', b: 'tie_lost', c: 'outbid' });
    const reported = await hold(tied, { options: { tie: 'report' } });
    expect(reported.outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'] } });
    expect(reported.outcome).not.toHaveProperty('result');
  });

  it('passes a million ticks in as many rounds as limits are passed', async () => {
    const sat = await hold({ a: proxyOf(2_000_000n), b: proxyOf(1_000_000n), c: proxyOf(9n) });
    expect(sale(sat)).toEqual(['a', 1_000_001]);
    expect(path(sat)).toEqual([0, 10, 1_000_001]);
    expect([asked(sat, 'a'), asked(sat, 'b'), asked(sat, 'c')]).toEqual([1, 2, 2]);
  });

  it('asks who has passed its limit again, and takes a higher one', async () => {
    const hesitant: Bidder = ({ round }) => ({ body: { limit: round === 1 ? 20n : 40n } });
    expect(sale(await hold({ hesitant, b: proxyOf(30n) }))).toEqual(['hesitant', 31]);
  });

  it('does not let anybody come back: a limit below the price leaves', async () => {
    const fickle: Bidder = ({ round }) => ({ body: round === 2 ? { limit: 0n } : { stay: true } });
    const sat = await hold({ fickle, a: upTo(9n), b: upTo(5n) });
    expect(sale(sat)).toEqual(['a', 6]);
    expect(asked(sat, 'fickle')).toBe(2);
  });

  it('takes silence, death, nonsense and two different answers for leaving', async () => {
    const from = (round: number, then: Scripted): Bidder => {
      const stays = upTo(100n);
      return (request) => (request.round < round ? stays(request) : then);
    };
    const sat = await hold({
      a: upTo(10n),
      silent: from(3, 'silent'),
      dead: from(4, 'dead'),
      liar: from(5, 'garbage'),
      double: from(6, { equivocate: { stay: true } }),
      gone: from(7, { decline: 'had enough' }),
      vague: from(8, { body: { stay: 'perhaps' } }),
    });
    expect(sale(sat)).toEqual(['a', 7]);
    expect(sat.outcome.reasons).toEqual({
      a: 'won',
      silent: 'silent',
      dead: 'silent',
      liar: 'invalid',
      double: 'invalid',
      gone: 'declined',
      vague: 'invalid',
    });
    expect(['silent', 'dead', 'liar'].map((id) => asked(sat, id))).toEqual([3, 4, 5]);
  });

  it('loses one round to any number of silent bidders', async () => {
    const silent = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`s${index}`, (): Scripted => 'silent']),
    );
    const sat = await hold({ ...silent, a: proxyOf(5n) }, { roundMs: 100 });
    expect(sale(sat)).toEqual(['a', 0]);
    expect(sat.endedAt).toBe(100);
  });

  it('gives up after as many rounds as it may take, and where amounts end', async () => {
    const rounds = await hold({ a: upTo(9n), b: upTo(9n), c: upTo(1n) }, { maxRounds: 5 });
    expect(sale(rounds)).toBe('limit_reached');
    expect(rounds.outcome.reasons).toEqual({ c: 'outbid' });
    expect(asked(rounds, 'a')).toBe(5);
    expect(sale(await hold({ a: proxyOf(amountMax), b: proxyOf(amountMax) }))).toBe(
      'limit_reached',
    );
  });

  it('falls when buying, to one who still delivers', async () => {
    const suppliers = { a: upTo(30n), b: upTo(50n), c: upTo(95n) };
    const sat = await hold(suppliers, { side: 'buy', start: 90n, increment: 10n });
    expect(path(sat)).toEqual([90, 80, 70, 60, 50, 40]);
    expect(sale(sat)).toEqual(['a', 40]);
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'outbid', c: 'below_reserve' });
    expect(sale(await hold({ a: proxyOf(0n), b: proxyOf(0n) }, { side: 'buy', start: 9n }))).toBe(
      'limit_reached',
    );
  });

  it('takes greater steps at higher prices when a table says so', async () => {
    const increment = [
      { from: 0n, by: 1n },
      { from: 3n, by: 5n },
      { from: 20n, by: 20n },
    ];
    const sat = await hold({ a: upTo(100n), b: upTo(60n) }, { increment });
    expect(path(sat)).toEqual([0, 1, 2, 3, 8, 13, 18, 23, 43, 63]);
  });

  it('tells the winner', async () => {
    const { sent } = await hold(abc);
    expect(sent.filter(({ budgetMs }) => budgetMs === 0)).toMatchObject([
      { to: 'a', type: 'award', body: { lot: 'lot', side: 'sell', price: 9n } },
    ]);
  });
});

const limitOf = fc.bigInt(0n, 40n);
const increments = fc.oneof(
  fc.bigInt(1n, 6n),
  fc.tuple(fc.bigInt(1n, 4n), fc.bigInt(1n, 20n), fc.bigInt(1n, 9n)).map(([by, from, more]) => [
    { from: 0n, by },
    { from, by: more },
  ]),
);
const markets = fc.record({
  limits: fc.array(limitOf, { minLength: 1, maxLength: 6 }),
  side: fc.constantFrom('sell' as const, 'buy' as const),
  increment: increments,
  seed: fc.string(),
});

function named<T>(list: readonly T[]): Readonly<Record<AgentId, T>> {
  return Object.fromEntries(list.map((each, index) => [`bidder-${index}`, each]));
}

describe('laws of a clock', () => {
  it('limits come to what asking at each tick comes to', () =>
    fc.assert(
      fc.asyncProperty(
        markets,
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        async ({ limits, side, increment, seed }, isProxy) => {
          const terms = { side, start: side === 'sell' ? 0n : 40n, increment, options: { seed } };
          const byTick = await hold(named(limits.map(upTo)), terms);
          const mixed = limits.map((limit, index) => (isProxy[index] ? proxyOf : upTo)(limit));
          const { record: _1, participation: _2, ...one } = byTick.outcome;
          for (const bidders of [limits.map(proxyOf), mixed]) {
            const {
              record: _3,
              participation: _4,
              ...other
            } = (await hold(named(bidders), terms)).outcome;
            expect(other).toEqual(one);
          }
        },
      ),
    ));

  it('the best wins, within one step of the second-best limit, and nobody pays more than its own', () =>
    fc.assert(
      fc.asyncProperty(markets, async ({ limits, side, seed }) => {
        const start = side === 'sell' ? 0n : 40n;
        const step = 3n;
        const sat = await hold(named(limits.map(upTo)), {
          side,
          start,
          increment: step,
          options: { seed },
        });
        const { result, tie, status } = sat.outcome;
        const distance = (amount: bigint): bigint => (side === 'sell' ? amount : 40n - amount);
        const prices = path(sat).map((price) => distance(BigInt(price)));
        expect(prices).toEqual(prices.map((_, index) => BigInt(index) * step));
        if (status === 'limit_reached') return; // Two who would take 0 when buying.
        expect(status).toBe('decided');
        if (result === undefined) return;
        const ranked = limits.map(distance).toSorted((left, right) => Number(right - left));
        const own = distance(limits[Number(result.winner.split('-')[1])] ?? 0n);
        const price = distance(result.price);
        expect(price).toBeLessThanOrEqual(own);
        expect((ranked[0] ?? 0n) - own).toBeLessThan(step);
        const second = ranked[1] ?? -step;
        const [above, most] = tie === undefined ? [second, second + step] : [second - step, second];
        expect(price).toBeGreaterThan(above);
        expect(price).toBeLessThanOrEqual(most);
      }),
    ));

  it('nobody gains a whole step by leaving earlier or later, though a part of one', async () => {
    const gain = async (limit: bigint, value: number, rival: bigint): Promise<number> => {
      let sum = 0;
      for (const seed of ['1', '2', '3', '4']) {
        const { outcome } = await hold(
          { me: upTo(limit), rival: upTo(rival) },
          { options: { seed } },
        );
        if (outcome.result?.winner === 'me') sum += value - Number(outcome.result.price);
      }
      return sum / 4;
    };
    let best = 0;
    for (let value = 0; value <= 4; value++) {
      for (let rival = 0n; rival <= 4n; rival++) {
        const truthful = await gain(BigInt(value), value, rival);
        expect(truthful).toBeGreaterThanOrEqual(0);
        for (let limit = 0n; limit <= 5n; limit++) {
          best = Math.max(best, (await gain(limit, value, rival)) - truthful);
        }
      }
    }
    expect(best).toBeLessThanOrEqual(1);
    expect(best).toBeGreaterThan(0);
    expect(englishAuction.traits.dominantStrategyTruthful).toBe(false);
  });
});

const outcry = { variant: 'outcry' } as const;

describe('an outcry', () => {
  it('sells at 8 or 9, depending on who holds the 8', async () => {
    const prices = new Set<unknown>();
    for (let seed = 0; seed < 20; seed++) {
      const sat = await hold(abc, { ...outcry, options: { seed: String(seed) } });
      expect(sat.outcome.result?.winner).toBe('a');
      prices.add(sat.outcome.result?.price);
      const steps = path(sat).slice(1);
      expect(steps).toEqual(steps.map((_, index) => index));
    }
    expect(prices).toEqual(new Set([8n, 9n]));
  });

  it('shows the bid that stands and the least that counts, and does not ask who holds it', async () => {
    const sat = await hold({ a: upTo(3n), b: upTo(1n) }, { ...outcry, start: 1n });
    const bodies = sat.sent.filter(({ type }) => type === 'get_bid').map(({ body }) => body);
    expect(bodies[0]).toEqual({ lot: 'lot', side: 'sell', nextBid: 1n });
    const standing = { lot: 'lot', side: 'sell', currentPrice: 1n, nextBid: 2n };
    expect(bodies[2]).toEqual(standing);
    const second = sat.sent.filter(({ round }) => round === 2);
    expect(second.filter(({ budgetMs }) => budgetMs > 0)).toHaveLength(1);
  });

  it('ends after one round without a raise', async () => {
    const sat = await hold({ a: upTo(7n), b: () => ({ decline: 'no' }) }, { ...outcry, start: 7n });
    expect(sale(sat)).toEqual(['a', 7]);
    expect(asked(sat)).toBe(3);
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'declined' });
    const alone = await hold({ a: upTo(7n) }, { ...outcry, reserve: 7n });
    expect([sale(alone), asked(alone)]).toEqual([['a', 7], 1]);
  });

  it('takes a bid of any size above, and nothing below', async () => {
    const jump: Bidder = () => ({ body: { amount: 50n } });
    const low: Bidder = () => ({ body: { amount: 2n } });
    const sat = await hold({ jump, low, b: upTo(49n) }, { ...outcry, start: 5n });
    expect(sale(sat)).toEqual(['jump', 50]);
    expect(sat.outcome.reasons).toEqual({ jump: 'won', low: 'below_reserve', b: 'outbid' });
  });

  it('bids for a limit: a contest of a million raises takes two rounds', async () => {
    const sat = await hold({ a: proxyOf(2_000_000n), b: proxyOf(1_000_000n) }, outcry);
    expect(sale(sat)).toEqual(['a', 1_000_001]);
    expect(asked(sat)).toBe(3);
    const equal = await hold({ a: proxyOf(70n), b: proxyOf(70n) }, outcry);
    expect(equal.outcome.result?.price).toBe(70n);
    expect(equal.outcome.tie?.among).toEqual(['a', 'b']);
    expect(Object.values(equal.outcome.reasons).toSorted()).toEqual(['tie_lost', 'won']);
  });

  it('leaves the lot to who held it when another says as much later', async () => {
    const later: Bidder = ({ round }) =>
      round === 1 ? { decline: 'wait' } : { body: { limit: 30n } };
    const sat = await hold({ z: proxyOf(30n), later, b: upTo(5n) }, outcry);
    expect(sale(sat)).toEqual(['z', 30]);
    expect(sat.outcome).not.toHaveProperty('tie');
    expect(sat.outcome.reasons['later']).toBe('outbid');
  });

  it('takes silence for a pass: who was silent may bid again', async () => {
    const back: Bidder = (request) => (request.round === 1 ? 'silent' : upTo(20n)(request));
    expect(sale(await hold({ a: upTo(5n), back }, outcry))).toEqual(['back', 5]);
  });

  it('reports equal bids only when nobody raises them, if that is the rule', async () => {
    const options = { tie: 'report' } as const;
    expect(sale(await hold({ a: upTo(5n), b: upTo(3n) }, { ...outcry, options }))).toEqual([
      'a',
      4,
    ]);
    const tied = await hold({ a: upTo(5n), b: upTo(5n) }, { ...outcry, options });
    expect(tied.outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'] } });
    expect(tied.outcome.reasons).toEqual({ a: 'tie_lost', b: 'tie_lost' });
  });

  it('sinks when buying', async () => {
    const suppliers = { a: upTo(30n), b: upTo(50n) };
    const sat = await hold(suppliers, { ...outcry, side: 'buy', reserve: 90n, increment: 10n });
    expect(sale(sat)[0]).toBe('a');
    expect([40n, 50n]).toContain(sat.outcome.result?.price);
    const proxies = { a: proxyOf(30n), b: proxyOf(50n) };
    const quick = await hold(proxies, { ...outcry, side: 'buy', reserve: 90n, increment: 10n });
    expect(sale(quick)).toEqual(['a', 40]);
  });

  it('gives up after as many rounds as it may take', async () => {
    const sat = await hold({ a: upTo(9n), b: upTo(9n), c: upTo(0n) }, { ...outcry, maxRounds: 4 });
    expect(sale(sat)).toBe('limit_reached');
    expect(Math.max(...sat.sent.map(({ round }) => round))).toBe(4);
    expect(Object.keys(sat.outcome.reasons)).toHaveLength(2);
  });

  it('goes to a best limit, near the second best, with bidders of all kinds', () =>
    fc.assert(
      fc.asyncProperty(
        markets,
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        async (market, isProxy) => {
          const { limits, side, seed } = market;
          const start = side === 'sell' ? 0n : 40n;
          const bidders = limits.map((limit, index) => (isProxy[index] ? proxyOf : upTo)(limit));
          const terms = { ...outcry, side, start, increment: 1n, options: { seed } };
          const { outcome } = await hold(named(bidders), terms);
          const { result } = outcome;
          if (result === undefined) throw new Error(`was ${outcome.status}`);
          const distance = (amount: bigint): bigint => (side === 'sell' ? amount : 40n - amount);
          const ranked = limits.map(distance).toSorted((left, right) => Number(right - left));
          const own = distance(limits[Number(result.winner.split('-')[1])] ?? 0n);
          const price = distance(result.price);
          expect(price).toBeLessThanOrEqual(own);
          expect((ranked[0] ?? 0n) - own).toBeLessThanOrEqual(1n);
          const second = ranked[1] ?? 0n;
          expect(price).toBeGreaterThanOrEqual(second - 1n);
          expect(price).toBeLessThanOrEqual(second + 1n);
        },
      ),
    ));
});

describe('verification of a sale', () => {
  it.each([outcry, {}])('finds what does not follow from the bids, %o', async (variant) => {
    const { outcome } = await hold(abc, variant);
    const { result, record } = outcome;
    if (result === undefined) throw new Error('no result');
    const claim = (change: Partial<OpenAuctionResult>): readonly string[] =>
      englishAuction.verify?.(
        { lot: 'lot', increment: 1n, ...variant },
        { ...outcome, roster: record.setup.roster, result: { ...result, ...change } },
      ) ?? [];
    expect(claim({})).toEqual([]);
    expect(claim({ price: 5n })).not.toEqual([]);
    expect(claim({ winner: 'c' })).not.toEqual([]);
    const cheap = result.bids.map((bid) => (bid.agent === 'a' ? { ...bid, amount: 2n } : bid));
    expect(claim({ price: 2n, bids: cheap })).not.toEqual([]);
    expect(claim({ bids: [...result.bids, { agent: 'x', amount: 1n }] })).toEqual([
      'x has bid and is not in the roster',
    ]);
    expect(verify(englishAuction, outcome)).toEqual([]);
  });

  it('finds an outcry that went below its opening', () => {
    const bids = [{ agent: 'a', amount: 8n }];
    const problems = englishAuction.verify?.(
      { lot: 'lot', increment: 1n, variant: 'outcry', reserve: 9n },
      {
        status: 'decided',
        roster: ['a'],
        result: { lot: 'lot', side: 'sell', winner: 'a', price: 8n, bids },
      },
    );
    expect(problems).toEqual(['the price of 8 is worse than the opening of 9']);
  });

  it('knows the prices of a clock', () => {
    const bids = [{ agent: 'a', amount: 8n }];
    const problems = englishAuction.verify?.(
      { lot: 'lot', increment: 3n },
      {
        status: 'decided',
        roster: ['a'],
        result: { lot: 'lot', side: 'sell', winner: 'a', price: 8n, bids },
      },
    );
    expect(problems?.[0]).toBe('8 is no price of this clock');
  });
});

describe('a spec', () => {
  it('is filled in', () => {
    expect(englishAuction.parseSpec({ lot: 'x', increment: '5', start: '2' })).toEqual({
      ok: true,
      value: {
        lot: 'x',
        side: 'sell',
        variant: 'clock',
        start: 2n,
        increment: 5n,
        roundMs: 1_000,
        maxRounds: 10_000,
      },
    });
  });

  const whole = `a whole amount from 0 to ${amountMax}`;
  const rows = (...list: [bigint, bigint][]): Increment => list.map(([from, by]) => ({ from, by }));
  it.each([
    [7, 'expected { lot, increment, … }, got 7'],
    [{ lot: 'x' }, `increment: expected ${whole}, got undefined`],
    [{ increment: 0n }, 'increment: expected at least 1, got 0'],
    [{ increment: [] }, 'increment: expected 1 to 100 rows, got 0'],
    [
      { increment: Array.from({ length: 101 }, () => 1) },
      'increment: expected 1 to 100 rows, got 101',
    ],
    [{ increment: rows([1n, 1n]) }, 'increment[0].from: expected 0, got 1'],
    [{ increment: rows([0n, 1n], [0n, 2n]) }, 'increment[1].from: expected more than 0, got 0'],
    [{ increment: rows([0n, 0n]) }, 'increment[0].by: expected at least 1, got 0'],
    [{ increment: [3] }, 'increment[0]: expected { from, by }, got 3'],
    [{ stat: 1n }, 'unknown field "stat", did you mean "start"?'],
    [{ variant: 'loud' }, 'variant: expected clock or outcry, got "loud"'],
    [{ side: 'buy' }, 'start: expected a price to begin with when buying, got undefined'],
    [{ roundMs: 0 }, 'roundMs: expected whole milliseconds from 1, got 0'],
    [{ maxRounds: 1e6 }, 'maxRounds: expected a whole number from 1 to 100000, got 1000000'],
    [{ start: 0.5 }, `start: expected ${whole}, got 0.5`],
    [{ lot: '' }, 'lot: expected a text of 1 to 256 characters, got ""'],
  ])('is refused with what is wrong: %#', (wrong, reason) => {
    const given =
      typeof wrong === 'number' || 'lot' in wrong ? wrong : { lot: 'x', increment: 1n, ...wrong };
    const spec =
      typeof given === 'number' || given.lot !== '' ? given : { increment: 1n, ...given };
    const read = englishAuction.parseSpec(spec);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });
});

describe('a reply', () => {
  it.each([
    ['stay', { stay: true }, true],
    ['stay', { limit: '7' }, true],
    ['stay', 7, 'body: expected { stay } or { limit }, got 7'],
    ['stay', { stay: true, limit: 7n }, 'body: unknown field "stay"'],
    ['stay', { amount: 1n }, 'body: unknown field "amount"'],
    ['get_bid', { amount: '7' }, true],
    ['get_bid', { limit: 7n }, true],
    ['get_bid', { amount: 7n, limit: 9n }, 'body: unknown field "amount"'],
    ['get_bid', 7, 'body: expected { amount } or { limit }, got 7'],
  ])('to %s is read or refused: %o', (type, body, expected) => {
    const read = englishAuction.parseReply(type, body);
    expect(read.ok || read.reason).toBe(expected);
  });

  it('of a ready bidder is made from an amount only', () => {
    expect(() => stayUpTo('much')).toThrow('stayUpTo: expected a whole amount');
  });
});
