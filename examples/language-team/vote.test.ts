import { describe, expect, it } from 'vitest';

import { noLanguage, type Answers } from './answers.ts';
import { modelCosts } from './cost.ts';
import { combine, countCorrect, scoreTeam, unsure, votersToAsk, type Team } from './vote.ts';

const nobody = { 'cld3-asm': 0, eld: 0, franc: 0, lande: 0, tinyld: 0 } as const;

function answers(...pairs: readonly (readonly [language: number, confidence: number])[]): Answers {
  return {
    languages: Uint8Array.from(pairs, ([language]) => language),
    confidences: Uint8Array.from(pairs, ([, confidence]) => confidence),
  };
}

describe('a team with a first member', () => {
  const first = answers([1, 200], [2, 100], [noLanguage, 255], [3, 128]);
  const team: Team = { first: 'eld', threshold: 0.5, weights: { ...nobody, eld: 1, franc: 2 } };

  it('puts only the unsure snippets to the vote, and does not ask the first again', () => {
    expect(unsure(first, 0.5)).toEqual([1, 2]);
    expect(unsure(first, 0)).toEqual([2]);
    expect(votersToAsk(team)).toEqual(['franc']);
    const votes = { franc: answers([7, 1], [8, 1]) };
    expect([...combine(team, { size: 4, first, votes })]).toEqual([1, 7, 8, 3]);
  });

  it('counts the unsure answer of the first as its vote when it has a weight', () => {
    const outvoting: Team = { ...team, weights: { ...nobody, eld: 3, franc: 2 } };
    const votes = { franc: answers([7, 1], [8, 1]) };
    expect([...combine(outvoting, { size: 4, first, votes })]).toEqual([1, 2, 8, 3]);
  });

  it('keeps the unsure answer when nobody votes', () => {
    const alone: Team = { ...team, weights: nobody };
    expect(combine(alone, { size: 4, first, votes: {} })).toEqual(first.languages);
  });

  it('costs the first on every snippet and the voters on the unsure ones', () => {
    const { cost, accuracy, objective } = scoreTeam(team, [
      { snippets: 4, correct: 3, unsure: 2 },
      { snippets: 4, correct: 3, unsure: 0 },
    ]);
    expect(cost).toBeCloseTo(modelCosts.eld + modelCosts.franc / 4);
    expect(accuracy).toBe(0.75);
    expect(objective).toBeCloseTo(0.75 - 0.01 * cost);
  });
});

describe('a vote', () => {
  const weights = { ...nobody, eld: 1, franc: 1, lande: 2 } as const;
  const team: Team = { first: 'none', threshold: 0.5, weights };
  const vote = (...of: readonly (readonly [number, number])[]): number[] => {
    const [eld, franc, lande] = of.map((pair) => answers(pair));
    if (!eld || !franc || !lande) throw new TypeError('three votes');
    return [...combine(team, { size: 1, first: undefined, votes: { eld, franc, lande } })];
  };

  it('goes to the most weight, whatever the confidence', () => {
    expect(vote([noLanguage, 0], [4, 255], [5, 1])).toEqual([5]);
  });
  it('of equal weight goes to the higher sum of confidences', () => {
    expect(vote([4, 60], [4, 60], [5, 100])).toEqual([4]);
    expect(vote([4, 60], [4, 60], [5, 130])).toEqual([5]);
  });
  it('of equal confidence goes to the alphabet', () => {
    expect(vote([4, 60], [4, 60], [5, 120])).toEqual([4]);
    expect(vote([5, 60], [5, 60], [4, 120])).toEqual([4]);
  });
  it('does not count an answer that is none', () => {
    expect(vote([noLanguage, 0], [3, 1], [noLanguage, 0])).toEqual([3]);
    expect(vote([noLanguage, 0], [noLanguage, 0], [noLanguage, 0])).toEqual([noLanguage]);
  });
  it('is refused when answers are missing', () => {
    expect(() => combine(team, { size: 1, first: undefined, votes: {} })).toThrow(
      'eld gave 0 answers of 1',
    );
  });
});

it('scores 0 for a team that asks nobody', () => {
  const team: Team = { first: 'none', threshold: 0.5, weights: nobody };
  const labels = combine(team, { size: 2, first: undefined, votes: {} });
  const correct = countCorrect(labels, Uint8Array.of(0, 1));
  const score = scoreTeam(team, [{ snippets: 2, correct, unsure: 2 }]);
  expect(score).toEqual({ accuracy: 0, cost: 0, objective: 0 });
});
