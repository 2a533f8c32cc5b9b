import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../message.ts';
import { participant } from '../participant.ts';
import type { Decision, PureEnv } from '../protocol.ts';
import { verify } from '../verify.ts';
import { type MarginalBid, marginalsMax, marginalsQuestions } from './marginals.ts';
import {
  multiUnitAuction,
  type MultiUnitResult,
  type MultiUnitSpec,
  settleUnits,
  type UnitPricing,
} from './multi-unit-auction.ts';
import { readyReplies } from './multi-unit-ready.ts';

const env: PureEnv = { seed: 'seed', tie: 'seeded' };
const pricings: readonly UnitPricing[] = ['discriminatory', 'uniform_lab', 'uniform_hrb', 'vcg'];

type Book = Readonly<Record<string, readonly number[]>>;

function bidsOf(book: Book): readonly MarginalBid[] {
  return Object.entries(book).map(([agent, marginals]) => ({
    agent,
    marginals: marginals.map(BigInt),
  }));
}

function sold(
  book: Book,
  spec: Partial<MultiUnitSpec> & Pick<MultiUnitSpec, 'units'>,
  from: PureEnv = env,
): Decision<MultiUnitResult> {
  return settleUnits(bidsOf(book), { lot: 'lot', pricing: 'vcg', ...spec }, from);
}

/** `agent: units for payment` of everybody who has won. */
function awards({ result }: Decision<MultiUnitResult>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (result?.awards ?? []).map(({ agent, units, payment }) => [agent, `${units} for ${payment}`]),
  );
}

/** Five licences (Ausubel 2004). */
const licences: Book = {
  A: [123, 113, 103],
  B: [75, 5, 3],
  C: [125, 125, 49],
  D: [85, 65, 7],
  E: [45, 25, 5],
};

/** Six units (Krishna, Auction Theory). */
const six: Book = {
  one: [50, 47, 40, 32, 15, 5],
  two: [42, 28, 20, 12, 7, 3],
  three: [45, 35, 24, 14, 9, 6],
};

