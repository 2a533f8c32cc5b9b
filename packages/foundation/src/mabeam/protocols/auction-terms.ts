import { type Amount, parseAmount } from '../amount.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';

const sides = ['sell', 'buy'] as const;

/** `sell`: the highest bid wins and pays. `buy`: the lowest cost wins and is paid. */
export type AuctionSide = (typeof sides)[number];

/**
 * An answer that holds for more than one price: the auctioneer decides by it until the price is worse
 * than `limit`, which is a maximum when selling and a minimum when buying.
 */
export interface Limit {
  readonly limit: Amount;
}

/** Whether somebody answered with a limit. */
export function isLimit(answer: unknown): answer is Limit {
  return isRecord(answer) && 'limit' in answer;
}

/** What an amount is worth to the auctioneer: a cost is a negative bid, so that what follows maximizes. */
export function worthOf(side: AuctionSide): (amount: Amount) => bigint {
  return side === 'sell' ? (amount) => amount : (amount) => -amount;
}

/** Whether a price is within what a bidder can afford (`buy`: is not below what it costs it). */
export function isWithin(side: AuctionSide, price: Amount, limit: Amount): boolean {
  return side === 'sell' ? price <= limit : price >= limit;
}

export function parseLot(lot: unknown): Parsed<string> {
  return typeof lot === 'string' && lot.length > 0 && lot.length <= 256
    ? parsed(lot)
    : unparsed(`lot: expected a text of 1 to 256 characters, got ${shown(lot)}`);
}

export function parseSide(field: string, side: unknown): Parsed<AuctionSide> {
  return isOneOf(sides, side)
    ? parsed(side)
    : unparsed(`${field}: expected sell or buy, got ${shown(side)}`);
}

export function optionalAmount(field: string, value: unknown): Parsed<Amount | undefined> {
  return value === undefined ? parsed(undefined) : parseAmount(field, value);
}
