import type { AgentId, CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { type Issues, type Offer, parseIssues, parseOffer } from './negotiation-issues.ts';
import { isWhole } from './voting/vote-spec.ts';

/** The offer that is to be accepted or not. */
export interface StandingOffer {
  readonly by: AgentId;
  readonly offer: Offer;
  /** Who has accepted it so far, besides who made it. */
  readonly acceptedBy: readonly AgentId[];
}

/** Body of an `offer` request, and what a negotiator is asked at its turn. */
export interface OfferQuestion {
  /** Name of what is negotiated. */
  readonly subject: string;
  readonly issues: Issues;
  /** Counts from 1, over all who negotiate. */
  readonly turn: number;
  /** After so many there is no agreement. */
  readonly turns: number;
  /** Absent at the first turn. */
  readonly standing?: StandingOffer;
}

/** What a negotiator does at its turn; body of the answer, too. To decline is to end it. */
export type NegotiationMove =
  | { readonly act: 'accept' }
  | { readonly act: 'offer'; readonly offer: Offer }
  | { readonly act: 'end'; readonly reason?: string };

/** Asks a negotiator whether it accepts, or what else it offers. */
export const offerQuestion: Question<OfferQuestion, NegotiationMove> = {
  type: 'offer',
  parse: parseQuestion,
  reply: parseMove,
};

export function parseMove(body: unknown): Parsed<NegotiationMove> {
  if (!isRecord(body)) return unparsed(`body: expected { act }, got ${shown(body)}`);
  const { act, offer, reason } = body;
  if (!isOneOf(['accept', 'offer', 'end'], act)) {
    return unparsed(`body.act: expected accept, offer or end, got ${shown(act)}`);
  }
  const allowed = { accept: 'act', offer: 'offer', end: 'reason' }[act];
  const extra = unknownField(body, ['act', allowed]);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)} of ${act}`);
  if (act === 'accept') return parsed({ act });
  if (act === 'offer') {
    const read = parseOffer('body.offer', offer);
    return read.ok ? parsed({ act, offer: read.value }) : read;
  }
  if (reason === undefined) return parsed({ act });
  return typeof reason === 'string' && reason.length <= 1_024
    ? parsed({ act, reason })
    : unparsed(`body.reason: expected a text of at most 1024, got ${shown(reason)}`);
}

function parseQuestion({ body }: CoordinationRequest): Parsed<OfferQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { subject, … }, got ${shown(body)}`);
  const { subject, turn, turns, standing } = body;
  if (typeof subject !== 'string') {
    return unparsed(`body.subject: expected a text, got ${shown(subject)}`);
  }
  if (!isWhole(turn, 1, Number.MAX_SAFE_INTEGER) || !isWhole(turns, 1, Number.MAX_SAFE_INTEGER)) {
    return unparsed(`body.turn: expected one of some turns, got ${shown(turn)}`);
  }
  const issues = parseIssues('body.issues', body['issues']);
  if (!issues.ok) return issues;
  const asked = { subject, issues: issues.value, turn, turns };
  if (standing === undefined) return parsed(asked);
  const { by, acceptedBy } = isRecord(standing) ? standing : {};
  const offer = parseOffer('body.standing.offer', Object(standing).offer);
  if (!offer.ok) return offer;
  if (typeof by !== 'string' || !Array.isArray(acceptedBy)) {
    return unparsed(`body.standing: expected whose it is, got ${shown(by)}`);
  }
  const known = { by, offer: offer.value, acceptedBy: acceptedBy.map(String) };
  return parsed({ ...asked, standing: known });
}