describe('an auction of several units', () => {
  it.each([
    ['discriminatory', undefined, { A: '3 for 339', C: '2 for 250' }],
    ['uniform_lab', 103n, { A: '3 for 309', C: '2 for 206' }],
    ['uniform_hrb', 85n, { A: '3 for 255', C: '2 for 170' }],
    ['vcg', undefined, { A: '3 for 225', C: '2 for 160' }],
  ] as const)("sells Ausubel's five licences by %s", (pricing, price, won) => {
    const decision = sold(licences, { units: 5, pricing });
    expect(awards(decision)).toEqual(won);
    expect(decision.result).toMatchObject({ units: 5, welfare: 589n, pricing });
    expect(decision.result?.price).toBe(price);
    expect(decision.reasons).toEqual({
      A: 'won',
      B: 'outbid',
      C: 'won',
      D: 'outbid',
      E: 'outbid',
    });
  });

  it.each([
    ['discriminatory', { one: '3 for 137', two: '1 for 42', three: '2 for 80' }],
    ['uniform_hrb', { one: '3 for 96', two: '1 for 32', three: '2 for 64' }],
    ['vcg', { one: '3 for 72', two: '1 for 32', three: '2 for 60' }],
  ] as const)("sells Krishna's six units by %s", (pricing, won) => {
    expect(awards(sold(six, { units: 6, pricing }))).toEqual(won);
  });

  it.each([
    ['discriminatory', { one: '1 for 3', two: '2 for 9' }],
    ['uniform_lab', { one: '1 for 5', two: '2 for 10' }],
    ['uniform_hrb', { one: '1 for 6', two: '2 for 12' }],
    // Without `two` the auctioneer would have to take the units that cost 6 and 7, and without `one` that of 6.
    ['vcg', { one: '1 for 6', two: '2 for 13' }],
  ] as const)('buys from the cheapest by %s', (pricing, won) => {
    const costs = { one: [3, 7], two: [4, 5, 9], three: [6] };
    const decision = sold(costs, { units: 3, pricing, side: 'buy', reserve: 20n });
    expect(awards(decision)).toEqual(won);
    expect(decision.result?.welfare).toBe(12n);
  });

  it('asks at least the reserve for every unit, whatever the losing bids', () => {
    const decide = (pricing: UnitPricing): Decision<MultiUnitResult> =>
      sold({ a: [10, 8], b: [6], c: [] }, { units: 3, pricing, reserve: 7n });
    expect(pricings.map((pricing) => awards(decide(pricing)))).toEqual([
      { a: '2 for 18' },
      { a: '2 for 16' },
      { a: '2 for 14' },
      { a: '2 for 14' },
    ]);
    expect(decide('vcg').result?.units).toBe(2);
    expect(decide('vcg').reasons).toEqual({ a: 'won', b: 'below_reserve', c: 'declined' });
    const none = sold({ a: [6], b: [] }, { units: 1, reserve: 7n });
    expect(none).toEqual({
      status: 'no_deal',
      reasons: { a: 'below_reserve', b: 'declined' },
    });
  });

  it('sells to a single bidder at 0 unless there is a reserve, and no more than it wants', () => {
    expect(awards(sold({ a: [9, 9] }, { units: 5 }))).toEqual({ a: '2 for 0' });
    // Units that a bidder could never get say nothing of what others have to pay.
    const beyond = { a: [9, 9, 9], b: [1] };
    expect(sold(beyond, { units: 1, pricing: 'uniform_hrb' }).result?.price).toBe(1n);
  });

  it('draws for the units at the margin by the seed, and each can win', () => {
    const book = { a: [9, 5, 5], b: [5], c: [5, 4] };
    const ways = new Map<string, number>();
    for (let seed = 0; seed < 150; seed++) {
      const decision = sold(book, { units: 3 }, { seed: `${seed}`, tie: 'seeded' });
      expect(decision.tie).toEqual({ among: ['a', 'b', 'c'], rule: 'seeded' });
      const way = JSON.stringify(awards(decision));
      ways.set(way, (ways.get(way) ?? 0) + 1);
      for (const [agent, reason] of Object.entries(decision.reasons ?? {})) {
        expect(reason).toBe(agent in awards(decision) ? 'won' : 'tie_lost');
      }
    }
    // One after the other, each as far as it goes; `a` has its unit of 9 in any case.
    expect([...ways.keys()].toSorted()).toEqual([
      '{"a":"1 for 4","b":"1 for 5","c":"1 for 5"}',
      '{"a":"2 for 9","b":"1 for 5"}',
      '{"a":"2 for 9","c":"1 for 5"}',
      '{"a":"3 for 14"}',
    ]);
    for (const share of ways.values()) expect(share).toBeGreaterThan(10);
  });

  it('decides nothing at the margin when ties are to be reported', () => {
    const report = { seed: 'seed', tie: 'report' } as const;
    const tied = sold({ a: [9], b: [5], c: [5] }, { units: 2 }, report);
    expect(tied).toMatchObject({ status: 'tied', tie: { among: ['b', 'c'], rule: 'report' } });
    expect(tied.result).toBeUndefined();
    // Where all at the margin get what they want there is no tie.
    expect(sold({ a: [9], b: [5], c: [5] }, { units: 3 }, report).status).toBe('decided');
  });
});

const marginals = fc
  .array(fc.integer({ min: 0, max: 12 }), { maxLength: 5 })
  .map((list) => list.toSorted((left, right) => right - left));
const books = fc
  .array(marginals, { maxLength: 6 })
  .map((lists): Book => Object.fromEntries(lists.map((list, index) => [`bidder-${index}`, list])));
const supplies = fc.integer({ min: 1, max: 9 });
const reserves = fc.bigInt({ min: 0n, max: 6n });

