import { sit, type Scripted } from '@foundation/testing';
import { beforeAll, describe, expect, it } from 'vitest';

import { highsHere } from '../../../../test/highs-here.ts';
import type { Outcome } from '../../outcome.ts';
import { replay } from '../../replay.ts';
import type { SessionOptions } from '../../session-options.ts';
import type { Solver } from '../../solver.ts';
import { verify } from '../../verify.ts';
import { combinatorialAuction } from './combinatorial-auction.ts';
import type { CombinatorialResult } from './combinatorial-outcome.ts';

let solver: Solver;
beforeAll(async () => {
  solver = await highsHere();
});

type Bids = readonly (readonly [goods: string, amount: bigint, xorGroup?: string])[];

/** What everybody bids: packages of goods with names of one letter. */
type Offers = Readonly<Record<string, Bids | Scripted>>;

function bidsOf(bids: Bids): Scripted {
  return {
    body: {
      bids: bids.map(([goods, amount, xorGroup]) => ({
        goods: Array.from(goods),
        amount,
        ...(xorGroup === undefined ? {} : { xorGroup }),
      })),
    },
  };
}

function isBids(offer: Bids | Scripted): offer is Bids {
  return Array.isArray(offer);
}

async function auction(
  offers: Offers,
  spec: object = {},
  more: { readonly options?: Partial<SessionOptions>; readonly solver?: Solver } = {},
): Promise<Outcome<CombinatorialResult>> {
  const names = new Set(
    Object.values(offers).flatMap((offer) =>
      isBids(offer) ? offer.flatMap(([goods]) => Array.from(goods)) : [],
    ),
  );
  const { outcome } = await sit(combinatorialAuction, {
    spec: { goods: [...names].toSorted().map((name) => ({ name })), ...spec },
    roster: Object.keys(offers),
    answer: ({ to }) => {
      const offer = offers[to] ?? 'silent';
      return isBids(offer) ? bidsOf(offer) : offer;
    },
    solver,
    ...more,
  });
  expect(verify(combinatorialAuction, outcome)).toEqual([]);
  expect(replay(combinatorialAuction, outcome.record)).toEqual(outcome);
  return outcome;
}

function pricesOf({ result }: Outcome<CombinatorialResult>): Readonly<Record<string, bigint>> {
  return Object.fromEntries(result?.winners.map(({ agent, price }) => [agent, price]) ?? []);
}

// Day and Cramton 2012.
const dayCramton: Offers = {
  b1: [['A', 28n]],
  b2: [['B', 20n]],
  b3: [['AB', 32n]],
  b4: [['A', 14n]],
  b5: [['B', 12n]],
};

