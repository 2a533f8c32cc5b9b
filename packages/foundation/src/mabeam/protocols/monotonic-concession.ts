import { isDeepStrictEqual } from 'node:util';

import type { AgentId } from '../message.ts';
import { reasonOf } from '../outcome.ts';
import type {
  Answer,
  Decision,
  Effect,
  LossReason,
  Protocol,
  PureEnv,
  Step,
  Tie,
} from '../protocol.ts';
import { breakTie } from '../tie-break.ts';
import type { StandingOffer } from './alternating-offers-questions.ts';
import {
  type ConcessionMove,
  type ConcessionQuestion,
  parseConcessionMove,
} from './monotonic-concession-questions.ts';
import {
  type ConcededOffer,
  type ConcessionFailure,
  concessionProblems,
  concessionRoundsMax,
  isConcession,
  type MonotonicConcessionResult,
  type MonotonicConcessionSpec,
  parseConcessionSpec,
} from './monotonic-concession-terms.ts';
import { offerOn } from './negotiation-issues.ts';

interface Bargaining {
  readonly spec: MonotonicConcessionSpec;
  readonly roster: readonly AgentId[];
  readonly round: number;
  readonly table: readonly StandingOffer[];
  readonly offers: readonly ConcededOffer[];
}

type BargainingStep = Step<Bargaining, MonotonicConcessionResult>;
type Faults = ReadonlyMap<AgentId, ConcessionFailure>;
type Ending = Pick<MonotonicConcessionResult, 'agreement' | 'breakdown'>;

/**
 * All offer at the same time, and in each further round each concedes, accepts or stands firm. An offer that all the others
 * find at least as good as their own is the agreement; a round in which nobody moves is a conflict (monotonic concession
 * protocol: Rosenschein and Zlotkin 1994; among more than two: Endriss 2006). What was conceded is not taken back.
 */
export const monotonicConcession: Protocol<
  MonotonicConcessionSpec,
  ConcessionMove,
  Bargaining,
  MonotonicConcessionResult
> = {
  name: 'negotiation.monotonic_concession',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: () => 0,
    toleratesByzantine: () => 0,
    maxRounds: () => concessionRoundsMax,
    maxMessages: (n) => (2 * concessionRoundsMax + 1) * n,
  },
  parseSpec: parseConcessionSpec,
  parseReply: (_type, body) => parseConcessionMove(body),
  init: (spec, roster) => ask({ spec, roster, round: 1, table: [], offers: [] }),
  on(bargaining, { answers }, env) {
    const faults = faultsOf(bargaining, answers);
    if (faults.size > 0) return breakOff(bargaining, faults);
    const accepted = withAcceptances(bargaining, answers);
    const agreed = agreementOf(accepted, env);
    if (agreed !== undefined) return conclude(accepted, agreed);
    const next = withOffers(accepted, answers);
    const { round } = next;
    const told = offersSeen(next);
    if (isDeepStrictEqual(next.table, bargaining.table) || next.roster.length < 2) {
      return conclude(next, { end: { breakdown: { round, cause: 'conflict', by: [] } }, told });
    }
    return round < (next.spec.rounds ?? 100)
      ? ask({ ...next, round: round + 1 }, told)
      : conclude(next, { end: { breakdown: { round, cause: 'rounds', by: [] } }, told });
  },
  verify: concessionProblems,
};

function ask(bargaining: Bargaining, told: readonly Effect<never>[] = []): BargainingStep {
  const { spec, roster, round, table } = bargaining;
  const { subject, issues, rounds = 100, roundMs: budgetMs = 1_000 } = spec;
  const body: ConcessionQuestion = { subject, issues, round, rounds, table };
  return {
    state: bargaining,
    effects: [...told, { kind: 'ask', to: roster, type: 'concede', body, budgetMs }],
  };
}

/** Who cannot or does not go on. */
function faultsOf(bargaining: Bargaining, answers: readonly Answer<ConcessionMove>[]): Faults {
  return new Map(
    answers.flatMap((answer) => {
      const cause = causeOf(bargaining, answer);
      return cause === undefined ? [] : [[answer.from, cause] as const];
    }),
  );
}

/** Of several causes it names that of the first in the roster. */
function breakOff(bargaining: Bargaining, faults: Faults): BargainingStep {
  const [[, cause] = [undefined, 'ended' as const]] = faults;
  const by = [...faults.keys()].filter((id) => faults.get(id) === cause);
  return conclude(bargaining, {
    end: { breakdown: { round: bargaining.round, cause, by } },
    faults,
  });
}