describe('what an auction of several units promises', () => {
  it('the units go to the bids that are worth most, and no more than there are', () => {
    fc.assert(
      fc.property(books, supplies, reserves, (book, units, reserve) => {
        const { result } = sold(book, { units, reserve });
        const worth = Object.values(book)
          .flatMap((list) => list.slice(0, units))
          .filter((value) => BigInt(value) >= reserve)
          .toSorted((left, right) => right - left)
          .slice(0, units);
        expect(result?.units ?? 0).toBe(worth.length);
        expect(result?.welfare ?? 0n).toBe(BigInt(worth.reduce((sum, value) => sum + value, 0)));
        const given = (result?.awards ?? []).reduce((sum, award) => sum + award.units, 0);
        expect(given).toBe(worth.length);
      }),
    );
  });

  it('vcg takes what the others lose by a winner: what they would have without it, less what they have', () => {
    fc.assert(
      fc.property(books, supplies, reserves, (book, units, reserve) => {
        const { result } = sold(book, { units, reserve });
        // The auctioneer is worth its reserve for each unit that nobody gets.
        const worthOf = (some: Book): bigint => {
          const best = sold(some, { units, reserve }).result;
          return (best?.welfare ?? 0n) + reserve * BigInt(units - (best?.units ?? 0));
        };
        for (const { agent, units: won, payment } of result?.awards ?? []) {
          const { [agent]: own = [], ...others } = book;
          const ownWorth = own.slice(0, won).reduce((sum, value) => sum + value, 0);
          expect(payment).toBe(worthOf(others) - (worthOf(book) - BigInt(ownWorth)));
        }
      }),
    );
  });

  it('for the same bids discriminatory ≥ lowest accepted ≥ highest rejected ≥ vcg, for every winner', () => {
    fc.assert(
      fc.property(books, supplies, reserves, (book, units, reserve) => {
        const [first, ...rest] = pricings.map(
          (pricing) => sold(book, { units, pricing, reserve }).result?.awards ?? [],
        );
        let before = first;
        for (const next of rest) {
          expect(next.map(({ agent }) => agent)).toEqual(before?.map(({ agent }) => agent));
          next.forEach(({ payment }, index) => {
            expect(payment <= (before?.[index]?.payment ?? 0n)).toBe(true);
          });
          before = next;
        }
      }),
    );
  });

  it('buying is selling turned over: costs of 20 - x cost what bids of x would pay, turned over', () => {
    fc.assert(
      fc.property(books, supplies, reserves, (book, units, reserve) => {
        const costs = Object.fromEntries(
          Object.entries(book).map(([agent, list]) => [agent, list.map((value) => 20 - value)]),
        );
        for (const pricing of pricings) {
          const sale = sold(book, { units, pricing, reserve });
          const terms = { units, pricing, side: 'buy', reserve: 20n - reserve } as const;
          const purchase = sold(costs, terms);
          expect(purchase.reasons).toEqual(sale.reasons);
          expect(purchase.result?.awards ?? []).toEqual(
            (sale.result?.awards ?? []).map((award) => ({
              ...award,
              payment: 20n * BigInt(award.units) - award.payment,
            })),
          );
        }
      }),
    );
  });

  it('whoever has won and paid can be checked from the outcome alone', () => {
    const spec = { lot: 'lot', units: 5, pricing: 'vcg' } as const;
    const decision = settleUnits(bidsOf(licences), spec, env);
    const { result } = decision;
    const roster = Object.keys(licences);
    const problems = (changed: Partial<MultiUnitResult>): readonly string[] =>
      multiUnitAuction.verify?.(spec, {
        ...decision,
        roster,
        result: { ...(result ?? never()), ...changed },
      }) ?? [];
    const [first, second] = result?.awards ?? [];
    if (first === undefined || second === undefined) never();
    expect(problems({})).toEqual([]);
    expect(problems({ awards: [{ ...first, payment: 224n }, second] })).toEqual([
      'A: pays 224n for 3 units, not 225',
    ]);
    expect(problems({ awards: [first, { ...second, units: 1 }] })).toEqual([
      'C: 1 units, not 2 to 2',
      '4 units have been won, not 5',
      'welfare: 589n, though the orders make it 464n',
    ]);
    expect(problems({ awards: [first, second, { ...first, agent: 'X' }] })).toContain(
      'X has won and has not bid',
    );
    expect(problems({ price: 85n })).toHaveLength(1);
    expect(problems({ units: 6 })).toHaveLength(1);
    expect(problems({ bids: [...(result?.bids ?? []), { agent: 'X', marginals: [] }] })).toEqual([
      'X has bid twice, or is not in the roster',
    ]);
    expect(problems({ bids: [] })).toEqual([
      'units are sold though nobody wants one at the reserve',
    ]);
  });
});

function never(): never {
  throw new Error('unreachable');
}

/** What each of three with two marginals of 0 to 5 gets, for every way in which they can bid for two units. */
function everyWay(pricing: UnitPricing, ways: readonly (readonly number[])[]) {
  return ways.map((a) =>
    ways.map((b) =>
      ways.map((c) => {
        const { result } = sold({ a, b, c }, { units: 2, pricing });
        const [units, payment] = [
          [0, 0, 0],
          [0, 0, 0],
        ];
        for (const award of result?.awards ?? []) {
          const seat = 'abc'.indexOf(award.agent);
          units[seat] = award.units;
          payment[seat] = Number(award.payment);
        }
        return { units, payment };
      }),
    ),
  );
}