describe('a combinatorial auction', () => {
  it('E1: winners pay what they bid, their presence costs, or what nobody would pay more than', async () => {
    const first = await auction(dayCramton, { pricing: 'first' });
    expect(pricesOf(first)).toEqual({ b1: 28n, b2: 20n });
    expect(first.result).toMatchObject({ welfare: 48n, total: 48n });

    const vcg = await auction(dayCramton);
    expect(pricesOf(vcg)).toEqual({ b1: 14n, b2: 12n });
    expect(vcg).toMatchObject({
      status: 'decided',
      result: { pricing: 'vcg', welfare: 48n, total: 26n },
      reasons: { b1: 'won', b2: 'won', b3: 'outbid', b4: 'outbid', b5: 'outbid' },
      certificate: {
        bound: 48,
        gap: 0,
        data: { ties: 'none', solver: expect.stringContaining('HiGHS') },
      },
    });

    const core = await auction(dayCramton, { pricing: 'core_nearest_vcg' });
    expect(pricesOf(core)).toEqual({ b1: 17n, b2: 15n });
    expect(core.certificate?.data?.['coalitions']).toEqual([{ payers: ['b1', 'b2'], amount: 32n }]);
  });

  it('has core prices that nobody pays more of than it bid, the others evenly', async () => {
    const core = await auction(
      { a: [['A', 30n]], b: [['B', 30n]], c: [['C', 3n]], d: [['ABC', 33n]] },
      { pricing: 'core_nearest_vcg' },
    );
    expect(pricesOf(core)).toEqual({ a: 15n, b: 15n, c: 3n });
  });

  it('E2: VCG revenue may be nothing, and fall when somebody joins', async () => {
    const two: Offers = {
      1: [['AB', 2n]],
      2: [
        ['A', 2n],
        ['B', 2n],
      ],
    };
    const alone = await auction(two, {}, { options: { tie: 'lexicographic' } });
    expect(alone.result?.total).toBe(2n);
    const crowd = await auction({
      ...two,
      3: [
        ['A', 2n],
        ['B', 2n],
      ],
    });
    expect(pricesOf(crowd)).toEqual({ 2: 0n, 3: 0n });
    expect(crowd.result?.welfare).toBe(4n);
  });

  it('E3: buys a path, and pays each edge what the way around it would cost more', async () => {
    const edges = { AB: 3n, AC: 2n, BD: 2n, BE: 1n, CE: 3n, CD: 5n, DF: 2n, EF: 1n };
    // A path from A to F has an edge in each cut between the two, and so has nothing else that is minimal.
    const cuts = Array.from(
      { length: 16 },
      (_, cut) =>
        (node: string): boolean =>
          node === 'A' || (node !== 'F' && (cut >> 'BCDE'.indexOf(node)) % 2 === 1),
    );
    const letters = 'abcdefghijklmnop';
    const offers = Object.fromEntries(
      Object.entries(edges).map(([edge, cost]): [string, Bids] => {
        const [from = '', to = ''] = edge;
        const crossed = Array.from(letters).filter(
          (_, cut) => cuts[cut]?.(from) === true && !cuts[cut](to),
        );
        return [edge, [[crossed.join(''), cost]]];
      }),
    );
    const outcome = await auction(offers, { side: 'buy' });
    expect(outcome.result).toMatchObject({ side: 'buy', welfare: 5n, total: 9n });
    expect(pricesOf(outcome)).toEqual({ AB: 4n, BE: 2n, EF: 3n });
    expect(outcome.certificate).toMatchObject({ bound: 5, gap: 0 });
  });

  it('E4: sells positions of an advertisement', async () => {
    const clicks = { x: 10n, y: 5n, z: 2n };
    const outcome = await auction(
      Object.fromEntries(
        [3n, 2n, 1n].map((value, index): [string, Bids] => [
          `v${index}`,
          Object.entries(clicks).map(([slot, rate]) => [slot, rate * value]),
        ]),
      ),
    );
    expect(pricesOf(outcome)).toEqual({ v0: 13n, v1: 3n, v2: 0n });
  });

  it('E3 of multi-unit auctions: two apples go to who wants one each, or to who wants the pair', async () => {
    const goods = [{ name: 'a', supply: 2 }];
    const outcome = await auction({ A: [['a', 5n]], B: [['a', 2n]], C: [['aa', 6n]] }, { goods });
    expect(pricesOf(outcome)).toEqual({ A: 4n, B: 1n });
    const pair = await auction({ A: [['a', 3n]], B: [['a', 2n]], C: [['aa', 6n]] }, { goods });
    expect(pricesOf(pair)).toEqual({ C: 5n });
  });

  it('O8: is not won by the largest bid when smaller ones are worth more together', async () => {
    const outcome = await auction({ big: [['ABC', 10n]], a: [['A', 4n]], b: [['BC', 7n]] }, {});
    expect(pricesOf(outcome)).toEqual({ a: 3n, b: 6n });
    expect(outcome.certificate).toMatchObject({ bound: 11, gap: 0 });
  });

  it('lets one bid of a group win, those without a group included', async () => {
    const either = await auction(
      {
        a: [
          ['A', 4n],
          ['B', 2n],
        ],
        b: [['A', 1n]],
      },
      { pricing: 'first' },
    );
    expect(either.result?.winners).toMatchObject([{ agent: 'a', bids: [0], price: 4n }]);
    const both = await auction({
      a: [
        ['A', 3n, 'x'],
        ['B', 2n, 'y'],
      ],
      b: [['A', 1n]],
    });
    expect(both.result?.winners).toMatchObject([
      { agent: 'a', bids: [0, 1], amount: 5n, price: 1n },
    ]);
    // The same name is another group for somebody else.
    const names = await auction({ a: [['A', 3n, 'x']], b: [['B', 2n, 'x']] });
    expect(Object.keys(pricesOf(names))).toEqual(['a', 'b']);
  });

  it('tells everybody who bid what it has won', async () => {
    const { sent } = await sit(combinatorialAuction, {
      spec: { goods: [{ name: 'A' }, { name: 'B' }] },
      roster: ['a', 'b', 'c'],
      answer: ({ to }) =>
        to === 'c'
          ? 'silent'
          : bidsOf(
              to === 'a'
                ? [
                    ['B', 1n],
                    ['A', 2n],
                  ]
                : [['A', 3n]],
            ),
      solver,
    });
    expect(sent.filter(({ type }) => type === 'result').map(({ to, body }) => [to, body])).toEqual([
      ['a', { status: 'decided', won: [0], price: 0n }],
      ['b', { status: 'decided', won: [0], price: 1n }],
    ]);
  });
});

