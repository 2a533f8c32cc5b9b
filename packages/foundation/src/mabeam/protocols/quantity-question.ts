import { type Amount, parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { type AuctionSide, parseSide } from './auction-terms.ts';
import { marginalsMax } from './marginals.ts';

/** Body of a `get_quantity` request. */
export interface QuantityRequest {
  readonly lot: string;
  readonly side: AuctionSide;
  /** What a further unit would cost now (`buy`: bring). */
  readonly price: Amount;
  /** Units that are sold or bought in all. */
  readonly units: number;
  /** Most that counts: nobody may want more than it did at the price before. */
  readonly most: number;
  /** Least that counts: what it has clinched so far, at the prices of that time. */
  readonly clinched: number;
}

/** What a bidder is asked when an auctioneer of several units calls a price. */
export interface QuantityQuestion extends QuantityRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** Body of the answer. */
export interface QuantityReply {
  /** Units that it wants at the price, those it has clinched included: 0 to {@link marginalsMax}. */
  readonly quantity: number;
}

/** Asks a bidder how many units it wants at a price. */
export const quantityQuestion: Question<QuantityQuestion, number> = {
  type: 'get_quantity',
  parse: parseQuestion,
  reply: (quantity) => parseQuantity({ quantity }),
};

/** Reads the body of an answer. */
export function parseQuantity(body: unknown): Parsed<QuantityReply> {
  if (!isRecord(body)) return unparsed(`body: expected { quantity }, got ${shown(body)}`);
  const extra = unknownField(body, ['quantity']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { quantity } = body;
  return isCount(quantity) && quantity <= marginalsMax
    ? parsed({ quantity })
    : unparsed(
        `body.quantity: expected a whole number from 0 to ${marginalsMax}, got ${shown(quantity)}`,
      );
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<QuantityQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, price, … }, got ${shown(body)}`);
  const { lot, units, most, clinched } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  const side = parseSide('body.side', body['side']);
  if (!side.ok) return side;
  const price = parseAmount('body.price', body['price']);
  if (!price.ok) return price;
  if (!isCount(units) || !isCount(most) || !isCount(clinched)) {
    return unparsed('body: expected whole numbers of units, most and clinched');
  }
  return parsed({ lot, side: side.value, price: price.value, units, most, clinched, round });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
