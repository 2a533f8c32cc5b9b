import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';
import { exp, ln, power } from './elementary.ts';

/**
 * What amounts x of divisible goods are worth to somebody; `weights` a has one number for each good, 0 for what is
 * not wanted.
 *
 * - `linear`: Σ a·x. Goods replace each other.
 * - `cobb_douglas`: Π x^a, with weights that are scaled to 1. A fixed part of the budget goes to each good.
 * - `ces`: (Σ a·x^rho)^(1/rho), with constant elasticity of substitution 1/(1 − rho).
 * - `leontief`: min x/a. Goods are of use in these proportions only.
 */
export type Utility =
  | {
      readonly kind: 'linear' | 'cobb_douglas' | 'leontief';
      readonly weights: readonly number[];
    }
  | {
      readonly kind: 'ces';
      readonly weights: readonly number[];
      /** −20 to 0.9, at least 0.01 away from 0: above 0 goods replace each other, below they complement each other. */
      readonly rho: number;
    };

/** Least and greatest weight that is not 0. */
const weightMin = 1e-9;
const weightMax = 1e9;

/** Reads a utility. */
export function parseUtility(value: unknown): Parsed<Utility> {
  if (!isRecord(value)) return unparsed(`utility: expected { kind, weights }, got ${shown(value)}`);
  const { kind, weights, rho } = value;
  const extra = unknownField(value, ['kind', 'weights', ...(kind === 'ces' ? ['rho'] : [])]);
  if (extra !== undefined) return unparsed(`utility: unknown field ${shown(extra)}`);
  const read = parseNumbers('utility.weights', weights);
  if (!read.ok) return read;
  const wrong = read.value.find((weight) => weight !== 0 && !isWeight(weight));
  if (wrong !== undefined) {
    return unparsed(
      `utility.weights: expected numbers from ${weightMin} to ${weightMax}, or 0, got ${wrong}`,
    );
  }
  if (read.value.every((weight) => weight === 0)) {
    return unparsed('utility.weights: expected at least one above 0');
  }
  switch (kind) {
    case 'linear':
    case 'cobb_douglas':
    case 'leontief':
      return parsed({ kind, weights: read.value });
    case 'ces':
      return typeof rho === 'number' && rho >= -20 && rho <= 0.9 && Math.abs(rho) >= 0.01
        ? parsed({ kind, weights: read.value, rho })
        : unparsed(
            `utility.rho: expected −20 to 0.9, at least 0.01 away from 0, got ${shown(rho)}`,
          );
    default:
      return unparsed(
        `utility.kind: expected linear, cobb_douglas, ces or leontief, got ${shown(kind)}`,
      );
  }
}

function isWeight(weight: number): boolean {
  return weight >= weightMin && weight <= weightMax;
}

/** Reads a list of finite numbers of at least 0. There is no −0 in what it returns: JSON has none. */
export function parseNumbers(field: string, value: unknown): Parsed<readonly number[]> {
  if (!Array.isArray(value) || value.length > goodsMax) {
    return unparsed(`${field}: expected up to ${goodsMax} numbers, got ${shown(value)}`);
  }
  const list: readonly unknown[] = value;
  const numbers: number[] = [];
  for (const [index, each] of list.entries()) {
    if (typeof each !== 'number' || !Number.isFinite(each) || each < 0) {
      return unparsed(`${field}[${index}]: expected a number of at least 0, got ${shown(each)}`);
    }
    numbers.push(each + 0);
  }
  return parsed(numbers);
}

/** Most goods of a market. */
export const goodsMax = 1_000;

/** Reads names of goods, no two alike. */
export function parseGoods(field: string, value: unknown): Parsed<readonly string[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > goodsMax) {
    return unparsed(`${field}: expected 1 to ${goodsMax} names, got ${shown(value)}`);
  }
  const list: readonly unknown[] = value;
  const goods = list.filter(
    (good) => typeof good === 'string' && good !== '' && good.length <= 256,
  );
  const wrong = list.find((good) => !goods.includes(good));
  if (wrong !== undefined || goods.length < list.length) {
    return unparsed(`${field}: expected names of 1 to 256 characters, got ${shown(wrong)}`);
  }
  return new Set(goods).size === goods.length
    ? parsed(goods.map(String))
    : unparsed(`${field}: expected names that differ`);
}

/** The logarithm of what amounts are worth: −Infinity when they are of no use. */
export function lnUtility(utility: Utility, amounts: readonly number[]): number {
  const { kind, weights } = utility;
  const amount = (good: number): number => amounts[good] ?? 0;
  switch (kind) {
    case 'linear':
      return ln(sum(weights, (weight, good) => weight * amount(good)));
    case 'cobb_douglas': {
      const all = sum(weights, (weight) => weight);
      return sum(weights, (weight, good) => (weight / all) * ln(amount(good)));
    }
    case 'ces':
      return (
        ln(sum(weights, (weight, good) => weight * power(amount(good), utility.rho))) / utility.rho
      );
    case 'leontief': {
      const least = weights.map((weight, good) => (weight > 0 ? amount(good) / weight : Infinity));
      return ln(Math.min(...least));
    }
  }
}

