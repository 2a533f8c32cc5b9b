import type { AgentId } from '../../message.ts';
import type { Claim, Effect, FinishEffect, LossReason } from '../../protocol.ts';
import type { TradeNotice } from './exchange-questions.ts';
import {
  endowmentOf,
  type ExchangeResult,
  type ExchangeTerms,
  type ExchangeTrader,
} from './exchange-spec.ts';
import { excessOf, residualOf, type Wish, worthAt } from './tatonnement.ts';
import { demandOf, totalsOf, type Utility } from './utility.ts';

/** Somebody who says what it would have. */
export interface Trader extends Wish {
  readonly agent: AgentId;
  readonly utility?: Utility;
}

/** Prices, and what comes of them. */
export interface BestCall {
  readonly prices: readonly number[];
  /** What is missing of each good; below 0: left over. */
  readonly excess: readonly number[];
  /** The largest part of a good that is missing. */
  readonly residual: number;
}

/** Prices that were called, and what traders would have at them. */
export interface Call extends BestCall {
  readonly traders: readonly Trader[];
}

type Reasons = Readonly<Record<AgentId, LossReason>>;

export function called(prices: readonly number[], traders: readonly Trader[]): Call {
  const excess = excessOf(traders, prices.length);
  return { prices, traders, excess, residual: residualOf(excess, traders) };
}

/** The same of linear utilities: a residual is also the part of the best utility that somebody misses. */
export function regretful(call: Call): Call {
  let { residual } = call;
  for (const each of call.traders) residual = Math.max(residual, linearRegret(call.prices, each));
  return { ...call, residual };
}

function linearRegret(prices: readonly number[], { utility, endowment, demand }: Trader): number {
  const wealth = worthAt(prices, endowment);
  if (wealth === 0) return 0;
  const { weights = [] } = utility ?? {};
  const perMoney = weights.map((weight, good) => (weight > 0 ? weight / (prices[good] ?? 0) : 0));
  return Math.max(0, 1 - worthAt(weights, demand) / (wealth * Math.max(...perMoney)));
}

/** Ends an exchange with what everybody has, and tells them. */
export function concluded(
  { prices, traders: wishes, excess, residual }: Call,
  how: { readonly terms: ExchangeTerms; readonly rounds: number; readonly reasons: Reasons },
): readonly Effect<ExchangeResult>[] {
  const { goods, tolerance } = how.terms;
  const bundles = rationed(wishes, excess);
  const traders = wishes.map((wish, index): ExchangeTrader => {
    return { ...wish, bundle: bundles[index] ?? [] };
  });
  const tells = traders.map(({ agent, bundle }) => {
    const body: TradeNotice = { goods, prices, bundle };
    return { kind: 'tell' as const, to: [agent], type: 'trade', body };
  });
  const won = Object.fromEntries(traders.map(({ agent }) => [agent, 'won' as const]));
  const decision = {
    status: 'decided' as const,
    result: { goods, prices, traders, rounds: how.rounds },
    certificate: { kind: 'equilibrium' as const, gap: residual, data: { tolerance, excess } },
    reasons: { ...how.reasons, ...won },
  };
  return [...tells, { kind: 'finish', decision }];
}

/** What there is goes round: of what is missing a little, everybody gets less in proportion. */
function rationed(
  wishes: readonly Wish[],
  excess: readonly number[],
): readonly (readonly number[])[] {
  const wanted = totalsOf(
    wishes.map(({ demand }) => demand),
    excess.length,
  );
  const parts = excess.map((missing, good) => {
    const all = wanted[good] ?? 0;
    return missing > 0 ? (all - missing) / all : 1;
  });
  return wishes.map(({ demand }) => demand.map((amount, good) => amount * (parts[good] ?? 1)));
}

interface UnsettledBy {
  readonly terms: ExchangeTerms;
  /** Rounds after which it ended. @defaultValue all there may be */
  readonly rounds?: number;
  readonly call: Call;
  readonly reasons: Reasons;
}

/** Ends an exchange without a result: how near it came stands in the certificate. */
export function unsettled(
  best: BestCall | undefined,
  { terms: { tolerance, maxRounds }, rounds = maxRounds, call, reasons }: UnsettledBy,
): FinishEffect<ExchangeResult> {
  const { prices, excess, residual = Infinity } = best ?? {};
  const data = { tolerance, ...(best && { prices, excess }) };
  const gap = Number.isFinite(residual) ? { gap: residual } : {};
  const outbid = Object.fromEntries(call.traders.map(({ agent }) => [agent, 'outbid' as const]));
  return {
    kind: 'finish',
    decision: {
      status: 'not_converged',
      ...(rounds < maxRounds && {
        detail: `it ended after ${rounds} of ${maxRounds} rounds: so many amounts are not computed in one go`,
      }),
      certificate: { kind: 'equilibrium', ...gap, data },
      reasons: { ...reasons, ...outbid },
    },
  };
}

/** What sums of rounded numbers may differ by, as a part of them. */
const slack = 1e-9;

/** Works demand out again where utilities are known, and adds everything up. */
export function exchangeProblems(
  terms: ExchangeTerms,
  { result, certificate }: Claim<ExchangeResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { traders, prices } = result;
  const { goods, mode, method, tolerance } = terms;
  const isResponse = method === 'lazy_proportional_response';
  const problems: string[] = [];
  const near = (what: string, found: number, due: number): void => {
    if (Math.abs(found - due) <= slack * Math.max(1, Math.abs(due))) return;
    problems.push(`${what} is ${found}, not ${due}`);
  };
  near(
    'the sum of prices',
    worthAt(
      prices,
      goods.map(() => 1),
    ),
    1,
  );
  const call = called(prices, traders);
  const { excess, residual } = isResponse ? regretful(call) : call;
  const bundles = rationed(traders, excess);
  for (const [index, { agent, endowment, demand, bundle, utility }] of traders.entries()) {
    const wealth = worthAt(prices, endowment);
    near(`what the demand of ${agent} costs`, worthAt(prices, demand), wealth);
    // Of equally good ones a linear utility may have any: by how much they are worse, the gap says.
    const isFree = utility === undefined || isResponse;
    const best = isFree ? demand : demandOf(utility, prices, wealth);
    if (isResponse && utility?.kind !== 'linear') problems.push(`${agent} has no linear utility`);
    if ((utility === undefined) === (mode === 'utility')) problems.push(`${agent} has no utility`);
    for (const [good, name] of goods.entries()) {
      const own = endowmentOf(terms, agent)[good] ?? 0;
      near(`what ${agent} brings of ${name}`, endowment[good] ?? 0, own);
      near(`what ${agent} would have of ${name}`, demand[good] ?? 0, best[good] ?? 0);
      near(`what ${agent} has of ${name}`, bundle[good] ?? 0, bundles[index]?.[good] ?? 0);
    }
  }
  near('the gap', certificate?.gap ?? Infinity, residual);
  if (!(residual <= tolerance + slack)) problems.push(`at the gap ${residual} goods are missing`);
  return problems;
}
