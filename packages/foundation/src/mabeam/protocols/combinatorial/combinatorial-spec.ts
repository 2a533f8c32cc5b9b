import type { Amount } from '../../amount.ts';
import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import { type AuctionSide, optionalAmount, parseSide } from '../auction-terms.ts';
import {
  type Good,
  isWholeWithin,
  packageBidsMax,
  packageUnitsMax,
  parseGoods,
} from './package-bids.ts';

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
  if (!isRecord(spec)) return unparsed(`expected { goods, pricing?, … }, got ${shown(spec)}`);
  const extra = unknownField(spec, [...terms, ...wholes]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const goods = parseGoods('goods', spec['goods']);
  if (!goods.ok) return goods;
  const choices = parseChoices(spec);
  if (!choices.ok) return choices;
  const numbers = parseWholes(spec);
  if (!numbers.ok) return numbers;
  return parsed({ goods: goods.value, ...choices.value, ...usual, ...numbers.value });
}

const terms = ['goods', 'side', 'pricing', 'onLimit', 'reserve', 'gapMax'];
type Choices = Pick<ResolvedSpec, 'side' | 'pricing' | 'onLimit' | 'reserve' | 'gapMax'>;

function parseChoices(spec: Readonly<Record<string, unknown>>): Parsed<Choices> {
  const { side: wanted = 'sell', pricing = 'vcg', onLimit = 'abort', gapMax } = spec;
  const side = parseSide('side', wanted);
  if (!side.ok) return side;
  if (!isOneOf(pricings, pricing)) {
    return unparsed(`pricing: expected ${pricings.join(', ')}, got ${shown(pricing)}`);
  }
  if (!isOneOf(fallbacks, onLimit)) {
    return unparsed(`onLimit: expected ${fallbacks.join(' or ')}, got ${shown(onLimit)}`);
  }
  const reserve = optionalAmount('reserve', spec['reserve']);
  if (!reserve.ok) return reserve;
  if (reserve.value !== undefined && side.value === 'sell') {
    return unparsed('reserve: only for auctions that buy; to sell above a price, bid it yourself');
  }
  if (gapMax !== undefined && (pricing !== 'first' || !isPart(gapMax))) {
    return unparsed(
      `gapMax: expected a part from 0 to 1, and pricing first, got ${shown(gapMax)} with ${pricing}`,
    );
  }
  return parsed({
    side: side.value,
    pricing,
    onLimit,
    ...(reserve.value === undefined ? {} : { reserve: reserve.value }),
    ...(gapMax === undefined ? {} : { gapMax }),
  });
}

function isPart(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

const longestMs = 2 ** 31 - 1;
const mosts = {
  biddingMs: longestMs,
  solverMs: longestMs,
  nodesMax: 1_000_000_000,
  bidsMax: packageBidsMax,
  unitsMax: packageUnitsMax,
  groupsMax: packageBidsMax,
} as const;
type Whole = keyof typeof mosts;
const wholes: readonly Whole[] = [
  'biddingMs',
  'solverMs',
  'nodesMax',
  'bidsMax',
  'unitsMax',
  'groupsMax',
];
const usual = { bidsMax: 100, unitsMax: 64, groupsMax: 32 } as const;

function parseWholes(
  spec: Readonly<Record<string, unknown>>,
): Parsed<{ readonly [Name in Whole]?: number }> {
  const read: { [Name in Whole]?: number } = {};
  for (const name of wholes) {
    const value = spec[name];
    if (value === undefined) continue;
    if (!isWholeWithin(value, mosts[name])) {
      return unparsed(
        `${name}: expected a whole number from 1 to ${mosts[name]}, got ${shown(value)}`,
      );
    }
    read[name] = value;
  }
  return parsed(read);
}