/** The logarithm of the most that one unit of money buys at these prices: Infinity when something wanted is free. */
export function lnBest(utility: Utility, prices: readonly number[]): number {
  const { kind, weights } = utility;
  const price = (good: number): number => prices[good] ?? 0;
  switch (kind) {
    case 'linear': {
      const perUnit = weights.map((weight, good) => (weight > 0 ? weight / price(good) : 0));
      return ln(Math.max(...perUnit));
    }
    case 'cobb_douglas': {
      const all = sum(weights, (weight) => weight);
      return sum(weights, (weight, good) => (weight / all) * ln(weight / all / price(good)));
    }
    case 'ces': {
      const { rho } = utility;
      // The cost of a unit of utility is (Σ a^s · p^(1 − s))^(1/(1 − s)) with elasticity s = 1/(1 − rho).
      const s = 1 / (1 - rho);
      const costs = sum(weights, (weight, good) => exp(s * ln(weight) + (1 - s) * ln(price(good))));
      return -ln(costs) / (1 - s);
    }
    case 'leontief':
      return -ln(sum(weights, (weight, good) => weight * price(good)));
  }
}

/** Adds up what is wanted; goods without weight do not count, whatever they cost. */
function sum(weights: readonly number[], of: (weight: number, good: number) => number): number {
  let total = 0;
  for (const [good, weight] of weights.entries()) if (weight > 0) total += of(weight, good);
  return total;
}

/** The part of a utility that is missing: 1 − own/best; 0 when nothing better could be bought. */
export function regretOf(lnOwn: number, lnBestOwn: number): number {
  return Math.min(1, Math.max(0, 1 - exp(lnOwn - lnBestOwn)));
}

/**
 * How much of each good somebody would buy that has `wealth`, at prices above 0: the amounts that are worth most to it.
 * Where several goods of a linear utility are best, the money is shared evenly among them.
 */
export function demandOf(
  utility: Utility,
  prices: readonly number[],
  wealth: number,
): readonly number[] {
  const { kind, weights } = utility;
  const price = (good: number): number => prices[good] ?? 0;
  if (kind !== 'linear') {
    return spendingAt(utility, prices).map((part, good) => amountFor(part * wealth, price(good)));
  }
  const best = Math.max(...weights.map((weight, good) => (weight > 0 ? weight / price(good) : 0)));
  const chosen = weights.map((weight, good) => weight > 0 && weight / price(good) === best);
  const count = chosen.filter(Boolean).length;
  return chosen.map((isChosen, good) => (isChosen ? wealth / count / price(good) : 0));
}

/** What an amount of money buys; nothing of what is not wanted, even if it is free. */
function amountFor(money: number, price: number): number {
  return money > 0 ? money / price : 0;
}

/** Parts of the budget, of sum 1, that go to each good at these prices; of a linear utility even parts of what is wanted. */
export function spendingAt(utility: Utility, prices: readonly number[]): readonly number[] {
  const { kind, weights } = utility;
  const part = (weight: number, good: number): number => {
    if (weight === 0) return 0;
    switch (kind) {
      case 'linear':
        return 1;
      case 'cobb_douglas':
        return weight;
      case 'ces': {
        const s = 1 / (1 - utility.rho);
        return exp(s * ln(weight) + (1 - s) * ln(prices[good] ?? 0));
      }
      case 'leontief':
        return weight * (prices[good] ?? 0);
    }
  };
  return scaledTo(1, weights.map(part));
}

/** Numbers in the same proportions that add up to `total`, to the last bits. */
export function scaledTo(total: number, parts: readonly number[]): readonly number[] {
  let all = 0;
  for (const part of parts) all += part;
  return all > 0 ? parts.map((part) => total * (part / all)) : parts.map(() => 0);
}

/** By how much what somebody spends may differ from what it has, as a part of that. */
const spendingSlack = 1e-6;

/** Parts that add up to `total` but for what rounding does to sums, scaled to do so; undefined for others. */
export function spent(total: number, parts: readonly number[]): readonly number[] | undefined {
  let all = 0;
  for (const part of parts) all += part;
  return Math.abs(all - total) <= spendingSlack * total ? scaledTo(total, parts) : undefined;
}

/** Adds up lists of the same length, place by place. */
export function totalsOf(lists: Iterable<readonly number[]>, length: number): readonly number[] {
  const totals = new Float64Array(length);
  for (const list of lists) {
    for (let place = 0; place < length; place++)
      totals[place] = (totals[place] ?? 0) + (list[place] ?? 0);
  }
  return [...totals];
}
