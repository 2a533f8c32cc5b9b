import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../../random.ts';
import { slateOf } from './count.ts';
import { pairwise, pathStrengths } from './pairwise.ts';
import { gradesOf, type Profile } from './profile.ts';
import { type VotingRule, type VotingRuleName, votingRules, winnersOf } from './rules.ts';
import { borda, copeland, instantRunoff, minimax, schulze } from './tally.ts';

/** Voters by ranking, such as `{ ACB: 7 }`: of seven voters. Options are letters; those in brackets are equals. */
type Rankings = Readonly<Record<string, number>>;

/** Rankings as votes on `options`. With `favourites`, of single ballots for the first of each. */
function profileOf(rankings: Rankings, options: string, favourites = false): Profile {
  const spec = { question: 'q', options: options.split('') };
  const votes = Object.entries(rankings).map(([ranking, weight]) => {
    const places = [...ranking.matchAll(/\[(.*?)\]|./g)].map(([one, equals]) =>
      equals === undefined ? one : equals.split(''),
    );
    const grades = favourites
      ? gradesOf({ single: ranking[0] ?? '' }, slateOf(spec, 'single'))
      : gradesOf({ ranking: places }, slateOf(spec, 'ranking'));
    return { weight, grades: grades ?? new Uint16Array(options.length) };
  });
  return { size: options.length, votes };
}

/** The winning letters by a rule; of a rule on single ballots, of the favourites. */
function winners(rule: VotingRule, rankings: Rankings, options: string): string {
  const profile = profileOf(rankings, options, rule.ballots[0] === 'single');
  const cast = profile.votes.reduce((sum, { weight }) => sum + weight, 0);
  const terms = { spec: { question: 'q', options: options.split('') }, of: cast, scale: 1 };
  const places = winnersOf(rule.score(profile), (score) => rule.admits?.(score, terms) ?? true);
  return places.map((place) => options[place]).join('');
}

const ranked = ['borda', 'copeland', 'condorcet', 'schulze', 'minimax', 'irv'] as const;

function all(
  names: readonly VotingRuleName[],
  rankings: Rankings,
  options: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => [name, winners(votingRules[name], rankings, options)]),
  );
}

describe('worked examples', () => {
  it('E1: Tennessee chooses its capital', () => {
    const votes = { MNCK: 42, NCKM: 26, CKNM: 15, KCNM: 17 };
    expect(all([...ranked, 'plurality', 'majority'], votes, 'MNCK')).toEqual({
      plurality: 'M',
      majority: '',
      borda: 'N',
      condorcet: 'N',
      copeland: 'N',
      schulze: 'N',
      minimax: 'N',
      irv: 'K',
    });
    expect(borda(profileOf(votes, 'MNCK'))).toEqual([126, 194, 173, 107]);
  });

  it('E2: 45 voters of Schulze, with the strengths of all paths', () => {
    const votes = {
      ACBED: 5,
      ADECB: 5,
      BEDAC: 8,
      CABED: 3,
      CAEBD: 7,
      CBADE: 2,
      DCEBA: 7,
      EBADC: 8,
    };
    expect(all(['schulze', 'plurality', 'irv', 'minimax', 'copeland'], votes, 'ABCDE')).toEqual({
      schulze: 'E',
      plurality: 'C',
      irv: 'A',
      minimax: 'E',
      copeland: 'E',
    });
    const strengths = pathStrengths(pairwise(profileOf(votes, 'ABCDE')));
    expect([0, 1, 2, 3, 4].map((row) => Array.from(strengths.slice(row * 5, row * 5 + 5)))).toEqual(
      [
        [0, 28, 28, 30, 24],
        [25, 0, 28, 33, 24],
        [25, 29, 0, 29, 24],
        [25, 28, 28, 0, 24],
        [25, 28, 28, 31, 0],
      ],
    );
    // E > A > C > B > D
    expect(schulze(profileOf(votes, 'ABCDE'))).toEqual([3, 1, 2, 0, 4]);
  });

  it('E3: the 21 voters of Borda', () => {
    const votes = { ABC: 1, ACB: 7, BCA: 7, CBA: 6 };
    expect(all(['plurality', 'irv', 'borda', 'condorcet'], votes, 'ABC')).toEqual({
      plurality: 'A',
      irv: 'B',
      borda: 'C',
      condorcet: 'C',
    });
    expect(borda(profileOf(votes, 'ABC'))).toEqual([16, 21, 26]);
  });

  it('E4: the 81 voters of Condorcet, whose winner Borda misses', () => {
    const votes = { ABC: 30, ACB: 1, BAC: 29, BCA: 10, CAB: 10, CBA: 1 };
    expect(all(['condorcet', 'borda'], votes, 'ABC')).toEqual({ condorcet: 'A', borda: 'B' });
    expect(borda(profileOf(votes, 'ABC'))).toEqual([101, 109, 33]);
  });

  it('E7: the paradox has no Condorcet winner, and everybody wins by the other rules', () => {
    const votes = { ABC: 1, BCA: 1, CAB: 1 };
    expect(all([...ranked, 'plurality'], votes, 'ABC')).toEqual({
      condorcet: '',
      plurality: 'ABC',
      borda: 'ABC',
      copeland: 'ABC',
      schulze: 'ABC',
      minimax: 'ABC',
      irv: 'ABC',
    });
  });

  it('E8: 940 voters of Netflix (PrefLib 00004-00000006) agree by every rule', () => {
    const votes = { '213': 300, '231': 269, '321': 150, '123': 90, '312': 74, '132': 57 };
    for (const winner of Object.values(all([...ranked, 'plurality'], votes, '123'))) {
      expect(winner).toBe('2');
    }
    expect(borda(profileOf(votes, '123'))).toEqual([668, 1378, 774]);
  });
});

