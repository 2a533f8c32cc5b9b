import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../../message.ts';
import type { Outcome } from '../../outcome.ts';
import type { TieRule } from '../../protocol.ts';
import { verify } from '../../verify.ts';
import { builtInProtocols } from '../built-in.ts';
import { assignmentMarket } from './assignment-market.ts';
import { favourites, type Favourites, wantsQuestion, type Wants } from './assignment-questions.ts';
import type { AssignmentResult } from './assignment-spec.ts';

/** A row for each buyer; -1 for what it would not have. */
type Table = readonly (readonly number[])[];

interface How {
  readonly reserves?: readonly number[];
  /** Who answers with favourites; the others with values. */
  readonly byPrice?: (buyer: number) => boolean;
  readonly answer?: (request: CoordinationRequest) => Scripted | undefined;
  readonly tie?: TieRule;
  readonly maxRounds?: number;
  readonly seed?: string;
  readonly roster?: readonly string[];
}

const valuesOf = (row: readonly number[] = []): (bigint | null)[] =>
  row.map((value) => (value < 0 ? null : BigInt(value)));

function goodsOf(table: Table): readonly string[] {
  return (table[0] ?? []).map((_, good) => 'abcdefgh'[good] ?? '');
}

async function held(table: Table, how: How = {}): Promise<Outcome<AssignmentResult>> {
  const { reserves, byPrice = () => false, answer = () => undefined, maxRounds, tie, seed } = how;
  const roster = how.roster ?? table.map((_, buyer) => `b${buyer}`);
  const { outcome } = await sit(assignmentMarket, {
    spec: {
      goods: goodsOf(table),
      ...(reserves && { reserves: reserves.map(BigInt) }),
      ...(maxRounds && { maxRounds }),
    },
    roster,
    options: { deadlineMs: 1e9, ...(tie && { tie }), ...(seed && { seed }) },
    answer: (request) => {
      const scripted = answer(request);
      if (scripted !== undefined) return scripted;
      const buyer = roster.indexOf(request.to);
      const values = valuesOf(table[buyer]);
      const asked = wantsQuestion.parse(request);
      if (!asked.ok || !byPrice(buyer)) return { body: { values } };
      return { body: favourites(values, asked.value) };
    },
  });
  expect(verify(assignmentMarket, outcome)).toEqual([]);
  return outcome;
}

/** The most that goods can be worth to buyers together, above their reserves. */
function bestWelfare(table: Table, reserves: readonly number[] = []): number {
  const best = (buyer: number, taken: ReadonlySet<number>): number => {
    const row = table[buyer];
    if (row === undefined) return 0;
    const gains = row.map((value, good) => {
      const gain = value - (reserves[good] ?? 0);
      return gain > 0 && !taken.has(good) ? gain + best(buyer + 1, new Set([...taken, good])) : 0;
    });
    return Math.max(best(buyer + 1, taken), ...gains);
  };
  return best(0, new Set());
}

function welfareOf(
  table: Table,
  result: AssignmentResult,
  reserves: readonly number[] = [],
): number {
  const goods = goodsOf(table);
  let total = 0;
  for (const [buyer, { good }] of result.buyers.entries()) {
    if (good === undefined) continue;
    const at = goods.indexOf(good);
    total += (table[buyer]?.[at] ?? 0) - (reserves[at] ?? 0);
  }
  return total;
}

/** What each of three buyers would pay for each of three houses. */
const houses: Table = [
  [23, 22, 21],
  [26, 24, 22],
  [20, 21, 17],
];
const rooms: Table = [
  [12, 2, 4],
  [8, 7, 6],
  [7, 5, 2],
];
const everybody = (): boolean => true;

