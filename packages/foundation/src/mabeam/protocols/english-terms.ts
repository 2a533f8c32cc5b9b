import type { Amount } from '../amount.ts';
import { type AuctionSide, worthOf } from './auction-terms.ts';
import type { ParsedOpenAuction } from './open-auction.ts';
import { type Ladder } from './price-ladder.ts';

/** What both variants of an English auction go by. */
export interface EnglishTerms {
  readonly lot: string;
  readonly side: AuctionSide;
  /** The first price that is called, or the least bid. */
  readonly opening: Amount;
  readonly ladder: Ladder;
  readonly roundMs: number;
  readonly maxRounds: number;
  /** Of an amount to the auctioneer. */
  readonly worth: (amount: Amount) => bigint;
}

/** The opening price is the start, unless the reserve is better for the auctioneer. */
export function openingOf({
  side,
  start,
  reserve,
}: Pick<ParsedOpenAuction, 'side' | 'start' | 'reserve'>): Amount | undefined {
  if (start === undefined || reserve === undefined) {
    return start ?? reserve ?? (side === 'sell' ? 0n : undefined);
  }
  const worth = worthOf(side);
  return worth(reserve) > worth(start) ? reserve : start;
}
