import { exp } from './elementary.ts';
import { scaledTo, totalsOf } from './utility.ts';

/** What somebody brings, and what it would have. */
export interface Wish {
  readonly endowment: readonly number[];
  readonly demand: readonly number[];
}

/** No price is below this part of all, so that everybody can say how much it wants of what is nearly free. */
export const priceMin = 1e-12;

/** What a trader's endowment is worth. */
export function worthAt(prices: readonly number[], amounts: readonly number[]): number {
  let worth = 0;
  for (const [good, amount] of amounts.entries()) worth += amount * (prices[good] ?? 0);
  return worth;
}

/** What is wanted of each good beyond what there is; less than 0 where there is more than is wanted. */
export function excessOf(wishes: readonly Wish[], goods: number): readonly number[] {
  const wanted = totalsOf(
    wishes.map(({ demand }) => demand),
    goods,
  );
  const supply = totalsOf(
    wishes.map(({ endowment }) => endowment),
    goods,
  );
  return wanted.map((amount, good) => amount - (supply[good] ?? 0));
}

/**
 * The largest part of a good that is missing. As the value of all excess is 0 (Walras), what is left over of others is
 * then worth at most this part of everything: 0 is an equilibrium.
 */
export function residualOf(excess: readonly number[], wishes: readonly Wish[]): number {
  const supply = totalsOf(
    wishes.map(({ endowment }) => endowment),
    excess.length,
  );
  let residual = 0;
  for (const [good, missing] of excess.entries()) {
    if (missing > 0) residual = Math.max(residual, missing / (supply[good] ?? 0));
  }
  return residual;
}

/** Prices of sum 1. */
export function normalized(prices: readonly number[]): readonly number[] {
  return scaledTo(1, prices);
}

/**
 * The next prices of a tâtonnement (Walras 1874): what is missing gets dearer, what is left over cheaper. It need not
 * come to an end: Scarf (1960) has an economy in which it circles for ever.
 *
 * @param how - `supply`: by what excess is measured. A price changes by a factor e, or by 1, at most.
 */
export function nextPrices(
  prices: readonly number[],
  excess: readonly number[],
  how: {
    readonly rule: 'multiplicative' | 'additive';
    readonly step: number;
    readonly supply: readonly number[];
  },
): readonly number[] {
  const moved = prices.map((price, good) => {
    const push = (how.step * (excess[good] ?? 0)) / (how.supply[good] ?? 1);
    const move = Math.min(1, Math.max(-1, push));
    return Math.max(priceMin, how.rule === 'additive' ? price + move : price * exp(move));
  });
  return normalized(moved);
}
