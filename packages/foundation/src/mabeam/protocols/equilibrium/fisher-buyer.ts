import type { ParticipantHandlers } from '../../participant.ts';
import { ln, power } from './elementary.ts';
import type { Spending, SpendingQuestion } from './fisher-questions.ts';
import { lnBest, lnUtility, regretOf, scaledTo, spendingAt, type Utility } from './utility.ts';

/** What goods are worth to a trader, or what its process makes of it. */
export type UtilityOf<C> = Utility | ((ctx: C) => Utility);

/**
 * A buyer of a Fisher market that says what goods are worth to it, or, where it is asked for bids, moves them by
 * proportional response: the same as the coordinator computes when it knows the utility.
 */
export function fisherBuyer<C>(
  utility: UtilityOf<C>,
): Required<Pick<ParticipantHandlers<C>, 'utility' | 'spend'>> {
  const own = (ctx: C): Utility => (typeof utility === 'function' ? utility(ctx) : utility);
  return {
    utility: own,
    spend: (ctx, question) => proportionalResponse(own(ctx), question),
  };
}

/**
 * The next bids of a buyer, and how content it is with what the last have bought. It bids for each of its weights: with
 * more or fewer of them than there are goods its answer does not count, as when it says its utility.
 */
export function proportionalResponse(
  utility: Utility,
  { budget, last }: SpendingQuestion,
): Spending {
  if (last === undefined) return { bids: scaledTo(budget, firstParts(utility)) };
  const { prices, shares } = last;
  const best = ln(budget) + lnBest(utility, prices);
  const regret = regretOf(lnUtility(utility, shares), best);
  return { bids: scaledTo(budget, partsAfter(utility, prices, shares)), regret };
}

function firstParts({ kind, weights }: Utility): readonly number[] {
  return kind === 'cobb_douglas' ? weights : weights.map((weight) => (weight > 0 ? 1 : 0));
}

// oxlint-disable-next-line max-params -- for whom, what it cost, what it bought
function partsAfter(
  utility: Utility,
  prices: readonly number[],
  shares: readonly number[],
): readonly number[] {
  const { kind, weights } = utility;
  if (kind === 'linear') return weights.map((weight, good) => weight * (shares[good] ?? 0));
  if (kind !== 'ces' || utility.rho < 0) return spendingAt(utility, prices);
  const { rho } = utility;
  return weights.map((weight, good) => weight * power(shares[good] ?? 0, rho));
}