describe('bids that do not count', () => {
  it('are those on unknown goods, of too many units, in too many groups, too many, and none', async () => {
    const many: Bids = Array.from({ length: 4 }, (_, index) => ['A', BigInt(index)]);
    const groups: Bids = [
      ['A', 1n, 'x'],
      ['B', 1n, 'y'],
      ['C', 1n, 'z'],
    ];
    const outcome = await auction(
      {
        good: [['A', 1n]],
        unknown: [['AZ', 9n]],
        large: [['ABC', 9n]],
        many,
        groups,
        none: [],
        no: { decline: 'no' },
        dead: 'dead',
        two: { equivocate: { bids: [] } },
        text: { body: { bids: [{ goods: ['A'], amount: 'much' }] } },
      },
      { goods: ['A', 'B', 'C'].map((name) => ({ name })), bidsMax: 3, groupsMax: 2, unitsMax: 2 },
    );
    expect(outcome.reasons).toEqual({
      good: 'won',
      unknown: 'invalid',
      large: 'invalid',
      many: 'invalid',
      groups: 'invalid',
      none: 'declined',
      no: 'declined',
      dead: 'silent',
      two: 'invalid',
      text: 'invalid',
    });
    expect(outcome.result?.bids).toHaveLength(1);
  });

  it('leave no deal when there are no others', async () => {
    expect(await auction({ a: [['A', 0n]], b: 'silent' })).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'outbid', b: 'silent' },
    });
    const goods = [{ name: 'A' }, { name: 'B' }];
    expect(await auction({ a: [['AA', 5n]] }, { goods })).toMatchObject({ status: 'no_deal' });
    // Nobody supplies B.
    expect(await auction({ a: [['A', 5n]] }, { goods, side: 'buy' })).toMatchObject({
      status: 'no_deal',
    });
  });

  it('are refused before anybody is asked when the spec makes no sense', () => {
    const goods = [{ name: 'A' }];
    const refused: readonly (readonly [object, RegExp])[] = [
      [{ goods: [] }, /goods: expected 1 to 1024 goods, got an array of 0/],
      [{ goods: [{ name: 'A' }, { name: 'A' }] }, /goods\[1\]: "A" is there twice/],
      [{ goods: [{ name: 'A', supply: 0 }] }, /goods\[0\].supply: expected a whole number/],
      [{ goods: [{ name: 'A', stock: 1 }] }, /goods\[0\]: unknown field "stock"/],
      [{ goods, prices: 'vcg' }, /unknown field "prices"/],
      [
        { goods, pricing: 'second' },
        /pricing: expected one of first, vcg, core_nearest_vcg, got "second"/,
      ],
      [{ goods, onLimit: 'guess' }, /onLimit: expected abort or pay_as_bid/],
      [{ goods, reserve: 3n }, /reserve: only for auctions that buy/],
      [{ goods, gapMax: 0.1 }, /gapMax: expected a part from 0 to 1, and pricing first/],
      [{ goods, gapMax: 2, pricing: 'first' }, /gapMax/],
      [{ goods, bidsMax: 0 }, /bidsMax: expected a whole number from 1 to 1000, got 0/],
      [{ goods, solverMs: 1.5 }, /solverMs/],
    ];
    for (const [spec, reason] of refused) {
      const read = combinatorialAuction.parseSpec(spec);
      expect(read.ok ? 'accepted' : read.reason).toMatch(reason);
    }
  });

  it('are refused at once when there are a million', () => {
    const million = Array.from({ length: 1_000_000 }, () => null);
    const since = process.cpuUsage();
    expect(combinatorialAuction.parseReply('get_package_bids', { bids: million }).ok).toBe(false);
    expect(combinatorialAuction.parseSpec({ goods: million }).ok).toBe(false);
    expect(process.cpuUsage(since).user).toBeLessThan(50_000);
  });
});