describe.each<[string, How]>([
  ['who say what goods are worth to them', {}],
  ['who say what is best at each price', { byPrice: everybody }],
  ['of both sorts', { byPrice: (buyer) => buyer === 1 }],
])('buyers %s', (_what, how) => {
  it('come to the optimum of the houses of Shapley and Shubik (E7)', async () => {
    const reserves = [18, 15, 19];
    const surplus = houses.map((row) =>
      row.map((value, at) => Math.max(0, value - (reserves[at] ?? 0))),
    );
    expect(surplus).toEqual([
      [5, 7, 2],
      [8, 9, 3],
      [2, 6, 0],
    ]);
    const { status, result } = await held(houses, { ...how, reserves });
    expect(status).toBe('decided');
    if (result === undefined) return;
    expect(welfareOf(houses, result, reserves)).toBe(16);
    expect(bestWelfare(houses, reserves)).toBe(16);
  });

  it('come to the lowest prices of the rooms of Easley and Kleinberg (E8)', async () => {
    const { result } = await held(rooms, how);
    expect(result?.prices).toEqual([3n, 1n, 0n]);
    expect(result?.buyers.map(({ good }) => good)).toEqual(['a', 'c', 'b']);
    expect(result && welfareOf(rooms, result)).toBe(23);
  });

  it('pay the second value for a single good, and nothing without a rival', async () => {
    const { result, reasons, certificate } = await held([[9], [4], [6]], how);
    expect(result?.prices).toEqual([6n]);
    expect(reasons).toEqual({ b0: 'won', b1: 'outbid', b2: 'outbid' });
    expect(certificate?.data).toEqual({ rivals: { a: 'b2' } });
    expect((await held([[9]], how)).result?.prices).toEqual([0n]);
  });

  it('pay at least the reserve, and buy nothing below it', async () => {
    const { result, reasons } = await held(
      [
        [9, 1],
        [3, 1],
      ],
      { ...how, reserves: [5, 2] },
    );
    expect(result?.prices).toEqual([5n, 2n]);
    expect(reasons).toEqual({ b0: 'won', b1: 'below_reserve' });
    expect((await held([[4]], { ...how, reserves: [5] })).status).toBe('no_deal');
  });

  it('make no deal when nobody answers', async () => {
    expect((await held(rooms, { ...how, answer: () => 'silent' })).status).toBe('no_deal');
  });
});

describe('the clock', () => {
  it('asks who says values once, however large they are', async () => {
    const vast = 9_000_000_000_000;
    const { result, participation } = await held([
      [vast, vast - 5],
      [vast - 1, 0],
      [vast - 7, vast - 9],
    ]);
    expect(participation.asked).toBe(3);
    expect(result?.prices).toEqual(
      [BigInt(vast - 5), BigInt(vast - 10)].map((_, at) => result?.prices[at]),
    );
  });

  it('raises prices one by one, and asks only whom that concerns', async () => {
    const asked: unknown[] = [];
    await held(
      [
        [3, 0],
        [2, 0],
        [0, 5],
      ],
      {
        byPrice: everybody,
        answer: ({ to, round, body }) =>
          void asked.push([to, round, Object(body).prices?.map(Number)]),
      },
    );
    expect(asked).toEqual([
      ['b0', 1, [0, 0]],
      ['b1', 1, [0, 0]],
      ['b2', 1, [0, 0]],
      ['b0', 2, [1, 0]],
      ['b1', 2, [1, 0]],
      ['b0', 3, [2, 0]],
      ['b1', 3, [2, 0]],
    ]);
  });

  it('ends as `limit_reached` with somebody who never gives up', async () => {
    const greedy = { wants: ['a'], orNothing: false };
    const outcome = await held([[5], [5]], { maxRounds: 20, answer: () => ({ body: greedy }) });
    expect([outcome.status, outcome.result]).toEqual(['limit_reached', undefined]);
  });

  it('starts again without somebody who leaves, who moves no price', async () => {
    const { result, reasons } = await held([[9], [2], [8]], {
      byPrice: everybody,
      answer: ({ to, round }) => (to === 'b2' && round > 4 ? 'silent' : undefined),
    });
    expect(result?.prices).toEqual([2n]);
    expect(reasons).toMatchObject({ b0: 'won', b1: 'outbid', b2: 'silent' });
    const values = await held([[9], [7], [8]], {
      byPrice: (buyer) => buyer === 2,
      answer: ({ to, round }) => (to === 'b2' && round > 1 ? 'silent' : undefined),
    });
    expect(values.result?.prices).toEqual([7n]);
  });

  it('does not converge with favourites that follow no values', async () => {
    const fickle = ({ body, to }: CoordinationRequest): Scripted => {
      const isUp = Object(body).prices?.[0] > 0n;
      return { body: isUp ? { wants: [] } : { wants: ['a'], orNothing: to === 'b9' } };
    };
    const outcome = await held([[1], [1]], { answer: fickle });
    expect([outcome.status, outcome.result]).toEqual(['not_converged', undefined]);
  });

  it('fails with more buyers and goods than it can match at once', async () => {
    const table = Array.from({ length: 501 }, () => [1]);
    const { outcome } = await sit(assignmentMarket, {
      spec: { goods: Array.from({ length: 200 }, (_, at) => `${at}`) },
      roster: table.map((_, at) => `b${at}`),
      answer: () => 'silent',
    });
    expect(outcome.detail).toBe('501 buyers of 200 goods: expected at most 100000 pairs');
  });

  it('passes over answers about goods that are not there', async () => {
    for (const body of [{ wants: ['z'] }, { values: [1n, 2n] }]) {
      const { reasons } = await held([[5], [5]], {
        answer: ({ to }) => (to === 'b1' ? { body } : undefined),
      });
      expect(reasons).toEqual({ b0: 'won', b1: 'invalid' });
    }
  });

  it('tells who has got something, and nobody else', async () => {
    const { sent } = await sit(assignmentMarket, {
      spec: { goods: ['a'] },
      roster: ['x', 'y'],
      answer: ({ to }) => ({ body: { values: [to === 'x' ? 5n : '3'] } }),
    });
    const told = sent.filter(({ type }) => type !== 'get_wants');
    expect(told.map(({ to, type, body }) => [to, type, body])).toEqual([
      ['x', 'award', { good: 'a', price: 3n }],
    ]);
  });
});

