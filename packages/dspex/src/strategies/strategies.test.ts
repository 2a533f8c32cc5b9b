import { seededRandom } from '@foundation/core';
import { boolean, choice, float, integer, variables, type Configuration } from '@foundation/ml';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { optimize } from '../optimize.ts';
import type { Outcome } from '../outcome.ts';
import type { RunView, Strategy } from '../strategy.ts';
import { scoreMinusCost, type OptimizationTarget } from '../target.ts';
import { coordinateAscent } from './coordinate-ascent.ts';
import { portfolio } from './portfolio.ts';
import { randomSearch } from './random.ts';
import { tpe } from './tpe.ts';

const strategies = [randomSearch(), coordinateAscent(), tpe(), portfolio()];

const models = {
  alpha: [0.7, 1],
  beta: [0.82, 1.4],
  gamma: [0.78, 3.3],
  delta: [0.74, 1.2],
  omega: [0.66, 9],
} as const;
type Model = keyof typeof models;
const names = ['alpha', 'beta', 'gamma', 'delta', 'omega'] as const;
const teamSpace = variables({
  first: choice(['none', ...names]),
  threshold: float(0, 1, { step: 0.05 }),
  alpha: integer(0, 3),
  beta: integer(0, 3),
  gamma: integer(0, 3),
  delta: integer(0, 3),
  omega: integer(0, 3),
});

/** What each model answers to each of 400 questions with eight possible answers (0 is right), and how sure it is. */
const answers = ((): Record<Model, readonly { answer: number; sure: number }[]> => {
  const random = seededRandom('answers');
  const hardness = Array.from({ length: 400 }, () => random.next() - 0.5);
  const answersOf = (model: Model): readonly { answer: number; sure: number }[] =>
    hardness.map((hard) => {
      const right = random.next() < models[model][0] - hard * 0.5;
      return {
        answer: right ? 0 : 1 + random.int(7),
        sure: random.next() * 0.6 + (right ? 0.4 : 0),
      };
    });
  return {
    alpha: answersOf('alpha'),
    beta: answersOf('beta'),
    gamma: answersOf('gamma'),
    delta: answersOf('delta'),
    omega: answersOf('omega'),
  };
})();

type Team = ReturnType<typeof teamSpace.sample>;

function scoreTeam(team: Team): { scores: { accuracy: number }; cost: number } {
  const { first, threshold } = team;
  let [right, cost] = [0, 0];
  for (let question = 0; question < 400; question++) {
    const own = first === 'none' ? undefined : answers[first][question];
    if (first !== 'none') cost += models[first][1];
    if (own !== undefined && own.sure >= threshold) {
      if (own.answer === 0) right++;
      continue;
    }
    const votes = Array.from({ length: 8 }, () => 0);
    for (const voter of names.filter((name) => team[name] > 0)) {
      if (voter !== first) cost += models[voter][1];
      const { answer } = answers[voter][question] ?? { answer: 7 };
      votes[answer] = (votes[answer] ?? 0) + team[voter];
    }
    const most = Math.max(...votes);
    if ((most > 0 ? votes.indexOf(most) : (own?.answer ?? 7)) === 0) right++;
  }
  return { scores: { accuracy: right / 400 }, cost: cost / 400 };
}

const teamTarget: OptimizationTarget<Team> = {
  id: 'team',
  space: teamSpace,
  objective: scoreMinusCost('accuracy', 0.01),
  evaluate: async (team) => scoreTeam(team),
};

