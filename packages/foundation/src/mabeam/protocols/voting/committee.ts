import { isOneOf, parsed, unparsed } from '../../parse.ts';
import type { Claim, Decision, Protocol, PureEnv, Tie } from '../../protocol.ts';
import { breakTie } from '../../tie-break.ts';
import { type Ballot, parseBallot } from './ballot.ts';
import {
  approvalCounts,
  type Approvals,
  approvalsOf,
  bestCommittees,
  committees,
  committeesMax,
  sequentialPhragmen,
  sharedApprovals,
} from './committee-tally.ts';
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
import type { OptionScore } from './vote-question.ts';
import { parseVoteSpec, type VoteSpec } from './vote-spec.ts';
import { closed } from './vote.ts';

/** What a committee is elected from. */
export interface CommitteeSpec extends VoteSpec {
  /** How many are elected: from 1 to the number of options. */
  readonly seats: number;
}

/** How the election of a committee ended. */
export interface CommitteeResult {
  readonly question: string;
  /** As many as there are seats, in the order of the options. Empty when nobody voted, or a tie is only reported. */
  readonly committee: readonly string[];
  /** Approvals, in the order of the options. */
  readonly tally: readonly OptionScore[];
  readonly weight: VoteWeights;
}

/** An election of several options by approval ballots. Its state is its spec. */
export type CommitteeVote = Protocol<CommitteeSpec, Ballot, CommitteeSpec, CommitteeResult>;

type CommitteeRule = 'av' | 'sav' | 'pav' | 'phragmen';

/** Who is elected, or among what there is a tie that is only reported. */
interface Elected {
  readonly committee?: readonly string[];
  readonly tie?: Tie | undefined;
}

/** Seats go to the most approved (AV): the best ones, of which a majority may take all. */
export const committeeAv: CommitteeVote = election('av');
/** As AV, but a ballot is one vote, shared by all it approves (satisfaction AV). */
export const committeeSav: CommitteeVote = election('sav');
/** Large groups get their share of the seats: the optimum of Thiele's proportional approval voting. */
export const committeePav: CommitteeVote = election('pav');
/** Large groups get their share of the seats, for any number of options: sequential Phragmén. */
export const committeePhragmen: CommitteeVote = election('phragmen');

function election(rule: CommitteeRule): CommitteeVote {
  return {
    name: `consensus.committee_${rule}`,
    version: '1.0.0',
    traits: {
      dominantStrategyTruthful: false,
      individuallyRational: rule === 'av',
      budget: 'n/a',
      sealed: true,
      toleratesSilent: (n) => n,
      toleratesByzantine: () => 0,
      maxRounds: () => 1,
      maxMessages: (n) => 3 * n,
    },
    parseSpec(value) {
      const spec = parseVoteSpec(value, { ballots: ['approval'], fields: ['seats'] });
      if (!spec.ok) return spec;
      const { options, seats = 1 } = spec.value;
      if (rule === 'pav' && committees(options.length, seats) > committeesMax) {
        return unparsed(
          `options: ${seats} of ${options.length} are more than ${committeesMax} committees to go through; consensus.committee_phragmen has no such limit`,
        );
      }
      return parsed({ ...spec.value, seats });
    },
    parseReply: (_type, body) => parseBallot(body, ['approval']),
    init(spec, roster) {
      weighingOf(spec, roster);
      const body = requestOf(spec, 'approval');
      return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_vote', body }] };
    },
    on(spec, { answers }, env) {
      const roster = answers.map(({ from }) => from);
      const count = countVotes(answers, slateOf(spec, 'approval'), weighingOf(spec, roster));
      return closed(spec, { roster, decision: elect(rule, { spec, count }, env) });
    },
    verify: (spec, claim) => verifyCommittee(rule, spec, claim),
  };
}

function elect(
  rule: CommitteeRule,
  { spec, count }: { readonly spec: CommitteeSpec; readonly count: Count },
  env: PureEnv,
): Decision<CommitteeResult> {
  const { question, options } = spec;
  const approvals = approvalsOf(count.profile);
  const tally = [...approvalCounts(approvals).entries()].map(([place, units]) => ({
    option: options[place] ?? '',
    score: Number(units) / count.scale,
  }));
  const counted = { question, tally, weight: weightsOf(count), committee: [] };
  if (tally.every(({ score }) => score === 0)) {
    return { status: 'no_deal', result: counted, reasons: reasonsOf(count, new Set(), new Set()) };
  }
  const { committee, tie } = seat(rule, { spec, approvals }, env);
  const elected = new Set((committee ?? []).map((option) => options.indexOf(option)));
  const reasons = reasonsOf(count, elected, new Set());
  const broken = tie === undefined ? {} : { tie };
  if (committee === undefined) return { status: 'tied', result: counted, ...broken, reasons };
  const inOrder = options.filter((option) => committee.includes(option));
  const result = { ...counted, committee: inOrder };
  return { status: 'decided', result, ...broken, reasons };
}

