import { sit, type Sat } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { TieRule } from '../../protocol.ts';
import { approvalsOf, bestCommittees, sequentialPhragmen } from './committee-tally.ts';
import {
  committeeAv,
  committeePav,
  committeePhragmen,
  type CommitteeResult,
  committeeSav,
  type CommitteeVote,
} from './committee.ts';

/** S0001 of abcvoting: nine ballots on six candidates. */
const nine = [[1, 2], [0, 1, 2, 3], [3, 4, 5], [0, 5], [2], [], [1, 3, 4, 5], [0, 3, 5], [0, 5]];

interface Terms {
  readonly size?: number;
  readonly seats?: number;
  readonly tie?: TieRule;
  readonly seed?: string;
}

function elect(
  protocol: CommitteeVote,
  ballots: readonly (readonly number[])[],
  { size = 6, seats = 3, tie = 'seeded', seed = 'seed' }: Terms = {},
): Promise<Sat<CommitteeResult>> {
  const roster = ballots.map((_, voter) => `v${voter}`);
  return sit(protocol, {
    spec: { question: 'q', options: Array.from({ length: size }, (_, i) => String(i)), seats },
    roster,
    options: { tie, seed },
    answer: ({ to }) => ({ body: { approve: ballots[roster.indexOf(to)]?.map(String) ?? [] } }),
  });
}

const committeeOf = async (...given: Parameters<typeof elect>): Promise<string | undefined> =>
  (await elect(...given)).outcome.result?.committee.join('');

const approvalsIn = (
  ballots: readonly (readonly number[])[],
  size: number,
): ReturnType<typeof approvalsOf> =>
  approvalsOf({
    size,
    votes: ballots.map((approved) => ({
      weight: 1,
      grades: Uint16Array.from({ length: size }, (_, option) => Number(approved.includes(option))),
    })),
  });

describe('E9: nine ballots for three seats', () => {
  it('AV elects 0, 3 and 5; satisfaction AV 0, 2 and 5', async () => {
    expect(await committeeOf(committeeAv, nine)).toBe('035');
    expect(await committeeOf(committeeSav, nine)).toBe('025');
    const { outcome } = await elect(committeeAv, nine);
    expect(outcome.tie).toBeUndefined();
    expect(outcome.result?.tally.map(({ score }) => score)).toEqual([4, 3, 3, 4, 2, 5]);
    expect(outcome.reasons).toMatchObject({ v0: 'outbid', v3: 'won', v5: 'outbid' });
  });

  it('PAV finds both best committees, and the tie rule takes one', async () => {
    expect(bestCommittees(approvalsIn(nine, 6), 3)).toEqual([
      [0, 2, 5],
      [2, 3, 5],
    ]);
    const { outcome } = await elect(committeePav, nine, { tie: 'lexicographic' });
    expect(outcome.result?.committee).toEqual(['0', '2', '5']);
    expect(outcome.tie?.among).toEqual(['["0","2","5"]', '["2","3","5"]']);
    const seeds = Array.from({ length: 20 }, (_, seed) => String(seed));
    const drawn = await Promise.all(seeds.map((seed) => committeeOf(committeePav, nine, { seed })));
    expect(new Set(drawn)).toEqual(new Set(['025', '235']));
    const reported = await elect(committeePav, nine, { tie: 'report' });
    expect(reported.outcome).toMatchObject({ status: 'tied', result: { committee: [] } });
  });

  it('sequential Phragmén elects one of the same two', async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => String(seed));
    const drawn = await Promise.all(
      seeds.map((seed) => committeeOf(committeePhragmen, nine, { seed })),
    );
    expect(new Set(drawn)).toEqual(new Set(['025', '235']));
  });
});