describe('who is served among equals', () => {
  const equals = [[5], [5], [5]];

  it('is drawn, and each can be', async () => {
    const winners = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const { reasons, tie } = await held(equals, { seed: `${seed}` });
      expect(tie).toEqual({ among: ['b0', 'b1', 'b2'], rule: 'seeded' });
      winners.add(Object.keys(reasons).find((id) => reasons[id] === 'won') ?? '');
      expect(Object.values(reasons).filter((reason) => reason === 'tie_lost')).toHaveLength(2);
    }
    expect([...winners].toSorted()).toEqual(['b0', 'b1', 'b2']);
  });

  it('does not depend on the order of the roster', async () => {
    const wins = async (roster: readonly string[]): Promise<string | undefined> =>
      (await held(equals, { roster })).result?.buyers.find(({ good }) => good !== undefined)?.agent;
    expect(await wins(['x', 'y', 'z'])).toBe(await wins(['z', 'x', 'y']));
  });

  it('goes by id, or is only reported, when that is the rule', async () => {
    expect((await held(equals, { tie: 'lexicographic' })).reasons).toMatchObject({ b0: 'won' });
    const reported = await held(equals, { tie: 'report' });
    expect([reported.status, reported.result]).toEqual(['tied', undefined]);
    expect(reported.tie?.among).toEqual(['b0', 'b1', 'b2']);
  });

  it('takes no draw where there is only one way', async () => {
    expect((await held(rooms)).tie).toBeUndefined();
    expect((await held(rooms, { tie: 'report' })).status).toBe('decided');
  });

  it('takes one where somebody could have something else that is left', async () => {
    expect((await held([[5, 5]])).tie?.among).toEqual(['b0']);
  });

  it('takes one where two could swap', async () => {
    const { tie } = await held([
      [5, 3],
      [5, 3],
    ]);
    expect(tie?.among).toEqual(['b0', 'b1']);
  });
});

