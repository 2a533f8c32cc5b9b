import type { AgentId, CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import type { StandingOffer } from './alternating-offers-questions.ts';
import { type Issues, type Offer, parseIssues, parseOffer } from './negotiation-issues.ts';
import { isWhole } from './voting/vote-spec.ts';

/** Body of a `concede` request, and what each negotiator is asked in each round. */
export interface ConcessionQuestion {
  /** Name of what is negotiated. */
  readonly subject: string;
  readonly issues: Issues;
  /** Counts from 1. */
  readonly round: number;
  /** After so many there is no agreement. */
  readonly rounds: number;
  /** What stands: at most one offer of each, the own one included. Empty in the first round. */
  readonly table: readonly StandingOffer[];
}

/**
 * What a negotiator does in a round; body of the answer, too. `offer`: offers something for the first time, or
 * concedes. `accept`: these offers are at least as good for it as its own. `stand`: neither. To decline is to end it.
 */
export type ConcessionMove =
  | { readonly act: 'offer'; readonly offer: Offer }
  | { readonly act: 'accept'; readonly of: readonly AgentId[] }
  | { readonly act: 'stand' }
  | { readonly act: 'end'; readonly reason?: string };

/** Asks a negotiator whether it accepts, concedes or stands firm. */
export const concedeQuestion: Question<ConcessionQuestion, ConcessionMove> = {
  type: 'concede',
  parse: parseQuestion,
  reply: parseConcessionMove,
};

export function parseConcessionMove(body: unknown): Parsed<ConcessionMove> {
  if (!isRecord(body)) return unparsed(`body: expected { act }, got ${shown(body)}`);
  const { act, offer, of, reason } = body;
  if (!isOneOf(['offer', 'accept', 'stand', 'end'], act)) {
    return unparsed(`body.act: expected offer, accept, stand or end, got ${shown(act)}`);
  }
  const allowed = { offer: 'offer', accept: 'of', stand: 'act', end: 'reason' }[act];
  const extra = unknownField(body, ['act', allowed]);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)} of ${act}`);
  switch (act) {
    case 'offer': {
      const read = parseOffer('body.offer', offer);
      return read.ok ? parsed({ act, offer: read.value }) : read;
    }
    case 'accept':
      return Array.isArray(of) && of.length > 0 && of.every(isId)
        ? parsed({ act, of })
        : unparsed(`body.of: expected whose offers, got ${shown(of)}`);
    case 'stand':
      return parsed({ act });
    case 'end':
      if (reason === undefined) return parsed({ act });
      return typeof reason === 'string' && reason.length <= 1_024
        ? parsed({ act, reason })
        : unparsed(`body.reason: expected a text of at most 1024, got ${shown(reason)}`);
  }
}

function isId(value: unknown): value is AgentId {
  return typeof value === 'string' && value.length <= 256;
}

function parseQuestion({ body }: CoordinationRequest): Parsed<ConcessionQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { subject, … }, got ${shown(body)}`);
  const { subject, round, rounds, table } = body;
  if (typeof subject !== 'string') {
    return unparsed(`body.subject: expected a text, got ${shown(subject)}`);
  }
  if (!isWhole(round, 1, Number.MAX_SAFE_INTEGER) || !isWhole(rounds, 1, Number.MAX_SAFE_INTEGER)) {
    return unparsed(`body.round: expected one of some rounds, got ${shown(round)}`);
  }
  const issues = parseIssues('body.issues', body['issues']);
  if (!issues.ok) return issues;
  if (!Array.isArray(table)) return unparsed(`body.table: expected offers, got ${shown(table)}`);
  const standing: StandingOffer[] = [];
  for (const each of table) {
    const { by, acceptedBy } = isRecord(each) ? each : {};
    const offer = parseOffer('body.table', Object(each).offer);
    if (!offer.ok) return offer;
    if (!isId(by) || !Array.isArray(acceptedBy) || !acceptedBy.every(isId)) {
      return unparsed(`body.table: expected whose offer it is, got ${shown(by)}`);
    }
    standing.push({ by, offer: offer.value, acceptedBy });
  }
  return parsed({ subject, issues: issues.value, round, rounds, table: standing });
}
