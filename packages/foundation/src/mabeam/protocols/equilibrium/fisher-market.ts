import type { AgentId } from '../../message.ts';
import type { Answer, Protocol, Step } from '../../protocol.ts';
import { type Buyer, fisherEquilibrium } from './fisher-kernel.ts';
import { parseSpending, type Spending } from './fisher-questions.ts';
import { bidsRound, type BiddingState, startBidding } from './fisher-rounds.ts';
import { concluded, fisherProblems, notConverged } from './fisher-settlement.ts';
import {
  budgetOf,
  type FisherResult,
  type FisherSpec,
  type FisherTerms,
  messageRoundsMax,
  parseFisherSpec,
} from './fisher-spec.ts';
import { parseUtility, type Utility } from './utility.ts';

/** A Fisher market. Its state is its terms until it has bids to remember. */
export type FisherMarket = Protocol<FisherSpec, Utility | Spending, FisherState, FisherResult>;

type FisherState = { readonly kind: 'utility'; readonly terms: FisherTerms } | BiddingState;

/** Bids that are computed in one go: more rounds than make up this many end it as `not_converged`. */
const workMax = 2e8;

/**
 * Divides goods among buyers with budgets so that everybody gets the best that its budget buys at the prices that come
 * of it, and everything that is wanted is sold (Fisher 1891; Eisenberg and Gale 1959). See `fisherEquilibrium` for how.
 */
export const fisherMarket: FisherMarket = {
  name: 'market.fisher',
  version: '1.0.0',
  traits: {
    // Who understates how much it wants what only it wants gets more of the rest.
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'weak',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => messageRoundsMax,
    maxMessages: (n) => (2 * messageRoundsMax + 1) * n,
  },
  parseSpec: parseFisherSpec,
  parseReply: (type, body) => (type === 'get_utility' ? parseUtility(body) : parseSpending(body)),
  init(spec, roster) {
    const terms = termsOf(spec);
    for (const agent of roster) budgetOf(terms, agent);
    if (terms.mode === 'bids') return startBidding(terms, roster);
    const { goods, roundMs: budgetMs } = terms;
    const body = { goods };
    return {
      state: { kind: 'utility', terms },
      effects: [{ kind: 'ask', to: roster, type: 'get_utility', body, budgetMs }],
    };
  },
  on(state, { answers }) {
    return state.kind === 'bids' ? bidsRound(state, answers) : compute(state, answers);
  },
  verify: (spec, claim) => fisherProblems(termsOf(spec), claim),
};

function termsOf(spec: FisherSpec): FisherTerms {
  const terms = parseFisherSpec(spec);
  if (terms.ok) return terms.value;
  throw new Error(terms.reason);
}

function compute(
  state: FisherState & { readonly kind: 'utility' },
  answers: readonly Answer<Utility | Spending>[],
): Step<FisherState, FisherResult> {
  const { terms } = state;
  const { goods, tolerance } = terms;
  const strangers: AgentId[] = [];
  const buyers: (Buyer & { readonly agent: AgentId })[] = [];
  for (const answer of answers) {
    if (answer.kind !== 'ok') continue;
    const { body: utility, from: agent } = answer;
    if ('weights' in utility && utility.weights.length === goods.length) {
      buyers.push({ agent, utility, budget: budgetOf(terms, agent) });
    } else strangers.push(agent);
  }
  const invalid = Object.fromEntries(strangers.map((agent) => [agent, 'invalid' as const]));
  if (buyers.length === 0) {
    return {
      state,
      effects: [{ kind: 'finish', decision: { status: 'no_deal', reasons: invalid } }],
    };
  }
  const roundsMax = Math.min(terms.maxRounds, roundsWithin(workMax, buyers, goods.length));
  const found = fisherEquilibrium(buyers, goods.length, { tolerance, roundsMax });
  const { purchase, rounds, gap } = found;
  if (purchase === undefined) {
    const best = { gap, prices: [...found.prices] };
    const reasons = {
      ...invalid,
      ...Object.fromEntries(buyers.map(({ agent }) => [agent, 'outbid' as const])),
    };
    return { state, effects: [notConverged(best, { terms, reasons })] };
  }
  const bought = buyers.map((buyer, index) => ({
    ...buyer,
    bids: [...purchase.bids.subarray(index * goods.length, (index + 1) * goods.length)],
    shortfall: purchase.shortfalls[index] ?? 0,
  }));
  return { state, effects: concluded(bought, { terms, rounds, gap, reasons: invalid }) };
}

/** A power takes about as long as ten other steps. */
function roundsWithin(work: number, buyers: readonly Buyer[], goods: number): number {
  let weight = 0;
  for (const { utility } of buyers) weight += utility.kind === 'ces' ? 10 : 1;
  return Math.floor(work / (weight * goods));
}
