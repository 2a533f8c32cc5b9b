import type { AgentId } from '../../message.ts';
import type { Answer, AskEffect, Effect, LossReason, Step } from '../../protocol.ts';
import { allPresent, type Attendance, attendanceAfter } from './attendance.ts';
import { ln } from './elementary.ts';
import type { Spending, SpendingRequest } from './fisher-questions.ts';
import { type BestPrices, concluded, notConverged, sharesOf } from './fisher-settlement.ts';
import { budgetOf, type FisherResult, type FisherTerms } from './fisher-spec.ts';
import { spent, totalsOf, type Utility } from './utility.ts';

/** A market between two rounds of bids. */
export interface BiddingState {
  readonly kind: 'bids';
  readonly terms: FisherTerms;
  /** The round that is under way. */
  readonly round: number;
  readonly attendance: Attendance;
  /** What those who are present have bid last; nothing of who has not bid yet. */
  readonly bids: ReadonlyMap<AgentId, readonly number[]>;
  readonly best?: BestPrices;
  /** Of those whose answers did not count. */
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

type BiddingStep = Step<BiddingState, FisherResult>;

export function startBidding(terms: FisherTerms, roster: readonly AgentId[]): BiddingStep {
  const attendance = allPresent(roster);
  return ask({ kind: 'bids', terms, round: 1, attendance, bids: new Map(), reasons: {} });
}

/**
 * The bids of a round make the prices that the next is told. Who is silent keeps its bids, and after three silent
 * rounds has its budget back. It is over when those who were told the last prices say that they are content.
 */
export function bidsRound(
  state: BiddingState,
  answers: readonly Answer<Utility | Spending>[],
): BiddingStep {
  const { terms, round } = state;
  const said = spendingOf(terms, answers);
  const attendance = attendanceAfter(state.attendance, answers, (id) => said.has(id));
  const reasons = { ...state.reasons, ...refusals(answers, said) };
  if (attendance.size === 0) return ask({ ...state, attendance, reasons });
  const gap = gapOf(state, said);
  if (gap <= terms.tolerance) {
    const bought = [...state.bids].map(([agent, bids]) => {
      const { budget = 0, shortfall = 0 } = said.get(agent) ?? {};
      return { agent, budget, bids, shortfall };
    });
    return { state, effects: concluded(bought, { terms, rounds: round - 1, gap, reasons }) };
  }
  const best = better(state, gap);
  if (round === terms.maxRounds) {
    const outbid = Object.fromEntries([...said.keys()].map((id) => [id, 'outbid' as const]));
    return { state, effects: [notConverged(best, { terms, reasons: { ...reasons, ...outbid } })] };
  }
  const bids = new Map<AgentId, readonly number[]>();
  for (const agent of attendance.keys()) {
    const bid = said.get(agent)?.bids ?? state.bids.get(agent);
    if (bid !== undefined) bids.set(agent, bid);
  }
  const next = { ...state, round: round + 1, attendance, bids, reasons, ...(best && { best }) };
  return ask(next, Number.isFinite(gap) ? gap : undefined);
}

interface Said {
  readonly budget: number;
  /** They add up to the budget. */
  readonly bids: readonly number[];
  /** Of what it was told; not known if it does not say. */
  readonly shortfall?: number;
}

/** What those have said whose answer counts: it has a bid for each good, and they add up to the budget. */
function spendingOf(
  terms: FisherTerms,
  answers: readonly Answer<Utility | Spending>[],
): ReadonlyMap<AgentId, Said> {
  const said = new Map<AgentId, Said>();
  for (const answer of answers) {
    if (answer.kind !== 'ok' || !('bids' in answer.body)) continue;
    const { bids, regret } = answer.body;
    const budget = budgetOf(terms, answer.from);
    const scaled = bids.length === terms.goods.length ? spent(budget, bids) : undefined;
    if (scaled === undefined) continue;
    const shortfall = regret === undefined ? {} : { shortfall: Math.max(0, -ln(1 - regret)) };
    said.set(answer.from, { budget, bids: scaled, ...shortfall });
  }
  return said;
}

/** Answers that came and did not count. Who is heard later has its reason from the end. */
function refusals(
  answers: readonly Answer<unknown>[],
  said: ReadonlyMap<AgentId, Said>,
): Readonly<Record<AgentId, LossReason>> {
  const refused = answers.filter(({ kind, from }) => kind === 'ok' && !said.has(from));
  return Object.fromEntries(refused.map(({ from }) => [from, 'invalid']));
}

/**
 * How far the bids of the round before were from an equilibrium: Infinity when somebody who had bid does not say, or
 * somebody has come in since.
 */
function gapOf({ bids }: BiddingState, said: ReadonlyMap<AgentId, Said>): number {
  if ([...said.keys()].some((agent) => !bids.has(agent))) return Infinity;
  let gap = 0;
  let all = 0;
  for (const agent of bids.keys()) {
    const { budget = 0, shortfall = Infinity } = said.get(agent) ?? {};
    if (shortfall === Infinity) return Infinity;
    gap += budget * shortfall;
    all += budget;
  }
  return all > 0 ? gap / all : Infinity;
}

function better(state: BiddingState, gap: number): BestPrices | undefined {
  if (!(gap < (state.best?.gap ?? Infinity))) return state.best;
  return { gap, prices: pricesOf(state) };
}

function pricesOf({ bids, terms }: Pick<BiddingState, 'bids' | 'terms'>): readonly number[] {
  return totalsOf(bids.values(), terms.goods.length);
}

function ask(state: BiddingState, gap?: number): BiddingStep {
  const { terms, attendance, bids, reasons } = state;
  if (attendance.size === 0) {
    return { state, effects: [{ kind: 'finish', decision: { status: 'no_deal', reasons } }] };
  }
  const { goods, roundMs: budgetMs } = terms;
  const prices = pricesOf(state);
  const asks = [...attendance.keys()].map((agent): AskEffect => {
    const own = bids.get(agent);
    const last = own && { prices, bids: own, shares: sharesOf(own, prices) };
    const body: SpendingRequest = { goods, budget: budgetOf(terms, agent), ...(last && { last }) };
    return { kind: 'ask', to: [agent], type: 'get_spending', body, budgetMs };
  });
  const facts = { buyers: attendance.size, ...(gap === undefined ? {} : { gap }) };
  const effects: Effect<FisherResult>[] = [{ kind: 'emit', name: 'bids', facts }, ...asks];
  return { state, effects };
}
