import { type Amount, isAmount, parseAmount } from '../../amount.ts';
import type { AgentId, CoordinationRequest } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { type AuctionSide, parseSide } from '../auction-terms.ts';

/** Most bids of one participant. */
export const packageBidsMax = 1_000;
/** Most units in one package. */
export const packageUnitsMax = 256;
/** Most kinds of goods in one auction. */
export const goodsMax = 1_024;
/** Most units of one good. */
export const supplyMax = 1_000_000;
const textCharsMax = 256;

/** What is auctioned, kind by kind. */
export interface Good {
  /** Up to 256 characters. */
  readonly name: string;
  /** Units there are (`buy`: that are needed), 1 to {@link supplyMax}. @defaultValue 1 */
  readonly supply?: number;
}

/** An offer for a package as a whole, or for none of it. */
export interface PackageBid {
  /** Names of goods; one that is named twice is wanted twice. 1 to {@link packageUnitsMax}. */
  readonly goods: readonly string[];
  /** What the package is worth (`buy`: what it costs). */
  readonly amount: Amount;
  /**
   * Of the bids of a participant that name the same group at most one wins.
   *
   * @defaultValue the same for all that name none, so that one of them wins at most
   */
  readonly xorGroup?: string;
}

/** Body of a `get_package_bids` request, and what a bidder is asked. */
export interface PackageQuestion {
  readonly goods: readonly Good[];
  /** `sell`: bid what a package is worth. `buy`: bid what it would cost. */
  readonly side: AuctionSide;
  /** Most bids that count. */
  readonly bidsMax: number;
  /** Most units in one package. */
  readonly unitsMax: number;
  /** Most groups that bids may name, none included. */
  readonly groupsMax: number;
}

/** Body of the answer. */
export interface PackageReply {
  readonly bids: readonly PackageBid[];
}

/** A bid, and whose it is. */
export interface PlacedPackageBid extends PackageBid {
  readonly agent: AgentId;
}

/** Asks a bidder for bids on packages. */
export const packageQuestion: Question<PackageQuestion, readonly PackageBid[]> = {
  type: 'get_package_bids',
  parse: parseQuestion,
  reply: (bids) => parsePackageReply({ bids }),
};

/** Reads the body of an answer. Amounts may be decimal strings. */
export function parsePackageReply(body: unknown): Parsed<PackageReply> {
  if (!isRecord(body)) return unparsed(`body: expected { bids }, got ${shown(body)}`);
  const extra = unknownField(body, ['bids']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { bids } = body;
  if (!Array.isArray(bids) || bids.length > packageBidsMax) {
    return unparsed(`body.bids: expected at most ${packageBidsMax} bids, got ${shown(bids)}`);
  }
  const read: PackageBid[] = [];
  for (const [index, value] of bids.entries()) {
    const bid = parseBid(`body.bids[${index}]`, value);
    if (!bid.ok) return bid;
    read.push(bid.value);
  }
  return parsed({ bids: read });
}

function parseBid(field: string, value: unknown): Parsed<PackageBid> {
  if (!isRecord(value)) {
    return unparsed(`${field}: expected { goods, amount, xorGroup? }, got ${shown(value)}`);
  }
  const extra = unknownField(value, ['goods', 'amount', 'xorGroup']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const { goods, amount, xorGroup } = value;
  if (!isPackage(goods)) {
    return unparsed(
      `${field}.goods: expected 1 to ${packageUnitsMax} names of goods, got ${shown(goods)}`,
    );
  }
  const read = isAmount(amount) ? parsed(amount) : parseAmount(`${field}.amount`, amount);
  if (!read.ok) return read;
  if (xorGroup === undefined) return parsed({ goods, amount: read.value });
  return isText(xorGroup)
    ? parsed({ goods, amount: read.value, xorGroup })
    : unparsed(
        `${field}.xorGroup: expected a text of 1 to ${textCharsMax} characters, got ${shown(xorGroup)}`,
      );
}

function isPackage(value: unknown): value is readonly string[] {
  const isSized = Array.isArray(value) && value.length > 0 && value.length <= packageUnitsMax;
  return isSized && value.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= textCharsMax;
}

/** Reads what is auctioned: each good once. */
export function parseGoods(field: string, value: unknown): Parsed<readonly Required<Good>[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > goodsMax) {
    return unparsed(`${field}: expected 1 to ${goodsMax} goods, got ${shown(value)}`);
  }
  const read = new Map<string, Required<Good>>();
  for (const [index, good] of value.entries()) {
    const each = parseGood(`${field}[${index}]`, good);
    if (!each.ok) return each;
    const { name } = each.value;
    if (read.has(name)) return unparsed(`${field}[${index}]: ${shown(name)} is there twice`);
    read.set(name, each.value);
  }
  return parsed([...read.values()]);
}

function parseGood(field: string, value: unknown): Parsed<Required<Good>> {
  if (!isRecord(value))
    return unparsed(`${field}: expected { name, supply? }, got ${shown(value)}`);
  const extra = unknownField(value, ['name', 'supply']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const { name, supply = 1 } = value;
  if (!isText(name)) {
    return unparsed(
      `${field}.name: expected a text of 1 to ${textCharsMax} characters, got ${shown(name)}`,
    );
  }
  return isWholeWithin(supply, supplyMax)
    ? parsed({ name, supply })
    : unparsed(
        `${field}.supply: expected a whole number from 1 to ${supplyMax}, got ${shown(supply)}`,
      );
}

/** Whether a value is a whole number from 1 to `most`. */
export function isWholeWithin(value: unknown, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

function parseQuestion({ body }: CoordinationRequest): Parsed<PackageQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { goods, side }, got ${shown(body)}`);
  const goods = parseGoods('body.goods', body['goods']);
  if (!goods.ok) return goods;
  const side = parseSide('body.side', body['side']);
  if (!side.ok) return side;
  const { bidsMax, unitsMax, groupsMax } = body;
  if (
    !isWholeWithin(bidsMax, packageBidsMax) ||
    !isWholeWithin(unitsMax, packageUnitsMax) ||
    !isWholeWithin(groupsMax, packageBidsMax)
  ) {
    return unparsed('body: expected limits for bids, units and groups');
  }
  return parsed({ goods: goods.value, side: side.value, bidsMax, unitsMax, groupsMax });
}