it('a lost duel is no step of a path', () => {
  const strengths = pathStrengths(pairwise(profileOf({ AB: 3, BA: 2 }, 'AB')));
  expect(Array.from(strengths)).toEqual([0, 3, 0, 0]);
});

describe('ties on ballots', () => {
  it('are no vote for either in a duel, nor is an option against itself', () => {
    const { preferring } = pairwise(profileOf({ 'A[BC]': 2, 'C[AB]': 3, '[ABC]': 4 }, 'ABC'));
    expect(Array.from(preferring)).toEqual([0, 2, 2, 0, 0, 0, 3, 3, 0]);
  });

  it('share the points of their places', () => {
    expect(borda(profileOf({ 'A[BC]D': 1 }, 'ABCD'))).toEqual([3, 1.5, 1.5, 0]);
    expect(borda(profileOf({ A: 2 }, 'ABC'))).toEqual([4, 1, 1]);
  });

  it('count in full for each of the first in a run-off, and half in a duel that is even', () => {
    expect(instantRunoff(profileOf({ '[AB]': 2, C: 3, B: 2 }, 'ABC'))).toEqual([1, 3, 2]);
    expect(copeland(profileOf({ '[AB]C': 1 }, 'ABC'))).toEqual([1.5, 1.5, 0]);
    expect(minimax(profileOf({ '[AB]C': 5 }, 'ABC'))).toEqual([0, 0, -5]);
  });
});

describe('what rules do not promise', () => {
  it('plurality and Borda can miss a Condorcet winner', () => {
    const plurality = all(['condorcet', 'plurality'], { ABC: 4, BAC: 3, CBA: 2 }, 'ABC');
    expect(plurality).toEqual({ condorcet: 'B', plurality: 'A' });
    const points = all(['condorcet', 'borda', 'majority'], { ABC: 3, BCA: 2 }, 'ABC');
    expect(points).toEqual({ condorcet: 'A', borda: 'B', majority: 'A' });
  });

  it('a run-off can take the victory from an option that is liked better', () => {
    const before = { ABC: 6, CAB: 6, BCA: 5 };
    expect(winners(votingRules.irv, before, 'ABC')).toBe('C');
    // Two who had A first now have C first; nothing else is changed.
    const after = { ABC: 4, CAB: 8, BCA: 5 };
    expect(winners(votingRules.irv, after, 'ABC')).toBe('B');
  });
});

const letters = ['ABC', 'ABCD', 'ABCDE'];
/** Strict rankings of the same few options. */
const profiles = fc.constantFrom(...letters).chain((options) =>
  fc
    .array(fc.shuffledSubarray(options.split(''), { minLength: options.length }), {
      minLength: 1,
      maxLength: 9,
    })
    .map((ballots) => ({ options, votes: grouped(ballots.map((ballot) => ballot.join(''))) })),
);