function causeOf(
  { spec, offers, table }: Bargaining,
  answer: Answer<ConcessionMove>,
): ConcessionFailure | undefined {
  if (answer.kind === 'silent') return answer.cause;
  if (answer.kind === 'declined') return 'ended';
  const { from, body } = answer;
  switch (body.act) {
    case 'end':
      return 'ended';
    case 'stand':
      return undefined;
    case 'accept':
      return body.of.every((by) => by !== from && table.some((each) => each.by === by))
        ? undefined
        : 'impossible';
    case 'offer': {
      const own = offers.filter(({ by }) => by === from).map(({ offer }) => offer);
      return isConcession(spec.issues, own, body.offer) ? undefined : 'impossible';
    }
  }
}

function withAcceptances(
  bargaining: Bargaining,
  answers: readonly Answer<ConcessionMove>[],
): Bargaining {
  const accepts = new Map(
    answers.flatMap((answer) =>
      answer.kind === 'ok' && answer.body.act === 'accept'
        ? [[answer.from, new Set(answer.body.of)] as const]
        : [],
    ),
  );
  const table = bargaining.table.map((each) => ({
    ...each,
    acceptedBy: bargaining.roster.filter(
      (id) => each.acceptedBy.includes(id) || accepts.get(id)?.has(each.by) === true,
    ),
  }));
  return { ...bargaining, table };
}

/** What all the others have accepted; of several, one by the tie rule. */
function agreementOf(
  { table, roster, offers, spec }: Bargaining,
  env: PureEnv,
): { readonly end: Ending; readonly tie?: Tie } | undefined {
  const agreed = table.filter(({ acceptedBy }) => acceptedBy.length === roster.length - 1);
  if (agreed.length === 0) return undefined;
  const drawn = breakTie(
    agreed.map(({ by }) => by),
    `agreement on ${spec.subject}`,
    env,
  );
  const agreement = offers.findLast(({ by }) => by === drawn.first);
  const tie = drawn.tie === undefined ? {} : { tie: drawn.tie };
  return { end: agreement === undefined ? {} : { agreement }, ...tie };
}

/** Whoever concedes takes its last offer from the table, and who has accepted that is free again. */
function withOffers(
  bargaining: Bargaining,
  answers: readonly Answer<ConcessionMove>[],
): Bargaining {
  const { round, roster, spec } = bargaining;
  const made = answers.flatMap((answer): ConcededOffer[] => {
    if (answer.kind !== 'ok' || answer.body.act !== 'offer') return [];
    const offer = offerOn(spec.issues, answer.body.offer);
    return offer === undefined ? [] : [{ round, by: answer.from, offer }];
  });
  const byAgent = new Map(bargaining.table.map((each) => [each.by, each]));
  for (const { by, offer } of made) byAgent.set(by, { by, offer, acceptedBy: [] });
  const table = roster.flatMap((id) => byAgent.get(id) ?? []);
  return { ...bargaining, table, offers: [...bargaining.offers, ...made] };
}

function offersSeen({ offers, round }: Bargaining): readonly Effect<never>[] {
  return offers
    .filter((each) => each.round === round)
    .map(({ by, offer }) => ({ kind: 'emit', name: 'offer', facts: { round, by, ...offer } }));
}

function conclude(
  bargaining: Bargaining,
  how: {
    readonly end: Ending;
    readonly tie?: Tie;
    readonly faults?: Faults;
    readonly told?: readonly Effect<never>[];
  },
): BargainingStep {
  const { spec, roster, round, offers } = bargaining;
  const { end, tie, faults, told = [] } = how;
  const { subject } = spec;
  const { agreement, breakdown } = end;
  const isOpen = agreement === undefined && breakdown === undefined;
  const failed = isOpen ? ('tied' as const) : ('no_deal' as const);
  const decision: Decision<MonotonicConcessionResult> = {
    status: agreement === undefined ? failed : 'decided',
    result: { subject, ...end, offers, rounds: round },
    ...(tie === undefined ? {} : { tie }),
    reasons: Object.fromEntries(roster.map((id) => [id, reasonFor(end, id, faults?.get(id))])),
  };
  const type = agreement === undefined ? 'breakdown' : 'agreement';
  const body = { subject, ...(agreement ?? breakdown ?? { round, cause: 'tied' }) };
  const effects: Effect<MonotonicConcessionResult>[] = [
    ...told,
    { kind: 'tell', to: roster, type, body },
    { kind: 'finish', decision },
  ];
  return { state: bargaining, effects };
}

/** `not_eligible`: it has negotiated in vain. */
// oxlint-disable-next-line max-params -- how it ended, for whom, who did what
function reasonFor(
  { agreement, breakdown }: Ending,
  id: AgentId,
  fault: ConcessionFailure | undefined,
): LossReason {
  if (agreement !== undefined) return 'won';
  if (breakdown === undefined) return 'tie_lost';
  if (fault === undefined || fault === 'conflict' || fault === 'rounds') return 'not_eligible';
  if (fault === 'ended') return 'declined';
  if (fault === 'impossible') return 'invalid';
  return reasonOf({ kind: 'silent', from: id, cause: fault }) ?? 'silent';
}