const tables = fc.integer({ min: 1, max: 3 }).chain((goods) =>
  fc.record({
    table: fc.array(
      fc.array(fc.integer({ min: -1, max: 8 }), { minLength: goods, maxLength: goods }),
      { minLength: 1, maxLength: 4 },
    ),
    reserves: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: goods, maxLength: goods }),
  }),
);

describe('prices of an assignment', () => {
  it('are what the presence of each winner costs the others, and the assignment is the best', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat(15), async ({ table, reserves }, mask) => {
        const byPrice = (buyer: number): boolean => ((mask >> buyer) & 1) === 1;
        const { status, result } = await held(table, { reserves, byPrice });
        const welfare = result === undefined ? 0 : welfareOf(table, result, reserves);
        expect(welfare).toBe(bestWelfare(table, reserves));
        expect(status).toBe(result === undefined ? 'no_deal' : 'decided');
        if (result === undefined) return;
        const goods = goodsOf(table);
        for (const [buyer, { good }] of result.buyers.entries()) {
          if (good === undefined) continue;
          const at = goods.indexOf(good);
          const gain = (table[buyer]?.[at] ?? 0) - (reserves[at] ?? 0);
          const others = table.filter((_, other) => other !== buyer);
          const cost = bestWelfare(others, reserves) - (bestWelfare(table, reserves) - gain);
          expect(Number(result.prices[at])).toBe((reserves[at] ?? 0) + cost);
        }
        for (const [at, name] of goods.entries()) {
          const isSold = result.buyers.some(({ good }) => good === name);
          expect(isSold || Number(result.prices[at]) === reserves[at]).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('leave nobody a reason to misstate its values, as others state theirs: all of two buyers and two goods', async () => {
    const all = [0, 1, 2].flatMap((one) => [0, 1, 2].map((other) => [one, other]));
    const gains: number[] = [];
    const gain = async (
      said: readonly number[],
      against: readonly number[],
      truth: readonly number[],
    ): Promise<number> => {
      const { result } = await held([said, against], { tie: 'lexicographic' });
      const good = goodsOf([truth]).indexOf(result?.buyers[0]?.good ?? '');
      return good < 0 ? 0 : (truth[good] ?? 0) - Number(result?.prices[good]);
    };
    for (const against of all) {
      for (const truth of all) {
        const honest = await gain(truth, against, truth);
        for (const said of all) gains.push((await gain(said, against, truth)) - honest);
      }
    }
    expect(gains).toHaveLength(729);
    expect(Math.max(...gains)).toBe(0);
  });

  it('can be gamed where others follow no values', async () => {
    // b1 wants a, whatever it costs up to 4, but loses heart when b is not free.
    const moody = ({ to, body }: CoordinationRequest): Scripted | undefined => {
      if (to !== 'b1') return undefined;
      const [a = 0n, b = 0n] = Object(body).prices as bigint[];
      const wants: Favourites =
        b > 0n || a > 4n ? { wants: [] } : { wants: ['a'], orNothing: false };
      return { body: wants };
    };
    const price = async (lie: boolean): Promise<unknown> => {
      const { result } = await held(
        [
          [9, 0],
          [0, 0],
          [0, 2],
        ],
        {
          byPrice: everybody,
          answer: (request) => {
            const isFirst = request.to === 'b0' && request.round === 1;
            return lie && isFirst ? { body: { wants: ['b'], orNothing: false } } : moody(request);
          },
        },
      );
      const { good } = result?.buyers[0] ?? {};
      return [good, result?.prices[0]];
    };
    expect(await price(false)).toEqual(['a', 5n]);
    expect(await price(true)).toEqual(['a', 1n]);
    expect(assignmentMarket.traits.dominantStrategyTruthful).toBe(false);
  });
});

describe('what has risen', () => {
  it('is sold to somebody who would as soon have something that is left over', async () => {
    // Both want c until it costs 3; then each likes another as well, which nobody else wants.
    const { status, result } = await held([
      [-1, 2, 5],
      [2, -1, 5],
    ]);
    expect(status).toBe('decided');
    expect(result?.prices).toEqual([0n, 0n, 3n]);
    expect(result?.buyers.some(({ good }) => good === 'c')).toBe(true);
  });
});

describe('an outcome of an assignment market', () => {
  const spec = { goods: ['a', 'b', 'c'] };
  it('in which somebody has nothing, and would rather have something, is found out', () => {
    const result = { goods: ['a'], prices: [0n], buyers: [{ agent: 'x', said: { values: [5n] } }] };
    const problems = assignmentMarket.verify?.(
      { goods: ['a'] },
      { status: 'decided', roster: ['x'], result },
    );
    expect(problems).toEqual(['x has nothing, and would rather have something']);
  });

  it.each<[string, (result: AssignmentResult) => object]>([
    ['a price that is too high', () => ({ prices: [4n, 2n, 1n] })],
    ['a price that is too low', () => ({ prices: [2n, 1n, 0n] })],
    ['a good that is sold twice', (result) => swapped(result, ['a', 'a', 'b'])],
    ['another assignment', (result) => swapped(result, ['b', 'c', 'a'])],
    ['somebody who has nothing', (result) => swapped(result, ['a', 'c', undefined])],
  ])('with %s is found out', async (_what, change) => {
    const { status, result } = await held(rooms);
    if (result === undefined) throw new Error('there is no result');
    const problems = (claimed: AssignmentResult): unknown =>
      assignmentMarket.verify?.(spec, { status, roster: [], result: claimed });
    expect(problems(result)).toEqual([]);
    expect(problems({ ...result, ...change(result) })).not.toEqual([]);
  });
});

function swapped(result: AssignmentResult, goods: readonly (string | undefined)[]): object {
  const buyers = result.buyers.map(({ agent, said }, index) => {
    const good = goods[index];
    return { agent, said, ...(good !== undefined && { good }) };
  });
  return { buyers };
}

describe('the spec of an assignment market', () => {
  it.each<[string, unknown, string]>([
    ['nothing', 1, 'expected { goods, … }, got 1'],
    [
      'too many goods',
      { goods: Array.from({ length: 201 }, (_, at) => `${at}`) },
      'goods: expected at most 200, got 201',
    ],
    [
      'too few reserves',
      { goods: ['a', 'b'], reserves: ['1'] },
      'reserves: expected an amount for each of 2 goods, got an array of 1',
    ],
    [
      'a misspelt field',
      { goods: ['a'], reserve: '1' },
      'unknown field "reserve", did you mean "reserves"?',
    ],
    [
      'rounds',
      { goods: ['a'], maxRounds: 0 },
      'maxRounds: expected a whole number from 1 to 10000, got 0',
    ],
  ])('is refused for %s', (_what, spec, reason) => {
    expect(assignmentMarket.parseSpec(spec)).toEqual({ ok: false, reason });
  });

  it('is accepted again as it was read, with amounts from JSON', () => {
    const read = assignmentMarket.parseSpec({ goods: ['a'], reserves: ['7'] });
    expect(read.ok && assignmentMarket.parseSpec(read.value)).toEqual(read);
    expect(read).toMatchObject({ value: { reserves: [7n] } });
    expect(builtInProtocols).toContain(assignmentMarket);
  });

  it.each([
    [{ wants: ['a', 'a'] }],
    [{ wants: 'a' }],
    [{ wants: ['a'], orNothing: 1 }],
    [{ values: [-1] }],
    [{ values: ['1'], wants: ['a'] }],
    [{ wants: ['a'], more: 1 }],
    [{}],
  ])('takes no answer such as %j', (body) => {
    expect(assignmentMarket.parseReply('get_wants', body)).toMatchObject({ ok: false });
  });

  it('reads amounts of answers from JSON', () => {
    const read = (body: unknown): unknown => assignmentMarket.parseReply('get_wants', body);
    expect(read({ values: ['1', null] })).toEqual({ ok: true, value: { values: [1n, null] } });
    expect(read({ wants: [] })).toEqual({ ok: true, value: { wants: [] } });
    const both: Wants = { wants: ['a'], orNothing: true };
    expect(read(both)).toEqual({ ok: true, value: both });
  });
});
