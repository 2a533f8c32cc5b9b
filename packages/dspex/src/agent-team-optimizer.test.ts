import { choice, integer, variables } from '@foundation/ml';
import { describe, expect, it } from 'vitest';

import { agentTeamOptimizer, type ExecutionContext, type Split } from './agent-team-optimizer.ts';
import { scoreMinusCost } from './target.ts';

const space = variables({ first: choice(['none', 'quick', 'thorough']), voters: integer(0, 3) });
type Team = ReturnType<typeof space.sample>;
interface Goal {
  readonly ask: Team;
  readonly about: Split;
}

function teamOf(
  execute: (goal: Goal, context: ExecutionContext) => Promise<{ readonly right: number }>,
): ReturnType<typeof agentTeamOptimizer<Team, Goal, { readonly right: number }>> {
  return agentTeamOptimizer({
    id: 'team',
    space,
    objective: scoreMinusCost('accuracy', 0.01),
    goalFor: (ask, about) => ({ ask, about }),
    execute,
    measure: ({ right }) => ({ scores: { accuracy: right / 100 }, cost: 1 }),
  });
}

function rightAnswers({ ask, about }: Goal): { readonly right: number } {
  const own = { none: 0, quick: 50, thorough: 70 }[ask.first];
  return { right: own + ask.voters * 5 - (about === 'test' ? 1 : 0) };
}

describe('an optimizer of agent teams', () => {
  it('turns each architecture into one goal on the validation half', async () => {
    const goals: Goal[] = [];
    const indexes = new Set<number | undefined>();
    const optimizer = teamOf(async (goal, { index, split }) => {
      goals.push(goal);
      indexes.add(index);
      expect(split).toBe(goal.about);
      return rightAnswers(goal);
    });
    const result = await optimizer.optimize({ candidates: 12 });
    expect(goals).toHaveLength(12);
    expect(goals.every(({ about }) => about === 'validation')).toBe(true);
    expect(indexes).toEqual(new Set(Array(12).keys()));
    expect(result.best?.configuration).toEqual({ first: 'thorough', voters: 3 });
    expect(result.best?.measurement.scores.accuracy).toBe(0.85);
  });

  it('scores the team it found on the half that the search never saw', async () => {
    const optimizer = teamOf(async (goal) => rightAnswers(goal));
    const team: Team = { first: 'thorough', voters: 3 };
    expect((await optimizer.score(team, { split: 'test' })).scores.accuracy).toBe(0.84);
    await expect(optimizer.score({ ...team, voters: 4 }, { split: 'test' })).rejects.toMatchObject({
      code: 'ML_INVALID_CONFIGURATION',
    });
  });

  it('goes on when the agents of one team cannot reach the goal', async () => {
    const optimizer = teamOf(async (goal) => {
      if (goal.ask.first === 'thorough') throw new Error('thorough does not answer');
      return rightAnswers(goal);
    });
    const result = await optimizer.optimize({ candidates: 12 });
    expect(result.failedCount).toBe(4);
    expect(result.best?.configuration).toEqual({ first: 'quick', voters: 3 });
  });
});
