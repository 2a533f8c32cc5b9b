import { FoundationError } from '@foundation/core';

import { noLanguage, type Answers } from './answers.ts';
import { modelCosts } from './cost.ts';
import { modelNames, type ModelName } from './models.ts';

export type Weight = 0 | 1 | 2 | 3;

/**
 * A team architecture: `first` is asked about every snippet, and its answer stands when its confidence
 * reaches `threshold`. About the others, and about all when `first` is `none`, the models of weight
 * above 0 vote; what the first said is its vote, it is not asked again.
 */
export interface Team {
  readonly first: ModelName | 'none';
  /** 0 to 1. */
  readonly threshold: number;
  readonly weights: Readonly<Record<ModelName, Weight>>;
}

/** The answers a team has gathered about a batch. */
export interface Ballot {
  /** Number of snippets in the batch. */
  readonly size: number;
  /** The first member's answers to the whole batch; none when `first` is `none`. */
  readonly first: Answers | undefined;
  /** Answers of each of {@link votersToAsk} to the {@link unsure} snippets of the batch, in order. */
  readonly votes: Readonly<Partial<Record<ModelName, Answers>>>;
}

/** What was counted in a batch. Whole numbers, so that batches add up alike in any order. */
export interface Tally {
  readonly snippets: number;
  readonly correct: number;
  /** Snippets that were put to the vote. */
  readonly unsure: number;
}

export interface Score {
  /** Correct labels / snippets, 0 to 1. */
  readonly accuracy: number;
  /** Mean cost of a snippet over all models asked, in the unit of {@link modelCosts}. */
  readonly cost: number;
  /** What the search maximizes: accuracy − 0.01 × cost. */
  readonly objective: number;
}

/** The models whose votes must be fetched, in alphabetical order: of weight above 0, without the first. */
export function votersToAsk(team: Team): readonly ModelName[] {
  return modelNames.filter((name) => team.weights[name] > 0 && name !== team.first);
}

/** The places in the batch where the first member has no answer, or one below the threshold. */
export function unsure(first: Answers, threshold: number): number[] {
  const places: number[] = [];
  for (const [place, language] of first.languages.entries()) {
    const confidence = first.confidences[place] ?? 0;
    if (language === noLanguage || confidence < threshold * 255) places.push(place);
  }
  return places;
}

/**
 * The team's label of each snippet of a batch: the first's answer where it is sure, elsewhere the
 * language with most weight among the votes. A vote counts its weight, whatever its confidence;
 * equal weight is decided by the higher sum of confidences, then by the alphabet. "No answer" is no
 * vote. Where nobody may vote, the first's answer stands although it is unsure.
 *
 * @throws FoundationError `INVALID_OPTION` when the ballot lacks answers.
 */
export function combine(team: Team, ballot: Ballot): Uint8Array {
  const first = firstAnswers(team, ballot);
  const labels = first?.languages.slice() ?? new Uint8Array(ballot.size).fill(noLanguage);
  const places = first && unsure(first, team.threshold);
  const voters = modelNames.filter((name) => team.weights[name] > 0);
  if (voters.length === 0) return labels;
  const count = places?.length ?? ballot.size;
  const columns = voters.map((name): Column => {
    const own = name === team.first;
    const answers = own ? first : ballot.votes[name];
    const expected = own ? ballot.size : count;
    if (answers?.languages.length !== expected) throw lacking(name, answers, expected);
    return { weight: team.weights[name], answers, own };
  });
  for (let index = 0; index < count; index++) {
    const place = places?.[index] ?? index;
    labels[place] = plurality(columns, place, index);
  }
  return labels;
}

/** How many labels are right. */
export function countCorrect(labels: Uint8Array, truth: Uint8Array): number {
  return labels.reduce((correct, label, place) => correct + (label === truth[place] ? 1 : 0), 0);
}

/** The score of a team from what was counted in its batches; a team that asks nobody scores 0. */
export function scoreTeam(team: Team, tallies: readonly Tally[]): Score {
  const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
  const snippets = Math.max(1, sum('snippets'));
  const first = team.first === 'none' ? 0 : modelCosts[team.first];
  const vote = votersToAsk(team).reduce((total, name) => total + modelCosts[name], 0);
  const accuracy = sum('correct') / snippets;
  const cost = first + (vote * sum('unsure')) / snippets;
  return { accuracy, cost, objective: accuracy - 0.01 * cost };
}

interface Column {
  readonly weight: Weight;
  readonly answers: Answers;
  /** Whether the answers are the first's, to the whole batch, and not only to the unsure ones. */
  readonly own: boolean;
}

function firstAnswers({ first }: Team, ballot: Ballot): Answers | undefined {
  if (first === 'none') return undefined;
  if (ballot.first?.languages.length === ballot.size) return ballot.first;
  throw lacking(first, ballot.first, ballot.size);
}

function plurality(columns: readonly Column[], place: number, index: number): number {
  const votes = columns.map(({ weight, answers, own }) => ({
    weight,
    language: answers.languages[own ? place : index] ?? noLanguage,
    confidence: answers.confidences[own ? place : index] ?? 0,
  }));
  let best = { language: noLanguage, weight: 0, confidence: 0 };
  for (const { language } of votes) {
    if (language === noLanguage) continue;
    const group = { language, weight: 0, confidence: 0 };
    for (const vote of votes) {
      if (vote.language !== language) continue;
      group.weight += vote.weight;
      group.confidence += vote.confidence;
    }
    const ahead =
      group.weight - best.weight ||
      group.confidence - best.confidence ||
      best.language - group.language;
    if (ahead > 0) best = group;
  }
  return best.language;
}

function lacking(name: ModelName, answers: Answers | undefined, expected: number): FoundationError {
  const given = answers?.languages.length ?? 0;
  return new FoundationError('INVALID_OPTION', `${name} gave ${given} answers of ${expected}`, {
    hint: 'Ask each of votersToAsk(team) about the unsure snippets of the batch.',
  });
}
