import type { Amount } from '../../amount.ts';
import type { Lots } from './lots.ts';

/** Prices of goods that bound what any allocation is worth, whoever has computed them. */
export interface GoodPrices {
  /** By the name of the good, in parts of an amount: see `partsOfOne`. */
  readonly prices: Readonly<Record<string, Amount>>;
  /** How many parts make 1. */
  readonly partsOfOne: bigint;
}

const partsOfOne = 1_024n;

/** From what one more unit of each good would add to the best mix of parts of bids, in units of the solver. */
export function goodPrices(lots: Lots, duals: readonly number[]): GoodPrices {
  const sign = lots.side === 'sell' ? 1 : -1;
  const parts = lots.goods.map(({ name }, good): [string, Amount] => {
    const price = Math.max((duals[good] ?? 0) * sign, 0);
    return [name, BigInt(Math.round(price * Number(partsOfOne))) * lots.unit];
  });
  return { prices: Object.fromEntries(parts), partsOfOne };
}

/**
 * Prices at which no bid is worth more than its package: of each good the best that any bid offers for one unit
 * (`buy`: the least that any asks). They prove little, and take no solver.
 */
export function quickPrices(lots: Lots): GoodPrices {
  const best = new Map<number, bigint>();
  for (const { worth, units, canWin } of lots.bids) {
    if (!canWin) continue;
    const size = units.reduce((sum, [, count]) => sum + BigInt(count), 0n);
    const each = worth < 0n ? (-worth * partsOfOne) / size : (worth * partsOfOne) / size + 1n;
    for (const [good] of units) {
      const known = best.get(good);
      const isBetter = known === undefined || (lots.side === 'sell' ? each > known : each < known);
      if (isBetter) best.set(good, each);
    }
  }
  const parts = lots.goods.map(({ name }, good): [string, Amount] => [name, best.get(good) ?? 0n]);
  return { prices: Object.fromEntries(parts), partsOfOne };
}

/**
 * What no allocation exceeds: at any prices, that of all goods together, and for each group the most that one of its
 * bids is worth beyond its price (the dual of the linear relaxation). To check it takes no solver.
 */
export function priceBound(lots: Lots, goods: GoodPrices): bigint {
  const { supplies, mosts } = dualOf(lots, goods);
  return floorDivided(sumOf(supplies, mosts), goods.partsOfOne);
}

/**
 * Bids with which no allocation is worth so much: the bound says so of the others together with one of them (fixing by
 * reduced costs).
 */
// oxlint-disable-next-line max-params -- of what, at which prices, how much
export function hopeless(lots: Lots, goods: GoodPrices, welfare: bigint): ReadonlySet<number> {
  const { supplies, mosts, surpluses } = dualOf(lots, goods);
  const most = sumOf(supplies, mosts);
  const out = new Set<number>();
  for (const [place, group] of lots.groups.entries()) {
    for (const index of group) {
      const withIt = most - (mosts[place] ?? 0n) + (surpluses[index] ?? 0n);
      if (floorDivided(withIt, goods.partsOfOne) < welfare) out.add(index);
    }
  }
  return out;
}

/** In parts of an amount. */
interface Dual {
  /** Price of all units of each good. */
  readonly supplies: readonly bigint[];
  /** The most that a bid of each group is worth beyond its price; 0 if none is worth more. */
  readonly mosts: readonly bigint[];
  /** What each bid is worth beyond its price. */
  readonly surpluses: readonly bigint[];
}

function dualOf(lots: Lots, { prices, partsOfOne: parts }: GoodPrices): Dual {
  const sign = lots.side === 'sell' ? 1n : -1n;
  const each = lots.goods.map(({ name }) => sign * (prices[name] ?? 0n));
  const surpluses = lots.bids.map(({ worth, units }) => {
    let surplus = worth * parts;
    for (const [good, count] of units) surplus -= BigInt(count) * (each[good] ?? 0n);
    return surplus;
  });
  const mosts = lots.groups.map((group) => {
    let most = 0n;
    for (const index of group) {
      const surplus = surpluses[index] ?? 0n;
      if (lots.bids[index]?.canWin === true && surplus > most) most = surplus;
    }
    return most;
  });
  const supplies = lots.goods.map(({ supply }, good) => BigInt(supply) * (each[good] ?? 0n));
  return { supplies, mosts, surpluses };
}

function sumOf(...lists: readonly (readonly bigint[])[]): bigint {
  return lists.flat().reduce((sum, each) => sum + each, 0n);
}

function floorDivided(value: bigint, by: bigint): bigint {
  return value / by - BigInt(value < 0n && value % by !== 0n);
}
