import type {
  Certificate,
  Claim,
  Decision,
  Protocol,
  ProtocolTraits,
  PureEnv,
  Step,
} from '../../protocol.ts';
import { breakTie } from '../../tie-break.ts';
import { type Ballot, parseBallot } from './ballot.ts';
import {
  type Count,
  countVotes,
  reasonsOf,
  requestOf,
  slateOf,
  type VoteWeights,
  weighingOf,
  weightsOf,
} from './count.ts';
import { type VotingRule, votingRules, winnersOf } from './rules.ts';
import type { OptionScore } from './vote-question.ts';
import { parseVoteSpec, type VoteSpec } from './vote-spec.ts';

/** How a vote ended. It is there without a winner, too: the votes were counted. */
export interface VoteResult {
  readonly question: string;
  /** Absent when nothing has won, or a tie is only reported. */
  readonly winner?: string;
  /** Whatever the rule puts first, before ties are broken; in the order of the options. */
  readonly winners: readonly string[];
  /** In the order of the options. */
  readonly tally: readonly OptionScore[];
  readonly weight: VoteWeights;
}

/** A vote among the members of a roster, on one ballot each. Its state is its spec. */
export type Vote = Protocol<VoteSpec, Ballot, VoteSpec, VoteResult>;

function vote(rule: VotingRule): Vote {
  return {
    name: `consensus.${rule.name}`,
    version: '1.0.0',
    traits: traitsOf(rule),
    parseSpec: (spec) => parseVoteSpec(spec, rule),
    parseReply: (_type, body) => parseBallot(body, rule.ballots),
    init(spec, roster) {
      // Weights that cannot be had end the session before anybody is asked.
      weighingOf(spec, roster);
      const body = requestOf(spec, kindIn(spec, rule));
      return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_vote', body }] };
    },
    on(spec, { answers }, env) {
      const roster = answers.map(({ from }) => from);
      const weighing = weighingOf(spec, roster);
      const count = countVotes(answers, slateOf(spec, kindIn(spec, rule)), weighing);
      return closed(spec, { roster, decision: decide(rule, { spec, count }, env) });
    },
    verify: (spec, claim) => verifyVote(rule, spec, claim),
  };
}

/** More than half of the denominator is for it. */
export const majorityVote: Vote = vote(votingRules.majority);
/** It has the most votes, however few. */
export const pluralityVote: Vote = vote(votingRules.plurality);
/** At least a part such as 2/3 of the denominator is for it. */
export const supermajorityVote: Vote = vote(votingRules.supermajority);
/** The whole denominator is for it. */
export const unanimousVote: Vote = vote(votingRules.unanimous);
/** The weight that is for it reaches a quota. */
export const weightedVote: Vote = vote(votingRules.weighted);
/** The most voters can live with it (Brams and Fishburn 1978). */
export const approvalVote: Vote = vote(votingRules.approval);
/** It has the highest sum of scores (range voting). */
export const scoreVote: Vote = vote(votingRules.score);
/** It has the most points for places (Borda 1781). */
export const bordaVote: Vote = vote(votingRules.borda);
/** It wins the most duels (Copeland 1951). */
export const copelandVote: Vote = vote(votingRules.copeland);
/** It wins all duels; there need not be one that does (Condorcet 1785). */
export const condorcetVote: Vote = vote(votingRules.condorcet);
/** No other beats it by a stronger chain of duels (Schulze 2011). */
export const schulzeVote: Vote = vote(votingRules.schulze);
/** Its worst defeat is the smallest (Simpson 1969, Kramer 1977). */
export const minimaxVote: Vote = vote(votingRules.minimax);
/** It is left when the last of each round go (Hare). */
export const instantRunoffVote: Vote = vote(votingRules.irv);

/** What happens when votes have been counted: everybody is told. */
export function closed<S, Out extends { readonly question: string }>(
  state: S,
  { roster, decision }: { roster: readonly string[]; decision: Decision<Out> },
): Step<S, Out> {
  const { status, result } = decision;
  const body = { status, result };
  return {
    state,
    effects: [
      { kind: 'tell', to: roster, type: 'vote_result', body },
      { kind: 'finish', decision },
    ],
  };
}

