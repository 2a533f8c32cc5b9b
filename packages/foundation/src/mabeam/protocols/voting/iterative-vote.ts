import { parseChoice, parseFields, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { type Parsed } from '../../parse.ts';
import type { Decision, EmitEffect, Protocol, Step } from '../../protocol.ts';
import { type Ballot, ballotKinds, parseBallot } from './ballot.ts';
import { type Count, countVotes, requestOf, slateOf, weighingOf } from './count.ts';
import { type VotingRuleName, votingRuleNames, votingRules } from './rules.ts';
import { type VoteSpec, voteFields } from './vote-spec.ts';
import { closed, decide, verifyVote, type VoteResult } from './vote.ts';

const ends = ['stable', 'decided'] as const;

/** What is voted on until nobody changes its mind. */
export interface IterativeSpec extends VoteSpec {
  /** Which may be given its own fields, as `threshold`. @defaultValue `majority` */
  readonly rule?: VotingRuleName;
  /**
   * When it is over. `stable`: when a round brings the same votes as the one before, whatever they come to.
   * `decided`: as soon as the rule elects something, without a tie.
   *
   * @defaultValue `stable`
   */
  readonly until?: (typeof ends)[number];
  /** Most rounds, from 1 to {@link voteRoundsMax}. @defaultValue 10 */
  readonly rounds?: number;
}

/** Most rounds of an iterative vote. */
export const voteRoundsMax = 100;

/** How an iterative vote ended. When it has not converged, this is its last round. */
export interface IterativeResult extends VoteResult {
  readonly rounds: number;
}

interface IterativeState {
  readonly spec: IterativeSpec;
  /** Who voted how in the round before. */
  readonly before?: string;
}

/**
 * Votes again and again. Voters see the last tally, never each other's votes. Voting may go round in circles (Meir,
 * Polukarov, Rosenschein and Jennings 2010): after the last round that is `not_converged`.
 */
export const iterativeVote: Protocol<IterativeSpec, Ballot, IterativeState, IterativeResult> = {
  name: 'consensus.iterative',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: false,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => voteRoundsMax,
    maxMessages: (n) => (2 * voteRoundsMax + 1) * n,
  },
  parseSpec,
  parseReply: (_type, body) => parseBallot(body, ballotKinds),
  init(spec, roster) {
    weighingOf(spec, roster);
    const body = requestOf(spec, kindIn(spec));
    return { state: { spec }, effects: [{ kind: 'ask', to: roster, type: 'get_vote', body }] };
  },
  on(state, { answers, round }, env) {
    const { spec } = state;
    const { rule = 'majority', until = 'stable', rounds = 10 } = spec;
    const roster = answers.map(({ from }) => from);
    const count = countVotes(answers, slateOf(spec, kindIn(spec)), weighingOf(spec, roster));
    const { tie, ...decision } = inRound(decide(votingRules[rule], { spec, count }, env), round);
    const now = votesIn(count);
    const isOver =
      until === 'stable'
        ? now === state.before
        : decision.status === 'decided' && tie === undefined;
    if (isOver) {
      const whole = tie === undefined ? decision : { ...decision, tie };
      return withTally(closed(state, { roster, decision: whole }), decision);
    }
    if (round >= rounds) {
      const { winner: _, ...result } = decision.result ?? emptyResult;
      const last = { status: 'not_converged', result, reasons: decision.reasons ?? {} } as const;
      return withTally(closed(state, { roster, decision: last }), decision);
    }
    return withTally(nextRound({ spec, before: now }, roster, decision), decision);
  },
  verify(spec, claim) {
    const { rule = 'majority', rounds = 10 } = spec;
    const { result } = claim;
    const inTime = result === undefined || (result.rounds >= 1 && result.rounds <= rounds);
    return [
      ...verifyVote(votingRules[rule], spec, claim),
      ...(inTime ? [] : [`there were not ${result.rounds} rounds`]),
    ];
  },
};

type Round = Decision<IterativeResult>;

const emptyResult: IterativeResult = {
  question: '',
  winners: [],
  tally: [],
  weight: { roster: 0, replies: 0, cast: 0 },
  rounds: 0,
};

function inRound(
  { result = emptyResult, ...decision }: Decision<VoteResult>,
  round: number,
): Round {
  return { ...decision, result: { ...result, rounds: round } };
}

// oxlint-disable-next-line max-params -- what is known, who is asked, what they are told
function nextRound(
  state: IterativeState,
  roster: readonly AgentId[],
  { result }: Round,
): Step<IterativeState, IterativeResult> {
  const body = { ...requestOf(state.spec, kindIn(state.spec)), last: result?.tally ?? [] };
  return { state, effects: [{ kind: 'ask', to: roster, type: 'get_vote', body }] };
}

/** Whoever watches sees how each round went. */
function withTally(
  step: Step<IterativeState, IterativeResult>,
  { status, result = emptyResult }: Round,
): Step<IterativeState, IterativeResult> {
  const { rounds: round, weight, winners } = result;
  const facts = { round, status, cast: weight.cast, first: winners.join(', ') };
  const emit: EmitEffect = { kind: 'emit', name: 'tally', facts };
  return { ...step, effects: [emit, ...step.effects] };
}

/** Equal for equal votes of the same voters. */
function votesIn({ ballots }: Count): string {
  return JSON.stringify(ballots.map(({ from, grades }) => [from, grades.join(' ')]));
}

function kindIn({ rule = 'majority', ballot }: IterativeSpec): NonNullable<VoteSpec['ballot']> {
  return ballot ?? votingRules[rule].ballots[0] ?? 'single';
}

function parseSpec(value: unknown): Parsed<IterativeSpec> {
  return parseFields(
    value,
    '{ question, options, … }',
    ({ rule: wanted = 'majority', until = 'stable', rounds = 10, ...vote }) => {
      const rule = parseChoice('rule', votingRuleNames, wanted);
      return {
        ...voteFields(vote, votingRules[rule.ok ? rule.value : 'majority']),
        rule,
        until: parseChoice('until', ends, until),
        rounds: parseWhole('rounds', rounds, { max: voteRoundsMax }),
      };
    },
  );
}
