import { type Amount, isAmount, parseAmount } from '../amount.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Answer } from '../protocol.ts';
import type { Question } from '../question.ts';
import { type AuctionSide, optionalAmount, parseSide, worthOf } from './auction-terms.ts';

/** Most units that one bidder can bid for. */
export const marginalsMax = 1_000;

/** Body of a request for marginals, and what a bidder is asked. */
export interface MarginalsQuestion {
  /** Name of what there are several units of. */
  readonly lot: string;
  /** `sell`: bid what each further unit is worth to you. `buy`: what each further unit costs you. */
  readonly side: AuctionSide;
  /** Units that are sold or bought in all. */
  readonly units: number;
  /** Least price of a unit when selling, greatest when buying. */
  readonly reserve?: Amount;
}

/** Body of the answer. */
export interface MarginalsReply {
  /** Of the first unit, the second, and so on: they never rise when selling, and never fall when buying. */
  readonly marginals: readonly Amount[];
}

/** What an agent has bid for each unit. */
export interface MarginalBid extends MarginalsReply {
  readonly agent: AgentId;
}

/** The type of request says in which direction marginals may go, so that a list of the other is refused. */
const requestTypes = { sell: 'get_marginal_values', buy: 'get_marginal_costs' } as const;

/** Ask a bidder what units are worth to it, or cost it, one by one. */
export const marginalsQuestions: Readonly<
  Record<AuctionSide, Question<MarginalsQuestion, readonly Amount[]>>
> = { sell: questionFor('sell'), buy: questionFor('buy') };

function questionFor(side: AuctionSide): Question<MarginalsQuestion, readonly Amount[]> {
  return {
    type: requestTypes[side],
    parse: parseQuestion,
    reply: (marginals) => readMarginals({ marginals }, side),
  };
}

/** Reads the body of an answer. Amounts may be decimal strings. */
export function parseMarginals(type: string, body: unknown): Parsed<MarginalsReply> {
  return readMarginals(body, type === requestTypes.buy ? 'buy' : 'sell');
}

/** The first units, as many as a budget pays for at these amounts. No pricing asks for more than was bid. */
export function affordable(marginals: readonly Amount[], budget: Amount): readonly Amount[] {
  let left = budget;
  const end = marginals.findIndex((amount) => (left -= amount) < 0n);
  return end === -1 ? marginals : marginals.slice(0, end);
}

/** What everybody has bid whose answer counted, in the order of the roster. */
export function marginalBids(answers: readonly Answer<MarginalsReply>[]): readonly MarginalBid[] {
  return answers.flatMap((answer) =>
    answer.kind === 'ok' ? [{ agent: answer.from, marginals: answer.body.marginals }] : [],
  );
}

function readMarginals(body: unknown, side: AuctionSide): Parsed<MarginalsReply> {
  if (!isRecord(body)) return unparsed(`body: expected { marginals }, got ${shown(body)}`);
  const extra = unknownField(body, ['marginals']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { marginals } = body;
  if (!Array.isArray(marginals) || marginals.length > marginalsMax) {
    return unparsed(
      `body.marginals: expected at most ${marginalsMax} amounts, got ${shown(marginals)}`,
    );
  }
  const worth = worthOf(side);
  const read: Amount[] = [];
  for (const [index, value] of marginals.entries()) {
    const amount: Parsed<Amount> = isAmount(value)
      ? parsed(value)
      : parseAmount(`body.marginals[${index}]`, value);
    if (!amount.ok) return amount;
    const before = read.at(-1);
    if (before !== undefined && worth(amount.value) > worth(before)) {
      return unparsed(
        `body.marginals[${index}]: ${amount.value} after ${before}: a further unit cannot be ${side === 'sell' ? 'worth more' : 'cheaper'}`,
      );
    }
    read.push(amount.value);
  }
  return parsed({ marginals: read });
}

function parseQuestion({ body }: CoordinationRequest): Parsed<MarginalsQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, side, units }, got ${shown(body)}`);
  const { lot, units } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  if (typeof units !== 'number') {
    return unparsed(`body.units: expected a whole number, got ${shown(units)}`);
  }
  const side = parseSide('body.side', body['side']);
  if (!side.ok) return side;
  const reserve = optionalAmount('body.reserve', body['reserve']);
  if (!reserve.ok) return reserve;
  const known = { lot, side: side.value, units };
  return parsed(reserve.value === undefined ? known : { ...known, reserve: reserve.value });
}
