import { type Amount, isAmount, parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { type AuctionSide, isLimit, type Limit, parseSide } from './auction-terms.ts';

/** Body of a `stay` and of an `accept` request. */
export interface PriceRequest {
  readonly lot: string;
  readonly side: AuctionSide;
  /** What the winner would pay (`buy`: be paid) now. */
  readonly price: Amount;
}

/** What a bidder is asked when an auctioneer calls a price. */
export interface PriceQuestion extends PriceRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** Body of an answer to `stay`. A limit stays while the price is within it. */
export type StayReply = { readonly stay: boolean } | Limit;

/** Body of an answer to `accept`. A limit accepts as soon as the price is within it. */
export type AcceptReply = { readonly accept: boolean } | Limit;

/** Asks a bidder of a clock whether it stays at a price. */
export const stayQuestion: Question<PriceQuestion, boolean | Limit> = {
  type: 'stay',
  parse: parsePrice,
  reply: (answer) => replyOf('stay', answer),
};

/** Asks a bidder of a Dutch auction whether it accepts a price. */
export const acceptQuestion: Question<PriceQuestion, boolean | Limit> = {
  type: 'accept',
  parse: parsePrice,
  reply: (answer) => replyOf('accept', answer),
};

export function parseStay(body: unknown): Parsed<StayReply> {
  const answer = parseAnswer('stay', body);
  if (!answer.ok) return answer;
  return parsed(typeof answer.value === 'boolean' ? { stay: answer.value } : answer.value);
}

export function parseAccept(body: unknown): Parsed<AcceptReply> {
  const answer = parseAnswer('accept', body);
  if (!answer.ok) return answer;
  return parsed(typeof answer.value === 'boolean' ? { accept: answer.value } : answer.value);
}

function replyOf(field: string, answer: unknown): Parsed<unknown> {
  if (typeof answer === 'boolean') return parsed({ [field]: answer });
  return isLimit(answer) && isAmount(answer.limit)
    ? parsed({ limit: answer.limit })
    : unparsed(`the answer was ${shown(answer)}, neither yes or no nor a limit`);
}

function parseAnswer(field: string, body: unknown): Parsed<boolean | Limit> {
  if (!isRecord(body)) {
    return unparsed(`body: expected { ${field} } or { limit }, got ${shown(body)}`);
  }
  const known = 'limit' in body ? 'limit' : field;
  const extra = unknownField(body, [known]);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  if (known === 'limit') {
    const limit = parseAmount('body.limit', body['limit']);
    return limit.ok ? parsed({ limit: limit.value }) : limit;
  }
  const said = body[field];
  return typeof said === 'boolean'
    ? parsed(said)
    : unparsed(`body.${field}: expected true or false, got ${shown(said)}`);
}

function parsePrice({ body, round }: CoordinationRequest): Parsed<PriceQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, side, price }, got ${shown(body)}`);
  const { lot } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  const side = parseSide('body.side', body['side']);
  if (!side.ok) return side;
  const price = parseAmount('body.price', body['price']);
  return price.ok ? parsed({ lot, side: side.value, price: price.value, round }) : price;
}
