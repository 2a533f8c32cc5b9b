import type { Amount } from './amount.ts';
import type { ParticipantHandlers } from './participant.ts';
import type { NegotiationMove, OfferQuestion } from './protocols/alternating-offers-questions.ts';
import { isRange } from './protocols/negotiation-issues.ts';

/** How far somebody goes: from what it would like to what it can just accept. */
export interface Concession {
  readonly from: Amount;
  readonly to: Amount;
}

/**
 * A negotiator on one amount, who moves evenly from what it would like to the last it can accept as turns go by, and accepts
 * whatever is at least as good as its own next offer (time-dependent tactics: Faratin, Sierra and Jennings 1998).
 */
export function conceder<C>(how: Concession | ((ctx: C) => Concession)): ParticipantHandlers<C> {
  return {
    offer: (ctx, question) => concede(question, typeof how === 'function' ? how(ctx) : how),
  };
}

/** What such a negotiator does at its turn. It ends what is not about one amount. */
export function concede(
  { issues, turn, turns, standing }: OfferQuestion,
  { from, to }: Concession,
): NegotiationMove {
  const [[name, issue] = [''], ...others] = Object.entries(issues);
  if (issue === undefined || !isRange(issue) || others.length > 0) {
    return { act: 'end', reason: 'negotiates on one amount' };
  }
  const own = from + ((to - from) * BigInt(turn - 1)) / BigInt(Math.max(turns - 1, 1));
  const theirs = standing?.offer[name];
  const isGood =
    typeof theirs === 'bigint' &&
    (from > to ? theirs >= own : from < to ? theirs <= own : theirs === own);
  if (isGood) return { act: 'accept' };
  const [least, most] = [issue.from, issue.to];
  return { act: 'offer', offer: { [name]: own < least ? least : own > most ? most : own } };
}