describe('buying', () => {
  const offers: Offers = { a: [['A', 4n]], b: [['B', 3n]], c: [['AB', 9n]] };

  it('pays no more than its reserve, also to those who cannot be replaced', async () => {
    const free = await auction(offers, { side: 'buy' });
    expect(pricesOf(free)).toEqual({ a: 6n, b: 5n });
    const tight = await auction(offers, { side: 'buy', reserve: 8n });
    expect(pricesOf(tight)).toEqual({ a: 5n, b: 4n });
    expect(await auction(offers, { side: 'buy', reserve: 6n })).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'below_reserve', b: 'below_reserve', c: 'below_reserve' },
    });
    const alone: Offers = { a: [['A', 4n]], b: [['B', 3n]] };
    expect(pricesOf(await auction(alone, { side: 'buy' }))).toEqual({ a: 4n, b: 3n });
    expect(pricesOf(await auction(alone, { side: 'buy', reserve: 10n }))).toEqual({ a: 7n, b: 6n });
  });

  it('pays core prices that are within the reserve, and nobody has offered to undercut', async () => {
    const core = await auction(offers, { side: 'buy', pricing: 'core_nearest_vcg' });
    expect(pricesOf(core)).toEqual({ a: 5n, b: 4n });
    const tight = await auction(offers, { side: 'buy', pricing: 'core_nearest_vcg', reserve: 8n });
    expect(tight.result?.total).toBe(8n);
  });
});

describe('a tie', () => {
  const equal: Offers = { a: [['A', 5n]], b: [['A', 5n]], c: [['B', 1n]] };

  it('is drawn by the seed, each as often, whatever the roster’s order', async () => {
    const wins: Record<string, number> = { a: 0, b: 0 };
    for (let seed = 0; seed < 30; seed++) {
      const options = { seed: `seed ${seed}` };
      const one = await auction(equal, { pricing: 'first' }, { options });
      const { c, b, a } = equal;
      const other = await auction({ c, b, a } as Offers, { pricing: 'first' }, { options });
      const winner = Object.keys(pricesOf(one)).find((id) => id !== 'c') ?? '';
      expect(Object.keys(pricesOf(other))).toContain(winner);
      expect(one.tie).toEqual({ among: ['a', 'b'], rule: 'seeded' });
      expect(one.reasons[winner === 'a' ? 'b' : 'a']).toBe('tie_lost');
      wins[winner] = (wins[winner] ?? 0) + 1;
    }
    expect(wins['a']).toBeGreaterThan(5);
    expect(wins['b']).toBeGreaterThan(5);
  });

  it('goes to the smaller id, or is reported, when that is the rule', async () => {
    const smaller = await auction(equal, {}, { options: { tie: 'lexicographic' } });
    expect(pricesOf(smaller)).toEqual({ a: 5n, c: 0n });
    const reported = await auction(equal, {}, { options: { tie: 'report' } });
    expect(reported).toMatchObject({
      status: 'tied',
      tie: { among: ['a', 'b'], rule: 'report' },
      reasons: { a: 'tie_lost', b: 'tie_lost', c: 'outbid' },
      certificate: { bound: 6, gap: 0, data: { ties: 'reported' } },
    });
    expect(reported.result).toBeUndefined();
  });
});
