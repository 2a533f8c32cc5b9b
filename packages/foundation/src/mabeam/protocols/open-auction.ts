import type { Amount } from '../amount.ts';
import { type FieldsOf, parseMs, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import type { Decision, ProtocolTraits, TellEffect } from '../protocol.ts';
import { type AuctionSide, optionalAmount, parseLot, parseSide } from './auction-terms.ts';
import { type Increment, parseIncrement } from './price-ladder.ts';
import type { Bid } from './sealed-bid-auction.ts';

/** What is auctioned, and how its price moves. */
export interface OpenAuctionSpec {
  /** Name of what is sold or bought, up to 256 characters. */
  readonly lot: string;
  /** @defaultValue `sell` */
  readonly side?: AuctionSide;
  /** By how much the price moves each tick: at least 1, or a table of up to 100 rows. */
  readonly increment: Increment;
  /** Least price when selling, greatest when buying. */
  readonly reserve?: Amount;
  /** Milliseconds that bidders have to answer in each round. @defaultValue 1_000 */
  readonly roundMs?: number;
  /** More rounds than that end it as `limit_reached`: 1 to 100,000. @defaultValue 10_000 */
  readonly maxRounds?: number;
}

/** How an open auction ended. */
export interface OpenAuctionResult {
  readonly lot: string;
  readonly side: AuctionSide;
  readonly winner: AgentId;
  /** What the winner pays (`sell`) or is paid (`buy`). */
  readonly price: Amount;
  /** The best that each bidder is known to have agreed to, in the order of the roster. */
  readonly bids: readonly Bid[];
}

/** Body of the `award` notice, which the winner gets. */
export interface Award {
  readonly lot: string;
  readonly side: AuctionSide;
  readonly price: Amount;
}

/** Most rounds that a spec may allow. */
export const roundsLimit = 100_000;

/** What English and Dutch auctions promise alike. */
export const openAuctionTraits: ProtocolTraits = {
  dominantStrategyTruthful: false,
  individuallyRational: true,
  budget: 'weak',
  sealed: false,
  toleratesSilent: (n) => n,
  toleratesByzantine: () => 0,
  maxRounds: () => roundsLimit,
  maxMessages: (n) => 2 * n * roundsLimit + 1,
};

/** What holds where a spec says nothing. */
export const openAuctionDefaults = { side: 'sell', roundMs: 1_000, maxRounds: 10_000 } as const;

/** A spec whose defaults are filled in. */
export type ParsedOpenAuction = OpenAuctionSpec &
  Required<Pick<OpenAuctionSpec, keyof typeof openAuctionDefaults>> & { readonly start?: Amount };

/** Reads what all open auctions are told. */
export function openAuctionFields({
  lot,
  side = openAuctionDefaults.side,
  start,
  reserve,
  increment,
  roundMs = openAuctionDefaults.roundMs,
  maxRounds = openAuctionDefaults.maxRounds,
}: Readonly<Record<string, unknown>>): FieldsOf<ParsedOpenAuction> {
  return {
    lot: parseLot(lot),
    side: parseSide('side', side),
    start: optionalAmount('start', start),
    reserve: optionalAmount('reserve', reserve),
    increment: parseIncrement(increment),
    roundMs: parseMs('roundMs', roundMs),
    maxRounds: parseWhole('maxRounds', maxRounds, { max: roundsLimit }),
  };
}

/** Tells the winner, if there is one. */
export function awardOf({ result }: Decision<OpenAuctionResult>): readonly TellEffect[] {
  if (result === undefined) return [];
  const { lot, side, winner, price } = result;
  return [
    { kind: 'tell', to: [winner], type: 'award', body: { lot, side, price } satisfies Award },
  ];
}
