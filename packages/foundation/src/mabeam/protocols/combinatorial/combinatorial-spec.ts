import type { Amount } from '../../amount.ts';
import { parseChoice, parseFields, parseOptional, parseWhole } from '../../fields.ts';
import { type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import { type AuctionSide, optionalAmount, parseSide } from '../auction-terms.ts';
import { type Good, packageBidsMax, packageUnitsMax, parseGoods } from './package-bids.ts';

const pricings = ['first', 'vcg', 'core_nearest_vcg'] as const;
const fallbacks = ['abort', 'pay_as_bid'] as const;

/**
 * What winners pay. `first`: what they bid. `vcg`: what their presence costs the others. `core_nearest_vcg`: the least,
 * near to that, at which no group of bidders has offered more for the same.
 */
export type PackagePricing = (typeof pricings)[number];

/** What is auctioned, and how. */
export interface CombinatorialSpec {
  /** 1 to 1,024 kinds of goods. */
  readonly goods: readonly Good[];
  /** @defaultValue `sell`; `buy`: the goods are needed, all of them, and what costs least is bought */
  readonly side?: AuctionSide;
  /** @defaultValue `vcg` */
  readonly pricing?: PackagePricing;
  /** Only with `buy`: the most that all together may cost. @defaultValue no limit */
  readonly reserve?: Amount;
  /** Milliseconds to bid. @defaultValue half of the session's time: the other half is for the solver */
  readonly biddingMs?: number;
  /** Milliseconds for each problem of the solver. @defaultValue all that is left */
  readonly solverMs?: number;
  /** Branches that the solver looks at for each problem, 1 to 1,000,000,000. @defaultValue no limit */
  readonly nodesMax?: number;
  /**
   * Only with `first`: part of the welfare, from 0 to 1, by which winners may fall short of the best.
   *
   * @defaultValue 0
   */
  readonly gapMax?: number;
  /**
   * When it is not proven in time that nothing is better: `abort` decides nothing, `pay_as_bid` takes the best that was
   * found, and everybody pays what it bid. Either way it ends as `limit_reached`, and says how much better it could be.
   *
   * @defaultValue `abort`
   */
  readonly onLimit?: (typeof fallbacks)[number];
  /** Bids of one participant, 1 to 1,000. @defaultValue 100 */
  readonly bidsMax?: number;
  /** Units in one package, 1 to 256. @defaultValue 64 */
  readonly unitsMax?: number;
  /** Groups that the bids of one participant name, 1 to 1,000. @defaultValue 32 */
  readonly groupsMax?: number;
}

/** The same, with everything said. */
export interface ResolvedSpec extends CombinatorialSpec {
  readonly goods: readonly Required<Good>[];
  readonly side: AuctionSide;
  readonly pricing: PackagePricing;
  readonly onLimit: (typeof fallbacks)[number];
  readonly bidsMax: number;
  readonly unitsMax: number;
  readonly groupsMax: number;
}

/** Reads a spec, and says everything. */
export function parseCombinatorialSpec(spec: unknown): Parsed<ResolvedSpec> {
  const read = parseFields(
    spec,
    '{ goods, pricing?, … }',
    ({
      side = 'sell',
      pricing = 'vcg',
      onLimit = 'abort',
      bidsMax = 100,
      unitsMax = 64,
      groupsMax = 32,
      ...given
    }) => ({
      goods: parseGoods('goods', given['goods']),
      side: parseSide('side', side),
      pricing: parseChoice('pricing', pricings, pricing),
      onLimit: parseChoice('onLimit', fallbacks, onLimit),
      reserve: optionalAmount('reserve', given['reserve']),
      gapMax: parseOptional('gapMax', given['gapMax'], parsePart),
      biddingMs: parseOptional('biddingMs', given['biddingMs'], wholeTo(longestMs)),
      solverMs: parseOptional('solverMs', given['solverMs'], wholeTo(longestMs)),
      nodesMax: parseOptional('nodesMax', given['nodesMax'], wholeTo(1_000_000_000)),
      bidsMax: wholeTo(packageBidsMax)('bidsMax', bidsMax),
      unitsMax: wholeTo(packageUnitsMax)('unitsMax', unitsMax),
      groupsMax: wholeTo(packageBidsMax)('groupsMax', groupsMax),
    }),
  );
  return read.ok ? checked(read.value) : read;
}

/** What fits only together. */
function checked(spec: ResolvedSpec): Parsed<ResolvedSpec> {
  const { reserve, side, gapMax, pricing } = spec;
  if (reserve !== undefined && side === 'sell') {
    return unparsed('reserve: only for auctions that buy; to sell above a price, bid it yourself');
  }
  return gapMax !== undefined && pricing !== 'first'
    ? unparsed(
        `gapMax: expected a part from 0 to 1, and pricing first, got ${shown(gapMax)} with ${pricing}`,
      )
    : parsed(spec);
}

const longestMs = 2 ** 31 - 1;

function wholeTo(max: number): (field: string, value: unknown) => Parsed<number> {
  return (field, value) => parseWhole(field, value, { max });
}

function parsePart(field: string, value: unknown): Parsed<number> {
  return typeof value === 'number' && value >= 0 && value <= 1
    ? parsed(value)
    : unparsed(`${field}: expected a part from 0 to 1, got ${shown(value)}`);
}