describe('seats', () => {
  const sixToFour = [
    ...Array.from({ length: 6 }, () => [0, 1, 2, 3]),
    ...Array.from({ length: 3 }, () => [4, 5]),
  ];

  it('all go to the majority by AV, and in proportion by PAV and Phragmén', async () => {
    expect(await committeeOf(committeeAv, sixToFour)).not.toMatch(/[45]/);
    for (const rule of [committeePav, committeePhragmen]) {
      expect(await committeeOf(rule, sixToFour)).toMatch(/^[0-3]{2}[45]$/);
    }
  });

  it('a group of a part l/k of the votes that agrees on l options is heard by PAV and Phragmén', async () => {
    const ballots = fc.array(fc.subarray([0, 1, 2, 3, 4]), { minLength: 4, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        ballots,
        fc.constantFrom(committeePav, committeePhragmen),
        async (given, rule) => {
          // A half of all votes that wants option 5 alone, of two seats.
          const all = [...given, ...given.map(() => [5])];
          expect(await committeeOf(rule, all, { seats: 2 })).toContain('5');
        },
      ),
    );
  });

  it('PAV is the best of all committees, by harmonic sums', () => {
    const ballots = fc.array(fc.subarray([0, 1, 2, 3, 4]), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(ballots, (given) => {
        const worth = (committee: readonly number[]): number =>
          given
            .map((approved) => approved.filter((option) => committee.includes(option)).length)
            .reduce((sum, count) => sum + ([0, 6, 9, 11][count] ?? 0), 0);
        const every = [0, 1, 2, 3, 4].flatMap((a) =>
          [0, 1, 2, 3, 4].flatMap((b) =>
            [0, 1, 2, 3, 4].flatMap((c) => (a < b && b < c ? [[a, b, c]] : [])),
          ),
        );
        const best = Math.max(...every.map(worth));
        expect(bestCommittees(approvalsIn(given, 5), 3)).toEqual(
          every.filter((committee) => worth(committee) === best),
        );
      }),
    );
  });

  it('go to the same options by Phragmén when every ballot is there twice', () => {
    const ballots = fc.array(fc.subarray([0, 1, 2, 3, 4]), { minLength: 1, maxLength: 6 });
    const first = (given: readonly (readonly number[])[]): unknown => {
      const steps = sequentialPhragmen(approvalsIn(given, 5), 3);
      const seen: unknown[] = [];
      for (let step = steps.next(); step.done !== true; step = steps.next(step.value[0] ?? 0)) {
        seen.push(step.value);
      }
      return seen;
    };
    fc.assert(
      fc.property(ballots, (given) => {
        expect(first([...given, ...given])).toEqual(first(given));
      }),
    );
  });

  it('that are tied are reported when that is the rule', async () => {
    const { outcome } = await elect(
      committeeAv,
      [
        [0, 1],
        [0, 2],
      ],
      { seats: 2, tie: 'report' },
    );
    expect(outcome).toMatchObject({ status: 'tied', tie: { among: ['1', '2'] } });
  });

  it('stay empty when nobody approves anything', async () => {
    const { outcome } = await elect(committeePhragmen, [[], []]);
    expect(outcome).toMatchObject({ status: 'no_deal', result: { committee: [] } });
  });
});

it('PAV refuses more committees than it can go through, and says what has no such limit', () => {
  const options = Array.from({ length: 40 }, (_, index) => String(index));
  expect(committeePav.parseSpec({ question: 'q', options, seats: 10 })).toEqual({
    ok: false,
    reason:
      'options: 10 of 40 are more than 50000 committees to go through; consensus.committee_phragmen has no such limit',
  });
  expect(committeePav.parseSpec({ question: 'q', options, seats: 39 }).ok).toBe(true);
  expect(committeePhragmen.parseSpec({ question: 'q', options, seats: 10 }).ok).toBe(true);
});

it.each([committeeAv, committeeSav, committeePav, committeePhragmen])(
  '$name can be gained by another ballot than the true one, and its traits say so',
  async (rule) => {
    expect(rule.traits.dominantStrategyTruthful).toBe(false);
    const gain = async (
      own: readonly number[],
      wanted: readonly number[],
      others: readonly (readonly number[])[],
    ): Promise<number> => {
      const won = await committeeOf(rule, [own, ...others], {
        size: 3,
        seats: 1,
        tie: 'lexicographic',
      });
      return wanted.includes(Number(won)) ? (Number(won) === wanted[0] ? 2 : 1) : 0;
    };
    // It likes 1 best and 0, too; by approving 1 alone it gets it.
    expect(await gain([0, 1], [1, 0], [[0], [1]])).toBe(1);
    expect(await gain([1], [1, 0], [[0], [1]])).toBe(2);
  },
);