/** How often somebody gains by another bid than the truth, and how often the truth loses. */
function deviations(pricing: UnitPricing, most: number): { gains: number; losses: number } {
  const ways: (readonly number[])[] = [];
  for (let first = 0; first <= most; first++) {
    for (let second = 0; second <= first; second++) ways.push([first, second]);
  }
  const table = everyWay(pricing, ways);
  const worth = (value: readonly number[], won: number): number =>
    (won > 0 ? (value[0] ?? 0) : 0) + (won > 1 ? (value[1] ?? 0) : 0);
  let gains = 0;
  let losses = 0;
  for (const seat of [0, 1, 2]) {
    for (const [own, value] of ways.entries()) {
      for (const one of ways.keys()) {
        for (const other of ways.keys()) {
          const utilityOf = (bid: number): number => {
            const seats = [one, other];
            seats.splice(seat, 0, bid);
            const [a = 0, b = 0, c = 0] = seats;
            const way = table[a]?.[b]?.[c];
            return worth(value, way?.units[seat] ?? 0) - (way?.payment[seat] ?? 0);
          };
          const honest = utilityOf(own);
          if (honest < 0) losses++;
          for (const bid of ways.keys()) if (utilityOf(bid) > honest) gains++;
        }
      }
    }
  }
  return { gains, losses };
}

describe('to bid the truth', () => {
  it('is best with vcg, and never loses: two units, three bidders, marginals of 0 to 4', () => {
    expect(deviations('vcg', 4)).toEqual({ gains: 0, losses: 0 });
  });

  it.each(['discriminatory', 'uniform_lab', 'uniform_hrb'] as const)(
    'is not best with %s, and never loses',
    (pricing) => {
      const { gains, losses } = deviations(pricing, 2);
      expect(gains).toBeGreaterThan(0);
      expect(losses).toBe(0);
    },
  );
});

const aRequest: CoordinationRequest = {
  kind: 'mabeam.coordination.request',
  v: 1,
  session: 's1',
  protocol: 'auction.multi_unit',
  protocolVersion: '1.0.0',
  type: 'get_marginal_values',
  to: 'a',
  round: 1,
  seq: 1,
  epoch: 1,
  nonce: 'n1',
  budgetMs: 100,
  idempotencyKey: 's1|1|get_marginal_values|a',
  body: {},
};