/** What a count comes to by a rule. */
export function decide(
  rule: VotingRule,
  { spec, count }: { readonly spec: VoteSpec; readonly count: Count },
  env: PureEnv,
): Decision<VoteResult> {
  const { question, options } = spec;
  const { units, scale, profile } = count;
  const scores = rule.score(profile);
  const terms = { spec, of: units[spec.of ?? 'cast'], scale };
  const admits = (score: number): boolean => rule.admits?.(score, terms) ?? true;
  const places = units.cast === 0 ? [] : winnersOf(scores, admits);
  const winners = places.map((place) => options[place] ?? '');
  const shown = (score: number): number => (rule.isWeight ? score / scale : score);
  const tally = options.map((option, place) => ({ option, score: shown(scores[place] ?? 0) }));
  const counted = { question, winners, tally, weight: weightsOf(count) };

  const { first, tie } = breakTie(winners, `winner of ${question}`, env);
  const elected = new Set(first === undefined ? [] : [options.indexOf(first)]);
  const reasons = reasonsOf(count, elected, new Set(places));
  if (first === undefined) {
    return tie === undefined
      ? { status: 'no_deal', result: counted, reasons }
      : { status: 'tied', result: counted, tie, reasons };
  }
  const result = { ...counted, winner: first };
  const broken = tie === undefined ? {} : { tie };
  return { status: 'decided', result, ...broken, ...certified(spec, result), reasons };
}

/** With a threshold: what was for the winner, and out of what. */
function certified(
  { of, threshold, quota }: VoteSpec,
  { winner, tally, weight }: VoteResult,
): { readonly certificate?: Certificate } {
  if (of === undefined) return {};
  const votes = tally.find(({ option }) => option === winner)?.score ?? 0;
  const least = threshold ?? quota;
  const data = { votes, of: weight[of], denominator: of };
  return { certificate: { kind: 'quorum', data: least === undefined ? data : { ...data, least } } };
}

/** What does not fit together in an outcome: its weights, its tally, its winners. */
export function verifyVote(
  rule: VotingRule,
  spec: VoteSpec,
  { roster, status, result }: Claim<VoteResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { scale, total } = weighingOf(spec, roster);
  const { winner, winners, tally, weight } = result;
  const unitsOf = (value: number): number => Math.round(value * scale);
  const scores = tally.map(({ score }) =>
    rule.isWeight ? Math.round(score * scale * 2) / 2 : score,
  );
  const terms = { spec, of: unitsOf(weight[spec.of ?? 'cast']), scale };
  const admits = (score: number): boolean => rule.admits?.(score, terms) ?? true;
  const places = weight.cast === 0 ? [] : winnersOf(scores, admits);
  const sum = scores.reduce((all, score) => all + score, 0);
  const claims: readonly (readonly [holds: boolean, problem: string])[] = [
    [unitsOf(weight.roster) === total, `the roster does not weigh ${weight.roster}`],
    [
      weight.cast <= weight.replies && weight.replies <= weight.roster,
      'more votes were cast than there are, or than were replied',
    ],
    [
      tally.map(({ option }) => option).join('\n') === spec.options.join('\n'),
      'the tally is not one of the options',
    ],
    [
      rule.ballots[0] !== 'single' || sum === unitsOf(weight.cast),
      `the tally does not sum up to the ${weight.cast} that were cast`,
    ],
    [
      places.map((place) => spec.options[place]).join('\n') === winners.join('\n'),
      'the winners are not those of the tally',
    ],
    [
      (status === 'decided') === (winner !== undefined) &&
        (winner === undefined || winners.includes(winner)),
      'the winner is not one of the winners',
    ],
  ];
  return claims.flatMap(([holds, problem]) => (holds ? [] : [problem]));
}

function kindIn(spec: VoteSpec, rule: VotingRule): NonNullable<VoteSpec['ballot']> {
  return spec.ballot ?? rule.ballots[0] ?? 'single';
}

/** Gibbard and Satterthwaite: no rule for three options or more makes the truth best for everybody, save a dictator's. */
function traitsOf({ rewardsVoting }: VotingRule): ProtocolTraits {
  return {
    dominantStrategyTruthful: false,
    individuallyRational: rewardsVoting,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  };
}
