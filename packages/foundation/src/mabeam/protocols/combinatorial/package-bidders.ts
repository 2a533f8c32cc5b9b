import type { Amount } from '../../amount.ts';
import type { PackageBid } from './package-bids.ts';

/** Bids for who wants each good for itself, whatever else it gets. */
export function additive(values: Readonly<Record<string, Amount>>): readonly PackageBid[] {
  return Object.entries(values).map(([name, amount]) => {
    return { goods: [name], amount, xorGroup: name };
  });
}

/** Bids for who wants one good and no second. */
export function unitDemand(values: Readonly<Record<string, Amount>>): readonly PackageBid[] {
  return Object.entries(values).map(([name, amount]) => ({ goods: [name], amount }));
}

/**
 * The same bids for who has no more than `budget`: none is above it, and where several groups could win more together,
 * only one bid wins.
 */
export function withinBudget(bids: readonly PackageBid[], budget: Amount): readonly PackageBid[] {
  const capped = bids.map((bid) => (bid.amount > budget ? { ...bid, amount: budget } : bid));
  const most = mostPayable(capped);
  return most <= budget ? capped : capped.map(({ goods, amount }) => ({ goods, amount }));
}

/** What could be paid for bids at most: one wins of each group. */
export function mostPayable(bids: readonly PackageBid[]): Amount {
  let most = 0n;
  for (const group of Map.groupBy(bids, ({ xorGroup }) => xorGroup).values()) {
    most += group.reduce((best, { amount }) => (amount > best ? amount : best), 0n);
  }
  return most;
}