async function utilities(strategy: Strategy, candidates: number): Promise<readonly number[]> {
  const runs = [1, 2, 3, 4, 5].map((seed) => optimize(teamTarget, { strategy, seed, candidates }));
  return (await Promise.all(runs)).map(({ best }) => best?.utility ?? 0).toSorted((a, b) => a - b);
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

const small = variables({
  model: choice(['a', 'b', 'c']),
  level: integer(0, 3),
  strict: boolean(),
});

function told<C extends Configuration>(configurations: readonly C[], from: number): Outcome<C>[] {
  return configurations.map((configuration, offset) => {
    const index = from + offset;
    const noise = seededRandom(JSON.stringify(configuration)).next();
    if (noise < 0.1)
      return { kind: 'failed', index, configuration, error: { code: 'INTERNAL', message: 'no' } };
    const measurement = { scores: { quality: noise }, cost: 1 };
    return { kind: 'measured', index, configuration, measurement, utility: noise };
  });
}

describe.each(strategies)('strategy $name', (strategy) => {
  it('proposes the same for the same seed and history, and keeps nothing in between', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (seed, count) => {
        let history: Outcome<Team>[] = [];
        const proposed: Team[][] = [];
        for (let round = 0; round < 7; round++) {
          const proposals = strategy.propose({ space: teamSpace, seed, history }, count);
          proposed.push([...proposals]);
          history = history.concat(told(proposals, history.length));
        }
        let toldCount = 0;
        for (const [round, proposals] of proposed.entries()) {
          const moved: RunView<Team> = {
            space: teamSpace,
            seed,
            history: JSON.parse(JSON.stringify(history.slice(0, toldCount))),
          };
          expect(strategy.propose(moved, count), `round ${round}`).toEqual(proposals);
          toldCount += proposals.length;
        }
      }),
      { numRuns: 10 },
    );
  });

  it('goes through a whole space without proposing anything twice, whatever fails', () => {
    let history: Outcome<ReturnType<typeof small.sample>>[] = [];
    for (;;) {
      const proposals = strategy.propose({ space: small, seed: 's', history }, 5);
      if (proposals.length === 0) break;
      expect(proposals.length).toBeLessThanOrEqual(5);
      history = history.concat(told(proposals, history.length));
    }
    const seen = history.map(({ configuration }) => small.fingerprint(configuration));
    expect(new Set(seen).size).toBe(24);
    expect(seen).toHaveLength(24);
  });

  it('proposes other things for another seed', () => {
    const [one, other] = ['1', '2'].map((seed) =>
      strategy.propose({ space: teamSpace, seed, history: [] }, 8),
    );
    expect(one).not.toEqual(other);
  });

  it('proposes only what belongs to a space with a free float', () => {
    const free = variables({ x: float(-1, 1), model: choice(['a', 'b']) });
    let history: Outcome<ReturnType<typeof free.sample>>[] = [];
    for (let round = 0; round < 6; round++) {
      const proposals = strategy.propose({ space: free, seed: 's', history }, 8);
      for (const proposal of proposals)
        expect(free.validate(proposal)).toEqual({ value: proposal });
      history = history.concat(told(proposals, history.length));
    }
  });
});

describe('on a team of agents', () => {
  it('the model finds better teams than chance, and the default is not below either', async () => {
    const [chance, model, combined] = await Promise.all([
      utilities(randomSearch(), 120),
      utilities(tpe(), 120),
      utilities(portfolio(), 120),
    ]);
    expect(median(model)).toBeGreaterThan(median(chance) + 0.005);
    expect(median(combined)).toBeGreaterThanOrEqual(median(model) - 0.002);
    expect(combined[0]).toBeGreaterThan(median(chance));
  });
});

describe('tpe', () => {
  it('leaves alone what fails', () => {
    const space = variables({ model: choice(['a', 'b', 'c']), level: integer(0, 9) });
    const history = [0, 2, 4, 6, 8].map(
      (level, index): Outcome<ReturnType<typeof space.sample>> => ({
        kind: 'failed',
        index,
        configuration: { model: 'b', level },
        error: { code: 'INTERNAL', message: 'b does not answer' },
      }),
    );
    const proposals = tpe({ startCount: 1 }).propose({ space, seed: 's', history }, 8);
    expect(proposals.map(({ model }) => model)).not.toContain('b');
  });
});

describe('coordinate ascent', () => {
  it('reaches the top of a single hill', async () => {
    const hill = variables({ x: integer(0, 30), y: integer(0, 30), z: integer(0, 30) });
    const result = await optimize(
      {
        id: 'hill',
        space: hill,
        objective: scoreMinusCost('height', 0),
        evaluate: async ({ x, y, z }) => ({
          scores: { height: -((x - 7) ** 2 + (y - 21) ** 2 + (z - 13) ** 2) },
          cost: 0,
        }),
      },
      { strategy: coordinateAscent(), candidates: 250 },
    );
    expect(result.best?.configuration).toEqual({ x: 7, y: 21, z: 13 });
  });

  it('leaves a local optimum for another climb', async () => {
    const twoPeaks = variables({ x: integer(0, 60), y: integer(0, 2) });
    const result = await optimize(
      {
        id: 'peaks',
        space: twoPeaks,
        objective: scoreMinusCost('height', 0),
        evaluate: async ({ x, y }) => ({
          scores: { height: x < 50 ? 20 - Math.abs(x - 20) - y : 30 - Math.abs(x - 55) },
          cost: 0,
        }),
      },
      { strategy: coordinateAscent(), candidates: 120, roundSize: 2, seed: 3 },
    );
    const lows = result.history.filter((one) => one.kind === 'measured' && one.utility >= 20);
    expect(lows.length).toBeGreaterThan(1);
    expect(result.best?.utility).toBe(30);
  });
});