interface Election {
  readonly spec: CommitteeSpec;
  readonly approvals: Approvals;
}

function seat(rule: CommitteeRule, election_: Election, env: PureEnv): Elected {
  switch (rule) {
    case 'av':
      return seatHighest(approvalCounts(election_.approvals), election_.spec, env);
    case 'sav':
      return seatHighest(sharedApprovals(election_.approvals), election_.spec, env);
    case 'pav':
      return seatBest(election_, env);
    case 'phragmen':
      return seatInTurn(election_, env);
  }
}

/** The highest scores are elected; only at the last of them can there be a tie. */
function seatHighest(
  scores: readonly bigint[],
  { options, seats, question }: CommitteeSpec,
  env: PureEnv,
): Elected {
  const last =
    scores.toSorted((left, right) => Number(right > left) - Number(right < left))[seats - 1] ?? 0n;
  const committee = options.filter((_, place) => (scores[place] ?? 0n) > last);
  let equals = options.filter((_, place) => scores[place] === last);
  if (committee.length + equals.length === seats) return { committee: [...committee, ...equals] };
  let tie: Tie | undefined;
  while (committee.length < seats) {
    const broken = breakTie(equals, `seat ${committee.length + 1} of ${question}`, env);
    tie ??= broken.tie;
    const { first } = broken;
    if (first === undefined) return { tie };
    committee.push(first);
    equals = equals.filter((option) => option !== first);
  }
  return { committee, tie };
}

/** Whole committees are compared, so whole committees are equals: each stands in a tie as a list in JSON. */
function seatBest({ spec, approvals }: Election, env: PureEnv): Elected {
  const best = new Map(
    bestCommittees(approvals, spec.seats).map((places) => {
      const committee = places.map((place) => spec.options[place] ?? '');
      return [JSON.stringify(committee), committee];
    }),
  );
  const { first = '', tie } = breakTie([...best.keys()], `committee of ${spec.question}`, env);
  const committee = best.get(first);
  return committee === undefined ? { tie } : { committee, tie };
}

function seatInTurn({ spec, approvals }: Election, env: PureEnv): Elected {
  const { options, seats, question } = spec;
  const steps = sequentialPhragmen(approvals, seats);
  const committee: string[] = [];
  let tie: Tie | undefined;
  for (let step = steps.next(); step.done !== true;) {
    const equals = step.value.map((place) => options[place] ?? '');
    const broken = breakTie(equals, `seat ${committee.length + 1} of ${question}`, env);
    tie ??= broken.tie;
    if (broken.first === undefined) return { tie };
    committee.push(broken.first);
    step = steps.next(options.indexOf(broken.first));
  }
  return { committee, tie };
}

// oxlint-disable-next-line max-params -- by which rule, what was voted on, what came of it
function verifyCommittee(
  rule: CommitteeRule,
  spec: CommitteeSpec,
  { roster, status, result }: Claim<CommitteeResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { committee, tally, weight } = result;
  const { scale, total } = weighingOf(spec, roster);
  const isIn = ({ option }: OptionScore): boolean => committee.includes(option);
  const least = Math.min(...tally.filter(isIn).map(({ score }) => score));
  const claims: readonly (readonly [holds: boolean, problem: string])[] = [
    [Math.round(weight.roster * scale) === total, `the roster does not weigh ${weight.roster}`],
    [
      committee.length === (status === 'decided' ? spec.seats : 0) &&
        committee.every((option) => isOneOf(spec.options, option)),
      `${committee.length} are elected for ${spec.seats} seats, or what nobody could vote for`,
    ],
    [
      tally.every(({ score }) => score <= weight.cast),
      'an option has more approvals than there are votes',
    ],
    [
      rule !== 'av' || tally.every((each) => isIn(each) || each.score <= least),
      'somebody has more approvals than one who is elected',
    ],
  ];
  return claims.flatMap(([holds, problem]) => (holds ? [] : [problem]));
}
