import type { Amount } from '../../amount.ts';
import { isRecord, shown } from '../../parse.ts';
import type { Claim } from '../../protocol.ts';
import { worthOf } from '../auction-terms.ts';
import {
  type CombinatorialResult,
  type PackageWinner,
  winnersOf,
} from './combinatorial-outcome.ts';
import { type CombinatorialSpec, parseCombinatorialSpec } from './combinatorial-spec.ts';
import { priceBound } from './good-prices.ts';
import { conflictIn, type Lots, lotsOf, welfareOf } from './lots.ts';

/**
 * Checks winners, sums and prices against the bids, and the bound against prices of goods that prove it. That nothing
 * is better where those prices leave a gap, and what bids are worth without a winner, is the solver's word.
 */
export function problemsOf(
  given: CombinatorialSpec,
  claim: Claim<CombinatorialResult>,
): readonly string[] {
  const { result } = claim;
  const spec = parseCombinatorialSpec(given);
  if (result === undefined || !spec.ok) return [];
  const lots = lotsOf(spec.value.side, spec.value.goods, result.bids);
  const allocation = result.winners.flatMap(({ bids }) => bids);
  const conflict = conflictIn(lots, allocation);
  if (conflict !== undefined) return [`winners: ${conflict}`];
  return [
    ...sumProblems(lots, result),
    ...priceProblems(lots, claim, result),
    ...boundProblems(lots, claim, result),
  ];
}

function sumProblems(lots: Lots, { winners, welfare, total }: CombinatorialResult): string[] {
  const amount = worthOf(lots.side);
  const problems: string[] = [];
  const allocation = winners.flatMap(({ bids }) => bids);
  const due = winnersOf(lots, allocation);
  for (const [place, winner] of winners.entries()) {
    const own = due[place];
    if (own?.agent !== winner.agent || amount(own.worth) !== winner.amount) {
      problems.push(`winners[${place}]: not what its bids add up to`);
    }
  }
  if (welfare !== amount(welfareOf(lots, allocation))) {
    problems.push(`welfare: ${shown(welfare)} is not what the winning bids add up to`);
  }
  if (total !== winners.reduce((sum, { price }) => sum + price, 0n)) {
    problems.push(`total: ${shown(total)} is not what the prices add up to`);
  }
  return problems;
}

// oxlint-disable-next-line max-params -- of what, what is claimed, its result
function priceProblems(
  lots: Lots,
  { certificate }: Claim<CombinatorialResult>,
  { winners, pricing, welfare }: CombinatorialResult,
): string[] {
  const worth = worthOf(lots.side);
  const problems: string[] = [];
  const say = ({ agent, price }: PackageWinner, why: string): void => {
    problems.push(`${agent} has the price ${price}, ${why}`);
  };
  for (const winner of winners) {
    const { agent, amount, price } = winner;
    if (worth(price) > worth(amount)) say(winner, 'which is worse than its bid');
    if (price < 0n) say(winner, 'which is negative');
    if (pricing === 'first') {
      if (price !== amount) say(winner, 'which is not what it bid');
      continue;
    }
    const without = amountIn(certificate?.data?.['without'], agent);
    if (without === undefined) {
      say(winner, 'and nothing says what bids are worth without it');
      continue;
    }
    const vcg = worth(without) - (worth(welfare) - worth(amount));
    const isDue = pricing === 'vcg' ? worth(price) === vcg : worth(price) >= vcg;
    if (!isDue) say(winner, `though its presence costs the others ${worth(vcg)}`);
  }
  return [...problems, ...coalitionProblems(lots, certificate?.data?.['coalitions'], winners)];
}

// oxlint-disable-next-line max-params -- of what, what is claimed, among whom
function coalitionProblems(
  lots: Lots,
  coalitions: unknown,
  winners: readonly PackageWinner[],
): readonly string[] {
  if (!Array.isArray(coalitions)) return [];
  const worth = worthOf(lots.side);
  return coalitions.flatMap((coalition: unknown) => {
    const { payers, amount } = isRecord(coalition) ? coalition : {};
    if (!Array.isArray(payers) || typeof amount !== 'bigint') return ['coalitions: unreadable'];
    const paid = winners.reduce(
      (sum, { agent, price }) => (payers.includes(agent) ? sum + worth(price) : sum),
      0n,
    );
    return paid < worth(amount) ? [`${payers.join(', ')} pay less than others have offered`] : [];
  });
}

// oxlint-disable-next-line max-params -- of what, what is claimed, its result
function boundProblems(
  lots: Lots,
  { certificate, status }: Claim<CombinatorialResult>,
  { welfare }: CombinatorialResult,
): readonly string[] {
  const worth = worthOf(lots.side);
  const goods = certificate?.data?.['goods'];
  if (isRecord(goods)) {
    const { prices, partsOfOne } = goods;
    const parts = typeof partsOfOne === 'bigint' && partsOfOne > 0n ? partsOfOne : undefined;
    if (!isPrices(prices) || parts === undefined) return ['goods: prices that make no sense'];
    const bound = priceBound(lots, { prices, partsOfOne: parts });
    if (worth(welfare) > bound) return [`welfare: ${welfare} is beyond what prices of goods allow`];
    if (Number(worth(bound)) !== certificate?.bound && status === 'decided' && lots.isExact) {
      // The solver may prove more than prices do, never less.
      const claimed = certificate?.bound ?? Number.NaN;
      if (!(worth(1n) * BigInt(Math.round(claimed)) <= bound)) {
        return [`bound: ${claimed} is beyond what prices of goods allow`];
      }
    }
  }
  if (certificate?.bound === undefined || certificate.gap === undefined) return [];
  const gap = Math.abs(certificate.bound - Number(welfare));
  return gap === certificate.gap ? [] : [`gap: ${certificate.gap}, not ${gap}`];
}

function isPrices(value: unknown): value is Readonly<Record<string, Amount>> {
  return (
    isRecord(value) &&
    Object.values(value).every((price) => typeof price === 'bigint' && price >= 0n)
  );
}

function amountIn(amounts: unknown, agent: string): Amount | undefined {
  const amount = isRecord(amounts) ? amounts[agent] : undefined;
  return typeof amount === 'bigint' ? amount : undefined;
}
