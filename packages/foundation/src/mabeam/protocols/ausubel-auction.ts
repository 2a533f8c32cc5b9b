import type { Amount } from '../amount.ts';
import { parseFields, parseWhole } from '../fields.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Claim, Protocol } from '../protocol.ts';
import { worthOf } from './auction-terms.ts';
import {
  type AusubelResult,
  type AusubelState,
  type AusubelTerms,
  onQuantities,
  startAusubel,
} from './ausubel-clock.ts';
import { openingOf } from './english-terms.ts';
import {
  openAuctionDefaults,
  type OpenAuctionSpec,
  openAuctionTraits,
  roundsLimit,
  openAuctionFields,
} from './open-auction.ts';
import { quantityMax } from './orders.ts';
import { parseQuantity, type QuantityReply } from './quantity-question.ts';
import { awardProblems, bidderProblems, clearUnits, displacedWorths } from './unit-clearing.ts';

/** Of what several units are auctioned, and how the price moves: up when selling, down when buying. */
export interface AusubelSpec extends OpenAuctionSpec {
  /** How many there are: 1 to {@link quantityMax}. */
  readonly units: number;
  /**
   * The first price. A better `reserve` (for the auctioneer) takes its place.
   *
   * @defaultValue the reserve, or 0 when selling; when buying, one of the two is needed
   */
  readonly start?: Amount;
}

/** An Ausubel auction. */
export type AusubelAuction = Protocol<AusubelSpec, QuantityReply, AusubelState, AusubelResult>;

/**
 * The price of a unit moves until no more units are wanted than there are (Ausubel, An Efficient Ascending-Bid Auction
 * for Multiple Objects, 2004). A bidder clinches a unit as soon as the others leave it over, at the last price at which
 * they did not: so it pays for k units what the others would have paid for them, as in `auction.multi_unit` with `vcg`
 * and the bids that it and the others have shown, to the unit.
 *
 * Who wants at every price the units that are worth as much or more does well: nothing else is better as long as the others
 * do so, too.
 */
export const ausubelAuction: AusubelAuction = {
  name: 'auction.ausubel',
  version: '1.0.0',
  // Others may answer to what they see of the price: against those the truth need not be best.
  traits: { ...openAuctionTraits, maxMessages: (n) => 2 * n * roundsLimit + n },
  parseSpec,
  parseReply: (_type, body) => parseQuantity(body),
  init: (spec, roster) => startAusubel(termsOf(spec), roster),
  on: (state, { answers }, env) => onQuantities(state, answers, env),
  verify: problemsOf,
};

function termsOf(spec: AusubelSpec): AusubelTerms {
  const { lot, side, units, increment, roundMs, maxRounds } = { ...openAuctionDefaults, ...spec };
  return {
    lot,
    side,
    units,
    opening: openingOf({ ...spec, side }) ?? 0n,
    ladder: { direction: side === 'sell' ? 'up' : 'down', increment },
    roundMs,
    maxRounds,
    worth: worthOf(side),
  };
}

/** Sells once more to what the bidders have shown, and compares. */
function problemsOf(
  spec: AusubelSpec,
  { result, roster }: Claim<AusubelResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { opening, units, worth } = termsOf(spec);
  const terms = { units, worth, floor: worth(opening) };
  const clearing = clearUnits(result.bids, terms);
  if (clearing === undefined) return ['units are sold though nobody wanted one'];
  const pricesOf = (bid: AusubelResult['bids'][number], won: number): readonly Amount[] =>
    displacedWorths(bid, won, { ...terms, losing: clearing.losing })
      .map(worth)
      .toReversed();
  const bids = new Map(result.bids.map((bid) => [bid.agent, bid]));
  const unlike = result.awards.filter(({ agent, clinches, units: won }) => {
    const bid = bids.get(agent);
    const prices = clinches.flatMap((clinch) =>
      Array.from({ length: clinch.units }, () => clinch.price),
    );
    return bid !== undefined && String(prices) !== String(pricesOf(bid, won));
  });
  return [
    ...bidderProblems(result.bids, roster),
    ...awardProblems(result, clearing, (bid, won) =>
      pricesOf(bid, won).reduce((sum, price) => sum + price, 0n),
    ),
    ...unlike.map(({ agent }) => `${agent} has not clinched its units at these prices`),
    ...(result.units === clearing.sold ? [] : [`${result.units} units, not ${clearing.sold}`]),
  ];
}

function parseSpec(spec: unknown): Parsed<AusubelSpec> {
  const open = parseFields(spec, '{ lot, units, increment, … }', (given) => ({
    ...openAuctionFields(given),
    units: parseWhole('units', given['units'], { max: quantityMax }),
  }));
  return open.ok && openingOf(open.value) === undefined
    ? unparsed('start: expected a price to begin with when buying, got undefined')
    : open;
}
