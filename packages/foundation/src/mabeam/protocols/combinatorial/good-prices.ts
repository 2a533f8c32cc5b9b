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
export function priceBound(lots: Lots, { prices, partsOfOne: parts }: GoodPrices): bigint {
  const sign = lots.side === 'sell' ? 1n : -1n;
  const each = lots.goods.map(({ name }) => prices[name] ?? 0n);
  let bound = 0n;
  for (const [good, { supply }] of lots.goods.entries()) {
    bound += sign * BigInt(supply) * (each[good] ?? 0n);
  }
  for (const group of lots.groups) {
    let most = 0n;
    for (const index of group) {
      const bid = lots.bids[index];
      if (bid === undefined || !bid.canWin) continue;
      let surplus = bid.worth * parts;
      for (const [good, units] of bid.units) surplus -= sign * BigInt(units) * (each[good] ?? 0n);
      if (surplus > most) most = surplus;
    }
    bound += most;
  }
  return floorDivided(bound, parts);
}

function floorDivided(value: bigint, by: bigint): bigint {
  return value / by - BigInt(value < 0n && value % by !== 0n);
}
