import { type Call, called, regretful, type Trader } from './exchange-settlement.ts';
import { priceMin, worthAt } from './tatonnement.ts';
import { scaledTo, totalsOf, type Utility } from './utility.ts';

/** A trader of whom it is known what goods are worth to it. */
export interface UtilityTrader extends Omit<Trader, 'demand'> {
  readonly utility: Utility;
}

/** What a trader has of the money that goes round, and what it bids for each good. */
interface Purse {
  readonly money: number;
  readonly bids: readonly number[];
}

/** Which part of its money a trader spends in a round. With all of it prices may go to and fro for ever. */
const spentPart = 0.5;

/**
 * The calls of a linear exchange by lazy proportional response (Brânzei, Devanur and Rabani 2021): each trader bids a part
 * of its money, for each good in proportion to what that good gave it in the round before; each good is shared in
 * proportion to the bids for it, and what was bid goes to those who bring it. Allocations and prices converge.
 *
 * @yields prices, and what traders would have at them
 */
export function* lazyResponses(
  traders: readonly UtilityTrader[],
  goods: number,
): Generator<Call, never> {
  const supply = totalsOf(
    traders.map(({ endowment }) => endowment),
    goods,
  );
  let purses = traders.map(({ endowment, utility: { weights } }): Purse => {
    const money = partsOf(endowment, supply);
    const wanted = weights.map((weight, good) => Number(weight > 0 && (supply[good] ?? 0) > 0));
    return { money, bids: scaledTo(spentPart * money, wanted) };
  });
  for (;;) {
    const totals = totalsOf(
      purses.map(({ bids }) => bids),
      goods,
    );
    const unitPrices = totals.map((total, good) => perUnit(total, supply[good] ?? 0));
    yield callAt(unitPrices, { traders, purses });
    purses = traders.map((trader, index): Purse => {
      const { money, bids } = purses[index] ?? { money: 0, bids: [] };
      const rest = money - sumOf(bids) + worthAt(unitPrices, trader.endowment);
      const gave = trader.utility.weights.map(
        (weight, good) => weight * perUnit(bids[good] ?? 0, unitPrices[good] ?? 0),
      );
      return { money: rest, bids: scaledTo(spentPart * rest, gave) };
    });
  }
}

/** Prices by what was bid. Each trader would spend what it brings as it has bid. */
function callAt(
  unitPrices: readonly number[],
  how: { readonly traders: readonly UtilityTrader[]; readonly purses: readonly Purse[] },
): Call {
  // Where nobody bids, all prices are alike.
  const floor = priceMin * (sumOf(unitPrices) || 1);
  const prices = scaledTo(
    1,
    unitPrices.map((price) => Math.max(price, floor)),
  );
  const wishes = how.traders.map((trader, index): Trader => {
    const spending = scaledTo(worthAt(prices, trader.endowment), how.purses[index]?.bids ?? []);
    return { ...trader, demand: spending.map((money, good) => perUnit(money, prices[good] ?? 0)) };
  });
  return regretful(called(prices, wishes));
}

/** How much of everything some amounts are, all goods counting alike. */
function partsOf(amounts: readonly number[], supply: readonly number[]): number {
  return sumOf(amounts.map((amount, good) => perUnit(amount, supply[good] ?? 0)));
}

function perUnit(amount: number, units: number): number {
  return units > 0 ? amount / units : 0;
}

function sumOf(numbers: readonly number[]): number {
  let sum = 0;
  for (const each of numbers) sum += each;
  return sum;
}
