import { isDeepStrictEqual } from 'node:util';

import { parseFields, parseMs, parseText, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { reasonOf } from '../outcome.ts';
import { type Parsed } from '../parse.ts';
import type {
  Answer,
  Claim,
  Decision,
  Effect,
  LossReason,
  Protocol,
  SilenceCause,
  Step,
} from '../protocol.ts';
import {
  type NegotiationMove,
  type OfferQuestion,
  parseMove,
  type StandingOffer,
} from './alternating-offers-questions.ts';
import { type Issues, type Offer, offerOn, parseIssues } from './negotiation-issues.ts';

/** Most turns of one negotiation. */
export const turnsMax = 10_000;

/** What is negotiated. */
export interface AlternatingOffersSpec {
  /** Name of what is negotiated, up to 256 characters. */
  readonly subject: string;
  readonly issues: Issues;
  /** Turns in all, 1 to {@link turnsMax}: the deadline of the negotiation. @defaultValue 100 */
  readonly turns?: number;
  /** Milliseconds for each turn. @defaultValue 1000 */
  readonly turnMs?: number;
}

/** An offer that was made. */
export interface MadeOffer {
  readonly turn: number;
  readonly by: AgentId;
  readonly offer: Offer;
}

/**
 * Why there is no agreement. `turns`: they are used up. `ended`: somebody ended it, or declined. `impossible`: somebody
 * offered what is none of the issues' values, or accepted where nothing was offered. Otherwise it was out of touch.
 */
export type BreakdownCause = 'turns' | 'ended' | 'impossible' | SilenceCause;

export interface Breakdown {
  readonly turn: number;
  readonly cause: BreakdownCause;
  /** Whose turn it was; absent where the turns are used up. */
  readonly by?: AgentId;
  /** In its own words. */
  readonly reason?: string;
}

/** How a negotiation ended: with an agreement or a breakdown. */
export interface NegotiationResult {
  readonly subject: string;
  /** The offer that all the others have accepted. */
  readonly agreement?: MadeOffer;
  readonly breakdown?: Breakdown;
  /** Every offer, in the order in which they were made. */
  readonly offers: readonly MadeOffer[];
  /** How many turns were taken. */
  readonly turns: number;
}

/** Body of an `agreement` notice. */
export interface AgreementNotice extends MadeOffer {
  readonly subject: string;
}

/** Body of a `breakdown` notice. */
export interface BreakdownNotice extends Breakdown {
  readonly subject: string;
}

interface Talks {
  readonly spec: AlternatingOffersSpec & { readonly turns: number };
  readonly roster: readonly AgentId[];
  /** Whose answer is awaited, from 1. */
  readonly turn: number;
  readonly offers: readonly MadeOffer[];
  readonly acceptedBy: readonly AgentId[];
}

type TalksStep = Step<Talks, NegotiationResult>;

/**
 * Negotiates by turns, in the order of the roster: who has its turn accepts the offer that stands, makes another one, or
 * ends it. An offer that all the others have accepted is the agreement (Rubinstein 1982; with more than two the stacked
 * alternating offers protocol: Aydoğan, Festen, Hindriks and Jonker 2017). Silence ends it.
 */
export const alternatingOffers: Protocol<
  AlternatingOffersSpec,
  NegotiationMove,
  Talks,
  NegotiationResult
> = {
  name: 'negotiation.alternating_offers',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: () => 0,
    toleratesByzantine: () => 0,
    maxRounds: () => turnsMax,
    maxMessages: (n) => 2 * turnsMax + n,
  },
  parseSpec,
  parseReply: (_type, body) => parseMove(body),
  init(spec, roster) {
    const { turns = 100 } = spec;
    const talks = { spec: { ...spec, turns }, roster, turn: 1, offers: [], acceptedBy: [] };
    return roster.length < 2 ? breakDown(talks, { cause: 'impossible' }) : ask(talks);
  },
  on(talks, { answers }) {
    const [answer] = answers;
    return answer === undefined ? breakDown(talks, { cause: 'timeout' }) : take(talks, answer);
  },
  verify: problemsOf,
};

function ask(talks: Talks, ...told: Effect<never>[]): TalksStep {
  const { spec, roster, turn, offers, acceptedBy } = talks;
  const { subject, issues, turns, turnMs: budgetMs = 1_000 } = spec;
  const last = offers.at(-1);
  const standing: StandingOffer | undefined = last && {
    by: last.by,
    offer: last.offer,
    acceptedBy,
  };
  const question: OfferQuestion = { subject, issues, turn, turns };
  const body = standing === undefined ? question : { ...question, standing };
  const to = [turnOf(roster, turn)];
  return { state: talks, effects: [...told, { kind: 'ask', to, type: 'offer', body, budgetMs }] };
}

function turnOf(roster: readonly AgentId[], turn: number): AgentId {
  return roster[(turn - 1) % roster.length] ?? '';
}