function grouped(ballots: readonly string[]): Rankings {
  const votes: Record<string, number> = {};
  for (const ballot of ballots) votes[ballot] = (votes[ballot] ?? 0) + 1;
  return votes;
}

const mapped = (votes: Rankings, change: (ballot: string) => string): Rankings =>
  grouped(Object.entries(votes).flatMap(([b, n]) => Array.from({ length: n }, () => change(b))));

const rules = [...ranked, 'plurality', 'majority'] as const;

describe('what rules promise', () => {
  it('a majority is a Condorcet winner, and that the only one by Copeland, Schulze and minimax', () => {
    fc.assert(
      fc.property(profiles, ({ options, votes }) => {
        const won = all(rules, votes, options);
        const { majority, condorcet } = won;
        expect(majority === '' || (condorcet === majority && won['irv'] === majority)).toBe(true);
        if (condorcet === '') return;
        for (const rule of ['copeland', 'schulze', 'minimax']) {
          expect(won[rule]).toBe(won['condorcet']);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('there is at most one majority and one Condorcet winner, and always a winner by the others', () => {
    fc.assert(
      fc.property(profiles, ({ options, votes }) => {
        const { majority, condorcet, ...others } = all(rules, votes, options);
        expect(majority?.length).toBeLessThanOrEqual(1);
        expect(condorcet?.length).toBeLessThanOrEqual(1);
        for (const won of Object.values(others)) expect(won.length).toBeGreaterThan(0);
      }),
    );
  });

  it('other names for the options are other names for the winners', () => {
    fc.assert(
      fc.property(profiles, fc.constantFrom(...rules), ({ options, votes }, rule) => {
        const turn = (text: string): string =>
          text
            .split('')
            .map((letter) => options.at(options.indexOf(letter) - 1))
            .join('');
        const turned = winners(votingRules[rule], mapped(votes, turn), options);
        const base = turn(winners(votingRules[rule], votes, options));
        expect(turned.split('').toSorted()).toEqual(base.split('').toSorted());
      }),
    );
  });

  it('an electorate twice as large, or weights c times as large, change nothing', () => {
    fc.assert(
      fc.property(
        profiles,
        fc.constantFrom(...rules),
        fc.integer({ min: 2, max: 50 }),
        (p, rule, c) => {
          const scaled = Object.fromEntries(Object.entries(p.votes).map(([b, n]) => [b, n * c]));
          expect(winners(votingRules[rule], scaled, p.options)).toBe(
            winners(votingRules[rule], p.votes, p.options),
          );
        },
      ),
    );
  });

  it('an option that all rank below another never wins (Pareto)', () => {
    fc.assert(
      fc.property(profiles, ({ options, votes }) => {
        // B stands right behind A on every ballot.
        const behind = mapped(votes, (ballot) => ballot.replace('B', '').replace('A', 'AB'));
        for (const rule of ranked)
          expect(winners(votingRules[rule], behind, options)).not.toContain('B');
      }),
    );
  });

  it('a Schulze winner that one ballot raises still wins (monotone)', () => {
    fc.assert(
      fc.property(profiles, fc.nat(), fc.nat(), ({ options, votes }, which, by) => {
        const [winner = ''] = winners(votingRules.schulze, votes, options);
        const ballots = Object.entries(votes).flatMap(([b, n]) =>
          Array.from({ length: n }, () => b),
        );
        const at = which % ballots.length;
        const lifted = ballots.map((ballot, index) => {
          if (index !== at) return ballot;
          const rest = ballot.replace(winner, '');
          const place = Math.max(0, ballot.indexOf(winner) - 1 - (by % options.length));
          return rest.slice(0, place) + winner + rest.slice(place);
        });
        expect(winners(votingRules.schulze, grouped(lifted), options)).toContain(winner);
      }),
      { numRuns: 300 },
    );
  });

  it('a Schulze winner that is alone does not win when all ballots are turned round', () => {
    fc.assert(
      fc.property(profiles, ({ options, votes }) => {
        const won = winners(votingRules.schulze, votes, options);
        const turned = mapped(votes, (ballot) => ballot.split('').toReversed().join(''));
        fc.pre(won.length === 1);
        expect(winners(votingRules.schulze, turned, options)).not.toBe(won);
      }),
      { numRuns: 300 },
    );
  });

  it('a clone beside an option neither helps nor hurts it by Schulze', () => {
    fc.assert(
      fc.property(profiles, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), (p, sides) => {
        let index = 0;
        const cloned = mapped(p.votes, (ballot) =>
          ballot.replace('A', sides[index++ % 9] === true ? 'AZ' : 'ZA'),
        );
        const won = winners(votingRules.schulze, cloned, `${p.options}Z`);
        const merged = [...new Set(won.replace('Z', 'A'))].toSorted().join('');
        expect(merged).toBe(winners(votingRules.schulze, p.votes, p.options));
      }),
      { numRuns: 300 },
    );
  });

  it('a clone does change plurality and Borda', () => {
    const [before, after] = [
      { ABC: 3, BAC: 2 },
      { AZBC: 2, ZABC: 1, BAZC: 2 },
    ];
    expect(winners(votingRules.plurality, before, 'ABC')).toBe('A');
    expect(winners(votingRules.plurality, { ...after, CBAZ: 1 }, 'ABCZ')).not.toBe('A');
    expect(winners(votingRules.borda, { ABC: 3, BAC: 2 }, 'ABC')).toBe('A');
    expect(winners(votingRules.borda, { ABZC: 3, BZAC: 2 }, 'ABCZ')).toBe('B');
  });
});

describe('traits', () => {
  /** The first of the winners, as the rule for ties; nothing is behind everything. */
  const rankOf = (rule: VotingRule, votes: Rankings, own: string): number => {
    const options = own.split('').toSorted().join('');
    const [won] = winners(rule, votes, options);
    return won === undefined ? options.length : own.indexOf(won);
  };
  const random = seededRandom('traits');
  const orders = (options: string): readonly string[] =>
    options.length < 2
      ? [options]
      : options
          .split('')
          .flatMap((first) => orders(options.replace(first, '')).map((rest) => first + rest));
  const [three, four] = [orders('ABC'), orders('ABCD')];
  const electorate = (of: readonly string[], most: number): Record<string, number> =>
    Object.fromEntries(
      Array.from({ length: 5 }, () => [of[random.int(of.length)] ?? '', 1 + random.int(most)]),
    );
  /** With as many more as say. Where many lose by coming, there is one of them who does. */
  // oxlint-disable-next-line max-params -- whom, and how many of what
  const joined = (votes: Rankings, own: string, count = 1): Rankings => ({
    ...votes,
    [own]: (votes[own] ?? 0) + count,
  });

  it.each(ranked)('%s: somebody gains by a ballot that is not sincere', (name) => {
    const gains = Array.from({ length: 300 }, () => electorate(three, 4)).filter((votes) =>
      three.some((own) => {
        const sincere = rankOf(votingRules[name], joined(votes, own), own);
        return three.some(
          (other) => rankOf(votingRules[name], joined(votes, other), own) < sincere,
        );
      }),
    );
    expect(gains.length).toBeGreaterThan(0);
  });

  it.each(['plurality', ...ranked] as const)(
    '%s: somebody would do better to stay away just if it says so',
    (name) => {
      const rule = votingRules[name];
      const absent = Array.from({ length: 4_000 }, () => electorate(four, 12)).some((votes) =>
        [four[0] ?? '', four[17] ?? ''].some(
          (own) =>
            rankOf(rule, votes, own) < rankOf(rule, joined(votes, own, 1 + random.int(12)), own),
        ),
      );
      expect(absent).toBe(!rule.rewardsVoting);
    },
  );
});

describe('at scale', () => {
  /** Milliseconds of processor time of this process, the least of three. */
  function cpuMs(run: () => void): number {
    const times = [1, 2, 3].map(() => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    });
    return Math.min(...times);
  }

  function electorate(voters: number, size: number): Profile {
    const random = seededRandom(`${voters} ${size}`);
    const votes = Array.from({ length: voters }, () => ({
      weight: 1,
      grades: Uint16Array.from({ length: size }, () => random.int(size * 4)),
    }));
    return { size, votes };
  }

  it('paths among 300 options take a tenth of a second, three at most', () => {
    const duels = pairwise(electorate(25, 300));
    expect(cpuMs(() => void pathStrengths(duels))).toBeLessThan(300);
  });

  it('10,000 voters on 20 options are counted by every rule', () => {
    const profile = electorate(10_000, 20);
    for (const rule of ranked) {
      expect(
        cpuMs(() => void winnersOf(votingRules[rule].score(profile), () => true)),
      ).toBeLessThan(600);
    }
  });
});
