import type { AgentId } from '../../message.ts';
import type { Claim, Effect, FinishEffect, LossReason } from '../../protocol.ts';
import { exp, ln } from './elementary.ts';
import type { SharesNotice } from './fisher-questions.ts';
import type { FisherBuyer, FisherResult, FisherTerms } from './fisher-spec.ts';
import { lnBest, lnUtility, totalsOf, type Utility } from './utility.ts';

/** A buyer whose bids stand. */
export interface Bought {
  readonly agent: AgentId;
  readonly budget: number;
  readonly bids: readonly number[];
  /** ln(best utility / own utility). */
  readonly shortfall: number;
  readonly utility?: Utility;
}

type Reasons = Readonly<Record<AgentId, LossReason>>;

/** Ends a market with what everybody gets, and tells them. */
export function concluded(
  bought: readonly Bought[],
  how: {
    readonly terms: FisherTerms;
    readonly rounds: number;
    readonly gap: number;
    readonly reasons: Reasons;
  },
): readonly Effect<FisherResult>[] {
  const { terms, rounds, gap, reasons } = how;
  const { goods, tolerance } = terms;
  const prices = totalsOf(
    bought.map(({ bids }) => bids),
    goods.length,
  );
  const buyers = bought.map(({ shortfall, ...buyer }): FisherBuyer => {
    return { ...buyer, shares: sharesOf(buyer.bids, prices), regret: regretAt(shortfall) };
  });
  const tells = buyers.map(({ agent, shares, budget: paid }) => {
    const body: SharesNotice = { goods, prices, shares, paid };
    return { kind: 'tell' as const, to: [agent], type: 'shares', body };
  });
  const won = Object.fromEntries(buyers.map(({ agent }) => [agent, 'won' as const]));
  const decision = {
    status: 'decided' as const,
    result: { goods, prices, buyers, rounds },
    certificate: { kind: 'equilibrium' as const, gap, data: { tolerance } },
    reasons: { ...reasons, ...won },
  };
  return [...tells, { kind: 'finish', decision }];
}

/** The part of each good that bids buy; nothing of what nobody bids for. */
export function sharesOf(bids: readonly number[], prices: readonly number[]): readonly number[] {
  return bids.map((bid, good) => (bid > 0 ? bid / (prices[good] ?? 0) : 0));
}

/** ln(best/own) as the part of the best that is missing. */
function regretAt(shortfall: number): number {
  return Math.max(0, 1 - exp(-shortfall));
}

/** The prices with the least gap that a market has come to. */
export interface BestPrices {
  readonly gap: number;
  readonly prices: readonly number[];
}

/** Ends a market without a result: how near it came stands in the certificate. */
export function notConverged(
  best: BestPrices | undefined,
  { terms, reasons }: { readonly terms: FisherTerms; readonly reasons: Reasons },
): FinishEffect<FisherResult> {
  const { tolerance } = terms;
  const data = { tolerance, ...(best && { prices: best.prices }) };
  const gap = best !== undefined && Number.isFinite(best.gap) ? { gap: best.gap } : {};
  return {
    kind: 'finish',
    decision: {
      status: 'not_converged',
      certificate: { kind: 'equilibrium', ...gap, data },
      reasons,
    },
  };
}

/** What sums of rounded numbers may differ by, as a part of them. */
const slack = 1e-9;

/** Adds everything up again, and works out the gap from prices, shares and utilities. */
export function fisherProblems(
  { goods, tolerance, mode }: FisherTerms,
  { result, certificate }: Claim<FisherResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { buyers, prices } = result;
  const problems: string[] = [];
  const near = (what: string, found: number, due: number): void => {
    if (Math.abs(found - due) <= slack * Math.max(1, Math.abs(due))) return;
    problems.push(`${what} is ${found}, not ${due}`);
  };
  const paid = totalsOf(
    buyers.map(({ bids }) => bids),
    goods.length,
  );
  for (const [good, name] of goods.entries()) {
    near(`the price of ${name}`, prices[good] ?? 0, paid[good] ?? 0);
  }
  let gap = 0;
  let all = 0;
  for (const { agent, budget, bids, shares, regret, utility } of buyers) {
    near(
      `what ${agent} spends`,
      bids.reduce((total, bid) => total + bid, 0),
      budget,
    );
    for (const [good, share] of sharesOf(bids, prices).entries()) {
      near(`the share of ${agent} in ${goods[good]}`, shares[good] ?? 0, share);
    }
    if ((utility === undefined) === (mode === 'utility')) problems.push(`${agent} has no utility`);
    const shortfall =
      utility === undefined
        ? -ln(1 - regret)
        : ln(budget) + lnBest(utility, prices) - lnUtility(utility, shares);
    near(`the regret of ${agent}`, regret, regretAt(shortfall));
    gap += budget * shortfall;
    all += budget;
  }
  near('the gap', certificate?.gap ?? Infinity, Math.max(0, gap / all));
  if (!(gap / all <= tolerance + slack)) problems.push(`the gap ${gap / all} is no equilibrium`);
  return problems;
}