function take(talks: Talks, answer: Answer<NegotiationMove>): TalksStep {
  const { from: by } = answer;
  if (answer.kind === 'silent') return breakDown(talks, { by, cause: answer.cause });
  if (answer.kind === 'declined') {
    return breakDown(talks, {
      by,
      cause: 'ended',
      ...(answer.reason && { reason: answer.reason }),
    });
  }
  const move = answer.body;
  switch (move.act) {
    case 'accept':
      return accept(talks, by);
    case 'offer':
      return offer(talks, by, move.offer);
    case 'end':
      return breakDown(talks, { by, cause: 'ended', ...(move.reason && { reason: move.reason }) });
  }
}

function accept(talks: Talks, by: AgentId): TalksStep {
  const standing = talks.offers.at(-1);
  if (standing === undefined) return breakDown(talks, { by, cause: 'impossible' });
  const acceptedBy = [...talks.acceptedBy, by];
  return acceptedBy.length === talks.roster.length - 1
    ? conclude({ ...talks, acceptedBy }, { agreement: standing })
    : nextTurn({ ...talks, acceptedBy });
}

// oxlint-disable-next-line max-params -- in which talks, who, what
function offer(talks: Talks, by: AgentId, given: Offer): TalksStep {
  const made = offerOn(talks.spec.issues, given);
  if (made === undefined) return breakDown(talks, { by, cause: 'impossible' });
  const { turn } = talks;
  const facts = { turn, by, ...made };
  const offers = [...talks.offers, { turn, by, offer: made }];
  return nextTurn({ ...talks, offers, acceptedBy: [] }, { kind: 'emit', name: 'offer', facts });
}

function nextTurn(talks: Talks, ...told: Effect<never>[]): TalksStep {
  const { turn, spec } = talks;
  return turn < spec.turns
    ? ask({ ...talks, turn: turn + 1 }, ...told)
    : breakDown(talks, { cause: 'turns' }, told);
}

// oxlint-disable-next-line max-params -- which talks, why, after having said what
function breakDown(
  talks: Talks,
  why: Omit<Breakdown, 'turn'>,
  told: readonly Effect<never>[] = [],
): TalksStep {
  return conclude(talks, { breakdown: { turn: talks.turn, ...why } }, told);
}

// oxlint-disable-next-line max-params -- which talks, how, after having said what
function conclude(
  talks: Talks,
  end: Pick<NegotiationResult, 'agreement' | 'breakdown'>,
  told: readonly Effect<never>[] = [],
): TalksStep {
  const { roster, turn, offers } = talks;
  const { subject } = talks.spec;
  const { agreement, breakdown } = end;
  const body = { subject, ...(agreement ?? breakdown) };
  const type = agreement === undefined ? 'breakdown' : 'agreement';
  const decision: Decision<NegotiationResult> = {
    status: agreement === undefined ? 'no_deal' : 'decided',
    result: { subject, ...end, offers, turns: roster.length < 2 ? 0 : turn },
    reasons: Object.fromEntries(roster.map((id) => [id, reasonFor(id, breakdown)])),
  };
  const effects: Effect<NegotiationResult>[] = [
    ...told,
    { kind: 'tell', to: roster, type, body },
    { kind: 'finish', decision },
  ];
  return { state: talks, effects };
}

/** `not_eligible`: it has negotiated in vain. */
function reasonFor(id: AgentId, breakdown: Breakdown | undefined): LossReason {
  if (breakdown === undefined) return 'won';
  const { by, cause } = breakdown;
  if (id !== by) return 'not_eligible';
  if (cause === 'turns') return 'not_eligible';
  if (cause === 'ended') return 'declined';
  if (cause === 'impossible') return 'invalid';
  return reasonOf({ kind: 'silent', from: id, cause }) ?? 'silent';
}

/** That it ended in one way, offers were possible and made in turn, and the agreement is the last of them. */
function problemsOf(
  { issues, turns: turnsAtMost = 100 }: AlternatingOffersSpec,
  { status, result, roster }: Claim<NegotiationResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { agreement, breakdown, offers, turns } = result;
  const problems: string[] = [];
  if ((agreement === undefined) === (breakdown === undefined)) {
    problems.push('it has to end with an agreement or with a breakdown');
  }
  if ((status === 'decided') !== (agreement !== undefined)) {
    problems.push(`\`${status}\` is not how it ended`);
  }
  for (const { turn, by, offer: made } of offers) {
    if (by !== turnOf(roster, turn)) problems.push(`turn ${turn} was not that of ${by}`);
    if (offerOn(issues, made) === undefined)
      problems.push(`the offer of turn ${turn} is impossible`);
  }
  if (turns > turnsAtMost || offers.some(({ turn }) => turn > turns)) {
    problems.push(`there were not ${turns} turns`);
  }
  if (agreement !== undefined && !isDeepStrictEqual(agreement, offers.at(-1))) {
    problems.push('the agreement is not the last offer');
  }
  if (agreement !== undefined && turns !== agreement.turn + roster.length - 1) {
    problems.push('not all the others have accepted it');
  }
  return problems;
}

function parseSpec(spec: unknown): Parsed<AlternatingOffersSpec> {
  return parseFields(
    spec,
    '{ subject, issues }',
    ({ subject, issues, turns = 100, turnMs = 1_000 }) => ({
      subject: parseText('subject', subject),
      issues: parseIssues('issues', issues),
      turns: parseWhole('turns', turns, { max: turnsMax }),
      turnMs: parseMs('turnMs', turnMs),
    }),
  );
}
