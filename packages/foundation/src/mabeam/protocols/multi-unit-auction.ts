import type { Amount } from '../amount.ts';
import { parseChoice, parseFields, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Claim, Decision, LossReason, Protocol, PureEnv } from '../protocol.ts';
import { type AuctionSide, optionalAmount, parseLot, parseSide, worthOf } from './auction-terms.ts';
import { mismatches } from './fills.ts';
import {
  type MarginalBid,
  marginalBids,
  type MarginalsQuestion,
  marginalsQuestions,
  type MarginalsReply,
  parseMarginals,
} from './marginals.ts';
import { quantityMax } from './orders.ts';
import {
  awardProblems,
  bidderProblems,
  clearUnits,
  displacedWorths,
  type UnitAward,
  unitAwardNotices,
  type UnitClearing,
  type UnitTerms,
  winningUnits,
} from './unit-clearing.ts';

const pricings = ['discriminatory', 'uniform_lab', 'uniform_hrb', 'vcg'] as const;

/**
 * What winners pay. `discriminatory`: each unit its own bid. `uniform_lab`: every unit the lowest accepted bid.
 * `uniform_hrb`: every unit the highest rejected bid. `vcg`: for k units, the k highest losing bids of others.
 */
export type UnitPricing = (typeof pricings)[number];

/** Of what several units are auctioned at once. */
export interface MultiUnitSpec {
  /** Name of what is sold or bought, up to 256 characters. */
  readonly lot: string;
  /** How many there are: 1 to {@link quantityMax}. */
  readonly units: number;
  readonly pricing: UnitPricing;
  /** @defaultValue `sell` */
  readonly side?: AuctionSide;
  /**
   * Least price of a unit when selling; greatest when buying, where it is needed: nothing else bounds the price.
   *
   * @defaultValue 0 when selling
   */
  readonly reserve?: Amount;
}

/** How an auction of several units ended. */
export interface MultiUnitResult {
  readonly lot: string;
  readonly side: AuctionSide;
  readonly pricing: UnitPricing;
  /** Units that were sold (`buy`: bought). Fewer than there are if fewer are wanted. */
  readonly units: number;
  /** Who has won, in the order of the roster. */
  readonly awards: readonly UnitAward[];
  /** What every unit costs. Absent where units have prices of their own: `discriminatory` and `vcg`. */
  readonly price?: Amount;
  /** What the units are worth to those who have won them (`buy`: cost them), by their bids. Nothing else is worth more. */
  readonly welfare: Amount;
  /** Every bid that counted, in the order of the roster. */
  readonly bids: readonly MarginalBid[];
}

/** An auction of several units. Its state is its spec. */
export type MultiUnitAuction = Protocol<
  MultiUnitSpec,
  MarginalsReply,
  MultiUnitSpec,
  MultiUnitResult
>;

/**
 * Sells (or buys) alike units in one sealed round to the best marginal bids (Vickrey 1961; Krishna, Auction Theory,
 * on auctions of several units).
 *
 * Traits hold for every pricing: with `vcg`, and with it alone, it is best to bid one's true values, whatever the
 * others do.
 */
export const multiUnitAuction: MultiUnitAuction = {
  name: 'auction.multi_unit',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'weak',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec,
  parseReply: parseMarginals,
  init(spec, roster) {
    const { lot, side = 'sell', units, reserve } = spec;
    const { type } = marginalsQuestions[side];
    const body: MarginalsQuestion = { lot, side, units, ...(reserve !== undefined && { reserve }) };
    return { state: spec, effects: [{ kind: 'ask', to: roster, type, body }] };
  },
  on(spec, { answers }, env) {
    const decision = settleUnits(marginalBids(answers), spec, env);
    const notices = decision.result === undefined ? [] : unitAwardNotices(decision.result);
    return { state: spec, effects: [...notices, { kind: 'finish', decision }] };
  },
  verify: problemsOf,
};

