import type { AgentId } from '../../message.ts';
import type { Answer, LossReason } from '../../protocol.ts';
import type { Ballot } from './ballot.ts';
import {
  favouritesOf,
  type Grades,
  gradesOf,
  type Profile,
  type Slate,
  type Vote,
} from './profile.ts';
import type { VoteRequest } from './vote-question.ts';
import type { Denominator, VoteSpec } from './vote-spec.ts';
import { weigh, type Weighing } from './weighing.ts';

/** Weight of the roster, of those who replied, and of the votes that were cast. */
export type VoteWeights = Readonly<Record<Denominator, number>>;

/** Votes that were read and weighed. */
export interface Count {
  readonly profile: Profile;
  /** In whole units, of which `scale` make one weight of the spec. */
  readonly units: VoteWeights;
  readonly scale: number;
  readonly ballots: readonly (Vote & { readonly from: AgentId })[];
  /** Whose ballots name what is not voted on. They replied, but have cast no vote. */
  readonly spoilt: readonly AgentId[];
}

/** Reads and weighs what was answered. Who is silent or declines abstains. */
export function countVotes(
  answers: readonly Answer<Ballot>[],
  slate: Slate,
  { weights, scale, total }: Weighing,
): Count {
  const ballots: (Vote & { readonly from: AgentId })[] = [];
  const spoilt: AgentId[] = [];
  const units = { roster: total, replies: 0, cast: 0 };
  for (const answer of answers) {
    if (answer.kind === 'silent') continue;
    const { from } = answer;
    const weight = weights.get(from) ?? 0;
    units.replies += weight;
    if (answer.kind === 'declined') continue;
    const grades = gradesOf(answer.body, slate);
    if (grades === undefined) {
      spoilt.push(from);
      continue;
    }
    units.cast += weight;
    ballots.push({ from, weight, grades });
  }
  return { profile: { size: slate.places.size, votes: ballots }, units, scale, ballots, spoilt };
}

/** What a spec makes of a roster. None: no weights keep its cap. */
export function weighingOf(spec: VoteSpec, roster: readonly AgentId[]): Weighing {
  const weighing = weigh(roster, spec);
  if (weighing !== undefined) return weighing;
  throw new Error(`no weights of these ${roster.length} members keep the cap of ${spec.cap}`);
}

/** On which ballots a spec is voted. */
export function slateOf({ options, scoreMax = 10 }: VoteSpec, kind: Slate['kind']): Slate {
  return { kind, places: new Map(options.map((option, place) => [option, place])), scoreMax };
}

/** What voters are asked. */
export function requestOf(spec: VoteSpec, ballot: Slate['kind']): VoteRequest {
  const { question, options, scoreMax = 10, seats } = spec;
  return {
    question,
    options,
    ballot,
    ...(ballot === 'score' ? { scoreMax } : {}),
    ...(seats === undefined ? {} : { seats }),
  };
}

/** Weights in those of the spec. */
export function weightsOf({ units, scale }: Count): VoteWeights {
  return {
    roster: units.roster / scale,
    replies: units.replies / scale,
    cast: units.cast / scale,
  };
}

/**
 * `won`: put what was elected first; `tie_lost`: something that was as good; `outbid`: neither; `invalid`: spoilt its
 * ballot.
 */
export function reasonsOf(
  { ballots, spoilt }: Count,
  elected: ReadonlySet<number>,
  equals: ReadonlySet<number>,
): Readonly<Record<AgentId, LossReason>> {
  const reasonOf = (grades: Grades): LossReason => {
    const favourites = favouritesOf(grades);
    if (favourites.some((option) => elected.has(option))) return 'won';
    return favourites.some((option) => equals.has(option)) ? 'tie_lost' : 'outbid';
  };
  return Object.fromEntries([
    ...ballots.map(({ from, grades }) => [from, reasonOf(grades)] as const),
    ...spoilt.map((from) => [from, 'invalid'] as const),
  ]);
}
