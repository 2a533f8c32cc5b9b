import type { Amount } from './amount.ts';
import type { AgentId } from './message.ts';
import type { ParticipantHandlers } from './participant.ts';
import type { NegotiationMove, OfferQuestion } from './protocols/alternating-offers-questions.ts';
import type {
  ConcessionMove,
  ConcessionQuestion,
} from './protocols/monotonic-concession-questions.ts';
import { type Issues, isRange, type Offer } from './protocols/negotiation-issues.ts';

/** How far somebody goes: from what it would like to what it can just accept. */
export interface Concession {
  readonly from: Amount;
  readonly to: Amount;
}

/**
 * A negotiator on one amount, who moves evenly from what it would like to the last it can accept as time goes by, and accepts
 * whatever is at least as good as its own next offer (time-dependent tactics: Faratin, Sierra and Jennings 1998). It takes
 * turns, and concedes in rounds.
 */
export function conceder<C>(how: Concession | ((ctx: C) => Concession)): ParticipantHandlers<C> {
  const limits = (ctx: C): Concession => (typeof how === 'function' ? how(ctx) : how);
  return {
    offer: (ctx, question) => moveAtTurn(question, limits(ctx)),
    concede: (ctx, question, { to: self }) => moveInRound(question, self, limits(ctx)),
  };
}

const notOneAmount = { act: 'end', reason: 'negotiates on one amount' } as const;

/** What such a negotiator does at its turn. It ends what is not about one amount. */
export function moveAtTurn(
  { issues, turn, turns, standing }: OfferQuestion,
  limits: Concession,
): NegotiationMove {
  const name = amountIn(issues);
  if (name === undefined) return notOneAmount;
  const { from, to } = limits;
  const own = from + ((to - from) * BigInt(turn - 1)) / BigInt(Math.max(turns - 1, 1));
  if (isGood(standing?.offer[name], own, limits)) return { act: 'accept' };
  return { act: 'offer', offer: offered(issues, name, own) };
}

/** What it does in a round: it goes on by the same step each time, at least by one, so that it never stands too soon. */
// oxlint-disable-next-line max-params -- what it is asked, who it is, how far it goes
export function moveInRound(
  { issues, round, rounds, table }: ConcessionQuestion,
  self: AgentId,
  limits: Concession,
): ConcessionMove {
  const name = amountIn(issues);
  if (name === undefined) return notOneAmount;
  const own = valueIn(round, rounds, limits);
  // What it has accepted before stays accepted: it goes on meanwhile.
  const good = table.filter(
    ({ by, offer, acceptedBy }) =>
      by !== self && !acceptedBy.includes(self) && isGood(offer[name], own, limits),
  );
  if (good.length > 0) return { act: 'accept', of: good.map(({ by }) => by) };
  const offer = offered(issues, name, own);
  const last = table.find(({ by }) => by === self)?.offer;
  return last?.[name] === offer[name] ? { act: 'stand' } : { act: 'offer', offer };
}

// oxlint-disable-next-line max-params -- when, out of how many, how far
function valueIn(round: number, rounds: number, { from, to }: Concession): Amount {
  const width = from > to ? from - to : to - from;
  const steps = BigInt(Math.max(rounds - 1, 1));
  const gone = ((width + steps - 1n) / steps) * BigInt(round - 1);
  if (gone >= width) return to;
  return from > to ? from - gone : from + gone;
}

/** The name of the one issue, if it is an amount. */
function amountIn(issues: Issues): string | undefined {
  const [[name, issue] = ['', undefined], ...others] = Object.entries(issues);
  return issue !== undefined && isRange(issue) && others.length === 0 ? name : undefined;
}

/** Whether what another offers is at least as good as an own amount. */
// oxlint-disable-next-line max-params -- what, than what, for whom
function isGood(
  theirs: string | Amount | undefined,
  own: Amount,
  { from, to }: Concession,
): boolean {
  if (typeof theirs !== 'bigint') return false;
  if (from === to) return theirs === own;
  return from > to ? theirs >= own : theirs <= own;
}

/** The amount, or the nearest that is possible. */
// oxlint-disable-next-line max-params -- about what, which of it, how much
function offered(issues: Issues, name: string, own: Amount): Offer {
  const issue = issues[name];
  if (issue === undefined || !isRange(issue)) return {};
  const atLeast = own < issue.from ? issue.from : own;
  return { [name]: atLeast > issue.to ? issue.to : atLeast };
}
