import type { BallotKind } from './ballot.ts';
import type { Profile } from './profile.ts';
import { isAtLeast } from './ratio.ts';
import {
  borda,
  copeland,
  duelsWon,
  instantRunoff,
  minimax,
  points,
  schulze,
  type Scores,
} from './tally.ts';
import type { SpecForm, VoteSpec } from './vote-spec.ts';

/** How votes become one winner. */
export interface VotingRule extends SpecForm {
  /** What its protocol is called, behind `consensus.`. */
  readonly name: VotingRuleName;
  /** A number for each option; the highest that are admitted have won. */
  readonly score: (profile: Profile) => Scores;
  /** Whether a score is one of votes, by weight, rather than of places or duels. */
  readonly isWeight: boolean;
  /** Whether an option with this score can win. Every one can unless this says otherwise. */
  readonly admits?: (score: number, terms: RuleTerms) => boolean;
  /**
   * Whether nobody can lose by voting sincerely instead of staying away. Where a ballot makes a threshold higher it can
   * stand in the way of what the voter likes next best; Condorcet's and run-off rules have Moulin's no-show paradox.
   */
  readonly rewardsVoting: boolean;
}

/** What a threshold is measured by, in whole units of weight. */
export interface RuleTerms {
  readonly spec: VoteSpec;
  /** Weight of the denominator that the spec names. */
  readonly of: number;
  /** Units of one weight of the spec. */
  readonly scale: number;
}

export type VotingRuleName = (typeof votingRuleNames)[number];

/** Rules that elect one option. */
export const votingRuleNames = [
  'majority',
  'plurality',
  'supermajority',
  'unanimous',
  'weighted',
  'approval',
  'score',
  'borda',
  'copeland',
  'condorcet',
  'schulze',
  'minimax',
  'irv',
] as const;

const single = { ballots: ['single'], score: points, isWeight: true } as const;
const threshold = { ...single, rewardsVoting: false };
const ranked = {
  ballots: ['ranking', 'score'] as readonly BallotKind[],
  fields: ['ballot', 'scoreMax'],
  isWeight: false,
} as const;

/** Every rule by its name. */
export const votingRules: Readonly<Record<VotingRuleName, VotingRule>> = {
  majority: { ...threshold, name: 'majority', fields: ['of'], admits: isMajority },
  plurality: {
    ...single,
    name: 'plurality',
    fields: [],
    admits: (votes) => votes > 0,
    rewardsVoting: true,
  },
  supermajority: {
    ...threshold,
    name: 'supermajority',
    fields: ['of', 'threshold'],
    admits: (votes, { spec, of }) => of > 0 && isAtLeast(votes, spec.threshold ?? '2/3', of),
  },
  unanimous: {
    ...threshold,
    name: 'unanimous',
    fields: ['of'],
    admits: (votes, { of }) => of > 0 && votes === of,
  },
  weighted: {
    ...threshold,
    name: 'weighted',
    fields: ['of', 'quota'],
    admits: (votes, terms) =>
      terms.spec.quota === undefined
        ? isMajority(votes, terms)
        : votes >= terms.spec.quota * terms.scale,
  },
  approval: {
    name: 'approval',
    ballots: ['approval'],
    fields: [],
    score: points,
    isWeight: true,
    admits: (votes) => votes > 0,
    rewardsVoting: true,
  },
  score: {
    name: 'score',
    ballots: ['score'],
    fields: ['scoreMax'],
    score: points,
    isWeight: true,
    admits: (votes) => votes > 0,
    rewardsVoting: true,
  },
  borda: { ...ranked, name: 'borda', score: borda, isWeight: true, rewardsVoting: true },
  copeland: { ...ranked, name: 'copeland', score: copeland, rewardsVoting: false },
  condorcet: {
    ...ranked,
    name: 'condorcet',
    score: duelsWon,
    admits: (won, { spec }) => won === spec.options.length - 1,
    rewardsVoting: false,
  },
  schulze: { ...ranked, name: 'schulze', score: schulze, rewardsVoting: false },
  minimax: { ...ranked, name: 'minimax', score: minimax, isWeight: true, rewardsVoting: false },
  irv: { ...ranked, name: 'irv', score: instantRunoff, rewardsVoting: false },
};

function isMajority(votes: number, { of }: RuleTerms): boolean {
  return votes * 2 > of;
}

/** The best of the scores that are admitted, by the places of their options. */
export function winnersOf(scores: Scores, admits: (score: number) => boolean): readonly number[] {
  const best = scores.reduce(
    (high, score) => (admits(score) ? Math.max(high, score) : high),
    -Infinity,
  );
  return [...scores.keys()].filter((place) => scores[place] === best);
}
