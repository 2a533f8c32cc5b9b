import type { Amount } from '../../amount.ts';
import type { AgentId } from '../../message.ts';
import { type AuctionSide, worthOf } from '../auction-terms.ts';
import type { Good, PlacedPackageBid } from './package-bids.ts';

/** Goods and the bids on them, as winners are determined from them. */
export interface Lots {
  readonly side: AuctionSide;
  readonly goods: readonly Required<Good>[];
  readonly bids: readonly LotBid[];
  /** Of bids of which at most one wins, by their places in `bids`. */
  readonly groups: readonly (readonly number[])[];
  /** What one unit of `scaled` is worth. */
  readonly unit: bigint;
  /** Whether `scaled` says all: nothing was rounded. */
  readonly isExact: boolean;
}

/** A bid, with what can be told from it alone. */
export interface LotBid {
  readonly agent: AgentId;
  /** What it adds to the welfare: a cost is negative. */
  readonly worth: bigint;
  /** The same in units that a solver can tell apart, rounded up. */
  readonly scaled: bigint;
  /** Units of each good, by its place. */
  readonly units: readonly (readonly [good: number, units: number])[];
  /** Whether it could be of any use. */
  readonly canWin: boolean;
}

/** Bids by their places in {@link Lots.bids}. */
export type Allocation = readonly number[];

/** What no allocation exceeds in units of the solver, whose numbers have 53 bits and tolerances. */
const scaledMax = 2n ** 40n;

/** @param bids - all on known goods */
export function lotsOf(
  side: AuctionSide,
  goods: readonly Required<Good>[],
  bids: readonly PlacedPackageBid[],
): Lots {
  const places = new Map(goods.map(({ name }, place) => [name, place]));
  const worth = worthOf(side);
  const groups = new Map<string, number[]>();
  for (const [index, { agent, xorGroup }] of bids.entries()) {
    // A group without a name is none of those that have one.
    const key = JSON.stringify(xorGroup === undefined ? [agent] : [agent, xorGroup]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  const unit = unitOf([...groups.values()].map((group) => group.map((at) => amountAt(bids, at))));
  return {
    side,
    goods,
    groups: [...groups.values()],
    unit,
    isExact: bids.every(({ amount }) => amount % unit === 0n),
    bids: bids.map((bid) => {
      const units = unitsOf(bid, places);
      const isPossible = units.every(([good, count]) => count <= (goods[good]?.supply ?? 0));
      return {
        agent: bid.agent,
        worth: worth(bid.amount),
        scaled: upTo(worth(bid.amount), unit),
        units,
        canWin: side === 'buy' || (isPossible && bid.amount > 0n),
      };
    }),
  };
}

function amountAt(bids: readonly PlacedPackageBid[], index: number): Amount {
  return bids[index]?.amount ?? 0n;
}

function unitsOf(
  { goods }: PlacedPackageBid,
  places: ReadonlyMap<string, number>,
): LotBid['units'] {
  const counts = new Map<number, number>();
  for (const name of goods) {
    const place = places.get(name) ?? -1;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts];
}

/** 1 where that will do, or what all amounts are multiples of; else they are rounded, and nothing is proven. */
function unitOf(groups: readonly (readonly Amount[])[]): bigint {
  const most = groups.reduce((sum, group) => sum + group.reduce(larger, 0n), 0n);
  if (most < scaledMax) return 1n;
  const common = groups.flat().reduce(commonDivisor, 0n);
  return most < scaledMax * common ? common : most / scaledMax + 1n;
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function commonDivisor(left: bigint, right: bigint): bigint {
  let [divisor, rest] = [left, right];
  while (rest > 0n) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}

/** Division that rounds up, of negative numbers, too. */
function upTo(worth: bigint, unit: bigint): bigint {
  return worth > 0n ? (worth + unit - 1n) / unit : worth / unit;
}

/** Sum of what bids are worth, exactly. */
export function welfareOf(lots: Lots, allocation: Allocation): bigint {
  return allocation.reduce((sum, index) => sum + (lots.bids[index]?.worth ?? 0n), 0n);
}

/** Why bids cannot win together; undefined if they can. Exact, whatever tolerances a solver has. */
export function conflictIn(lots: Lots, allocation: Allocation): string | undefined {
  const won = new Set(allocation);
  if (won.size < allocation.length) return 'a bid wins twice';
  if (allocation.some((index) => lots.bids[index]?.canWin !== true)) {
    return 'a bid wins that cannot';
  }
  const used = lots.goods.map(() => 0);
  for (const index of allocation) {
    for (const [good, units] of lots.bids[index]?.units ?? [])
      used[good] = (used[good] ?? 0) + units;
  }
  for (const [place, { name, supply }] of lots.goods.entries()) {
    const units = used[place] ?? 0;
    if (lots.side === 'sell' ? units > supply : units < supply) {
      return `${units} units of ${name}, of which there ${lots.side === 'sell' ? 'are' : 'must be'} ${supply}`;
    }
  }
  const crowded = lots.groups.find((group) => group.filter((index) => won.has(index)).length > 1);
  return crowded === undefined ? undefined : 'two bids of one group win';
}

/**
 * A quick allocation of goods that are sold: bids by value/√units, each that still fits (Lehmann, O'Callaghan and
 * Shoham 2002). At least 1/√m of the best, of m goods of one unit, when each bidder wants one package.
 */
export function greedyAllocation(lots: Lots): Allocation {
  const left = lots.goods.map(({ supply }) => supply);
  const groupOf = new Map(lots.groups.flatMap((group, at) => group.map((index) => [index, at])));
  const taken = new Set<number | undefined>();
  const ranked = lots.bids
    .map((bid, index) => ({ bid, index, size: BigInt(sizeOf(bid)) }))
    .filter(({ bid }) => bid.canWin)
    .toSorted((one, other) => {
      const difference = other.bid.worth ** 2n * one.size - one.bid.worth ** 2n * other.size;
      return difference > 0n ? 1 : -Number(difference < 0n);
    });
  const allocation: number[] = [];
  for (const { bid, index } of ranked) {
    const group = groupOf.get(index);
    if (taken.has(group) || bid.units.some(([good, units]) => units > (left[good] ?? 0))) continue;
    for (const [good, units] of bid.units) left[good] = (left[good] ?? 0) - units;
    taken.add(group);
    allocation.push(index);
  }
  return allocation.toSorted((one, other) => one - other);
}

function sizeOf({ units }: LotBid): number {
  return units.reduce((sum, [, count]) => sum + count, 0);
}