/** Winners, payments and everybody's reason, from the bids alone. */
export function settleUnits(
  bids: readonly MarginalBid[],
  spec: MultiUnitSpec,
  env: PureEnv,
): Decision<MultiUnitResult> {
  const { lot, side = 'sell', pricing } = spec;
  const terms = termsOf(spec);
  const clearing = clearUnits(bids, terms);
  if (clearing === undefined) return { status: 'no_deal', reasons: reasonsOf(bids, { terms }) };
  const { won, ...tie } = winningUnits(bids, clearing, { lot, env });
  const reasons = reasonsOf(bids, { terms, won, threshold: clearing.threshold });
  if (won === undefined) return { status: 'tied', ...tie, reasons };
  const due = dueFor(pricing, terms, clearing);
  const awards = bids.flatMap((bid, index): UnitAward[] => {
    const units = won[index] ?? 0;
    return units === 0 ? [] : [{ agent: bid.agent, units, payment: due(bid, units) }];
  });
  const sums = { units: clearing.sold, welfare: welfareOf(awards, bids) };
  const price = priceOf(pricing, terms, clearing);
  const result = {
    lot,
    side,
    pricing,
    ...sums,
    awards,
    ...(price !== undefined && { price }),
    bids,
  };
  return { status: 'decided', result, ...tie, reasons };
}

/** Why each bidder has won units or has not. `tie_lost`: it has bid for one as much as others that won. */
function reasonsOf(
  bids: readonly MarginalBid[],
  {
    terms,
    threshold,
    won = [],
  }: {
    readonly terms: UnitTerms;
    readonly threshold?: bigint;
    readonly won?: readonly number[] | undefined;
  },
): Readonly<Record<AgentId, LossReason>> {
  const reasonOf = ([first]: readonly Amount[], units: number): LossReason => {
    if (units > 0) return 'won';
    if (first === undefined) return 'declined';
    const worth = terms.worth(first);
    if (worth < terms.floor) return 'below_reserve';
    return threshold !== undefined && worth >= threshold ? 'tie_lost' : 'outbid';
  };
  return Object.fromEntries(
    bids.map(({ agent, marginals }, index) => [agent, reasonOf(marginals, won[index] ?? 0)]),
  );
}

function termsOf({ side = 'sell', reserve, units }: MultiUnitSpec): UnitTerms {
  const worth = worthOf(side);
  return { units, worth, floor: worth(reserve ?? 0n) };
}

/** What every unit costs, if there is one price. */
function priceOf(
  pricing: UnitPricing,
  { worth, floor }: UnitTerms,
  { threshold, losing }: UnitClearing,
): Amount | undefined {
  switch (pricing) {
    case 'uniform_lab':
      return worth(threshold);
    case 'uniform_hrb':
      return worth(losing.at(-1) ?? floor);
    case 'discriminatory':
    case 'vcg':
      return undefined;
  }
}

/** What a bidder has to pay for so many units. */
function dueFor(
  pricing: UnitPricing,
  terms: UnitTerms,
  clearing: UnitClearing,
): (bid: MarginalBid, units: number) => Amount {
  const { losing } = clearing;
  const price = priceOf(pricing, terms, clearing);
  if (price !== undefined) return (_bid, units) => price * BigInt(units);
  if (pricing === 'discriminatory') return (bid, units) => total(bid.marginals.slice(0, units));
  return (bid, units) => terms.worth(total(displacedWorths(bid, units, { ...terms, losing })));
}

function welfareOf(awards: readonly UnitAward[], bids: readonly MarginalBid[]): Amount {
  const marginals = new Map(bids.map((bid) => [bid.agent, bid.marginals]));
  return total(
    awards.map(({ agent, units }) => total(marginals.get(agent)?.slice(0, units) ?? [])),
  );
}

/** Clears the bids again, and compares. */
function problemsOf(
  spec: MultiUnitSpec,
  { result, roster }: Claim<MultiUnitResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { awards, bids } = result;
  const terms = termsOf(spec);
  const clearing = clearUnits(bids, terms);
  if (clearing === undefined) return ['units are sold though nobody wants one at the reserve'];
  const price = priceOf(spec.pricing, terms, clearing);
  const sums = { units: clearing.sold, welfare: welfareOf(awards, bids), price };
  return [
    ...bidderProblems(bids, roster),
    ...awardProblems(result, clearing, dueFor(spec.pricing, terms, clearing)),
    ...mismatches(result, sums, ['units', 'welfare', 'price']),
  ];
}

function total(amounts: readonly bigint[]): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

function parseSpec(spec: unknown): Parsed<MultiUnitSpec> {
  const read = parseFields(
    spec,
    '{ lot, units, pricing, … }',
    ({ lot, units, pricing, side = 'sell', reserve }) => ({
      lot: parseLot(lot),
      units: parseWhole('units', units, { max: quantityMax }),
      pricing: parseChoice('pricing', pricings, pricing),
      side: parseSide('side', side),
      reserve: optionalAmount('reserve', reserve),
    }),
  );
  return read.ok && read.value.side === 'buy' && read.value.reserve === undefined
    ? unparsed('reserve: expected the greatest price of a unit when buying, got undefined')
    : read;
}