describe('bidders for several units', () => {
  const spec = { lot: 'lot', units: 5, pricing: 'vcg' } as const;
  const bids: Readonly<Record<string, Scripted>> = Object.fromEntries(
    bidsOf(licences).map(({ agent, marginals: list }) => [agent, { body: { marginals: list } }]),
  );
  const roster = Object.keys(bids);

  it('are asked once, in one form, and winners are told what they have won', async () => {
    const { outcome, sent } = await sit(multiUnitAuction, {
      spec: { ...spec, reserve: 2n },
      roster,
      answer: ({ to }) => bids[to] ?? 'silent',
    });
    expect(sent.map(({ type, to }) => `${type} ${to}`)).toEqual([
      ...roster.map((id) => `get_marginal_values ${id}`),
      'award A',
      'award C',
    ]);
    expect(sent[0]?.body).toEqual({ lot: 'lot', side: 'sell', units: 5, reserve: 2n });
    expect(sent.at(-1)?.body).toEqual({ lot: 'lot', side: 'sell', units: 2, payment: 160n });
    expect(verify(multiUnitAuction, outcome)).toEqual([]);
  });

  it('want nothing when they are silent, dead, lying or of two minds', async () => {
    const troubled: Record<string, Scripted> = {
      ...bids,
      A: 'dead',
      B: 'silent',
      D: { body: { marginals: [5n, 6n] } },
      E: { equivocate: { marginals: [7n] } },
    };
    const { outcome } = await sit(multiUnitAuction, {
      spec,
      roster,
      answer: ({ to }) => troubled[to] ?? 'silent',
    });
    expect(outcome.result?.awards).toEqual([{ agent: 'C', units: 3, payment: 0n }]);
    expect(outcome.reasons).toEqual({
      A: 'silent',
      B: 'silent',
      C: 'won',
      D: 'invalid',
      E: 'invalid',
    });
  });

  it.each([
    ['what rises', ['5', '6'], 'a further unit cannot be worth more'],
    ['a package in disguise', [0n, 6n], 'cannot be worth more'],
    ['what is no amount', [1.5], 'body.marginals[0]: expected a whole'],
    ['a million', Array.from({ length: 1e6 }), `at most ${marginalsMax}`],
    ['a number', 7, `expected at most ${marginalsMax} amounts, got 7`],
  ])('are refused %s', (_what, list, reason) => {
    const read = multiUnitAuction.parseReply('get_marginal_values', { marginals: list });
    expect(read.ok ? 'accepted' : read.reason).toContain(reason);
  });

  it('are refused costs that fall', () => {
    const read = multiUnitAuction.parseReply('get_marginal_costs', { marginals: ['6', '5'] });
    expect(read).toEqual({
      ok: false,
      reason: 'body.marginals[1]: 5 after 6: a further unit cannot be cheaper',
    });
  });

  it('may state costs that rise, and amounts as texts', () => {
    const read = multiUnitAuction.parseReply('get_marginal_costs', { marginals: ['5', '6'] });
    expect(read).toEqual({ ok: true, value: { marginals: [5n, 6n] } });
    expect(multiUnitAuction.parseReply('get_marginal_values', { marginals: [], more: 1 }).ok).toBe(
      false,
    );
  });

  it.each([
    ['nothing', undefined, 'expected { lot, units, pricing, … }, got undefined'],
    [
      'several mistakes',
      { lot: 'x', unit: 1, pricing: 'vgc' },
      'unknown field "unit", did you mean "units"?; units: expected a whole number from 1 to 1000000, got undefined; ' +
        'pricing: expected one of discriminatory, uniform_lab, uniform_hrb, vcg, got "vgc", did you mean "vcg"?',
    ],
    [
      'no units',
      { lot: 'x', units: 0, pricing: 'vcg' },
      'units: expected a whole number from 1 to 1000000, got 0',
    ],
    [
      'another pricing',
      { lot: 'x', units: 1, pricing: 'gsp' },
      'pricing: expected one of discriminatory, uniform_lab, uniform_hrb, vcg, got "gsp"',
    ],
    [
      'nothing that bounds the price when buying',
      { lot: 'x', units: 1, pricing: 'vcg', side: 'buy' },
      'reserve: expected the greatest price of a unit when buying, got undefined',
    ],
  ])('cannot be held to a spec with %s', (_what, given, reason) => {
    const read = multiUnitAuction.parseSpec(given);
    expect(read.ok ? 'accepted' : read.reason).toBe(reason);
  });

  it('are told what there is, and answer by `marginals`, whichever the side', async () => {
    const asked: unknown[] = [];
    const bidder = participant({
      marginals: (_ctx, question) => {
        asked.push(question);
        return question.side === 'sell' ? [9n, 8n] : [8n, 9n];
      },
    });
    const replyTo = async (given: MultiUnitSpec): Promise<unknown> => {
      const { sent } = await sit(multiUnitAuction, {
        spec: given,
        roster: ['a'],
        answer: () => 'dead',
      });
      return bidder(undefined, sent[0]);
    };
    expect(await replyTo(spec)).toMatchObject({ status: 'ok', body: { marginals: [9n, 8n] } });
    expect(await replyTo({ ...spec, side: 'buy', reserve: 9n })).toMatchObject({
      status: 'ok',
      body: { marginals: [8n, 9n] },
    });
    expect(asked).toEqual([
      { lot: 'lot', side: 'sell', units: 5 },
      { lot: 'lot', side: 'buy', units: 5, reserve: 9n },
    ]);
  });

  it.each([
    [{ side: 'sell', units: 5 }, 'body.lot: expected a text, got undefined'],
    [{ lot: 'x', side: 'sell', units: '5' }, 'body.units: expected a whole number, got "5"'],
    [{ lot: 'x', side: 'up', units: 5 }, 'body.side: expected sell or buy, got "up"'],
  ])('do not understand a request with the body %j', (body, reason) => {
    const { type } = marginalsQuestions.sell;
    expect(marginalsQuestions.sell.parse({ ...aRequest, type, body })).toEqual({
      ok: false,
      reason,
    });
  });

  it('may be scripted: what units are worth to them', async () => {
    const { outcome } = await sit(multiUnitAuction, {
      spec,
      roster,
      answer: (request) => ({
        body: readyReplies.unitsWorth(licences[request.to]?.map(String))(request),
      }),
    });
    expect(awards(outcome)).toEqual({ A: '3 for 225', C: '2 for 160' });
  });
});
