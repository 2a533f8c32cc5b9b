import type { AgentId } from '../../message.ts';
import type { Answer, AskEffect, LossReason, Protocol, Step } from '../../protocol.ts';
import { allPresent, type Attendance, attendanceAfter } from './attendance.ts';
import { type DemandReply, type DemandRequest, parseDemand } from './exchange-questions.ts';
import {
  type BestCall,
  called,
  type Call,
  concluded,
  exchangeProblems,
  type Trader,
  unsettled,
} from './exchange-settlement.ts';
import {
  endowmentOf,
  type ExchangeResult,
  type ExchangeSpec,
  type ExchangeTerms,
  parseExchangeSpec,
} from './exchange-spec.ts';
import { messageRoundsMax } from './fisher-spec.ts';
import { lazyResponses, type UtilityTrader } from './lazy-response.ts';
import { nextPrices, normalized, worthAt } from './tatonnement.ts';
import { demandOf, parseUtility, spent, totalsOf, type Utility } from './utility.ts';

/** An exchange between two rounds. */
export interface ExchangeState {
  readonly terms: ExchangeTerms;
  /** What the whole roster brings, by which excess is measured. */
  readonly supply: readonly number[];
  /** The round that is under way. */
  readonly round: number;
  readonly attendance: Attendance;
  readonly prices: readonly number[];
  /** The prices at which least was missing. */
  readonly best?: BestCall;
  /** Of those whose answers did not count. */
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

/** An exchange of goods for goods. */
export type ExchangeMarket = Protocol<
  ExchangeSpec,
  Utility | DemandReply,
  ExchangeState,
  ExchangeResult
>;

type ExchangeStep = Step<ExchangeState, ExchangeResult>;

/** Amounts that are computed in one go: more rounds than make up this many end it as `not_converged`. */
const workMax = 2e7;

/**
 * Lets traders exchange what they bring at prices at which nothing is missing (Arrow and Debreu 1954), which are
 * searched for by tâtonnement. It finds an equilibrium, of which there may be several, or none and says so.
 */
export const exchangeMarket: ExchangeMarket = {
  name: 'market.exchange',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'strong',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => messageRoundsMax,
    maxMessages: (n) => (2 * messageRoundsMax + 1) * n,
  },
  parseSpec: parseExchangeSpec,
  parseReply: (type, body) => (type === 'get_utility' ? parseUtility(body) : parseDemand(body)),
  init(spec, roster) {
    const terms = termsOf(spec);
    const supply = totalsOf(
      roster.map((agent) => endowmentOf(terms, agent)),
      terms.goods.length,
    );
    const attendance = allPresent(roster);
    const prices = normalized(terms.start);
    return ask({ terms, supply, round: 1, attendance, prices, reasons: {} });
  },
  on(state, { answers }) {
    return state.terms.mode === 'demand' ? onDemand(state, answers) : onUtilities(state, answers);
  },
  verify: (spec, claim) => exchangeProblems(termsOf(spec), claim),
};

function termsOf(spec: ExchangeSpec): ExchangeTerms {
  const terms = parseExchangeSpec(spec);
  if (terms.ok) return terms.value;
  throw new Error(terms.reason);
}

function ask(state: ExchangeState): ExchangeStep {
  const { terms, attendance, prices, reasons } = state;
  const { goods, mode, roundMs: budgetMs } = terms;
  const to = [...attendance.keys()];
  if (to.length === 0) {
    return { state, effects: [{ kind: 'finish', decision: { status: 'no_deal', reasons } }] };
  }
  if (mode === 'utility') {
    const body = { goods };
    return { state, effects: [{ kind: 'ask', to, type: 'get_utility', body, budgetMs }] };
  }
  const asks = to.map((agent): AskEffect => {
    const body: DemandRequest = { goods, prices, endowment: endowmentOf(terms, agent) };
    return { kind: 'ask', to: [agent], type: 'get_demand', body, budgetMs };
  });
  return { state, effects: asks };
}

/** Looks for prices until nothing is missing, with everybody who has said what goods are worth to it. */
function onUtilities(
  before: ExchangeState,
  answers: readonly Answer<Utility | DemandReply>[],
): ExchangeStep {
  const { terms } = before;
  const goods = terms.goods.length;
  const traders: UtilityTrader[] = [];
  const reasons = { ...before.reasons };
  for (const answer of answers) {
    if (answer.kind !== 'ok') continue;
    const { from: agent, body: utility } = answer;
    if (!('weights' in utility) || utility.weights.length !== goods) reasons[agent] = 'invalid';
    else if (terms.method !== 'tatonnement' && utility.kind !== 'linear') {
      reasons[agent] = 'not_eligible';
    } else traders.push({ agent, endowment: endowmentOf(terms, agent), utility });
  }
  const state = { ...before, attendance: new Map(traders.map(({ agent }) => [agent, 0])), reasons };
  if (traders.length === 0) return ask(state);
  const rounds = Math.min(terms.maxRounds, Math.floor(workMax / (traders.length * goods)));
  const calls =
    terms.method === 'tatonnement' ? tatonnement(state, traders) : lazyResponses(traders, goods);
  let best: BestCall | undefined;
  for (let round = 1; ; round++) {
    const call = calls.next().value;
    if (call.residual <= terms.tolerance) {
      return { state, effects: concluded(call, { terms, rounds: round, reasons }) };
    }
    best = better(best, call);
    if (round >= rounds)
      return { state, effects: [unsettled(best, { terms, rounds, call, reasons })] };
  }
}

/**
 * The calls of a tâtonnement.
 *
 * @yields prices, and what traders would have at them
 */
function* tatonnement(
  { terms, prices: start }: ExchangeState,
  traders: readonly UtilityTrader[],
): Generator<Call, never> {
  const supply = totalsOf(
    traders.map(({ endowment }) => endowment),
    terms.goods.length,
  );
  for (let prices = start; ;) {
    const here = prices;
    const wishes = traders.map((trader): Trader => {
      const wealth = worthAt(here, trader.endowment);
      return { ...trader, demand: demandOf(trader.utility, here, wealth) };
    });
    const call = called(prices, wishes);
    yield call;
    prices = nextPrices(prices, call.excess, { ...terms, supply });
  }
}

/** Takes what traders would have at the prices of this round; who says nothing that counts would have what it has. */
function onDemand(
  before: ExchangeState,
  answers: readonly Answer<Utility | DemandReply>[],
): ExchangeStep {
  const { terms, round, prices } = before;
  const { wishes, refused } = wishesOf(before, answers);
  const heard = new Set(wishes.map(({ agent }) => agent));
  const attendance = attendanceAfter(before.attendance, answers, (id) => heard.has(id));
  const reasons = { ...before.reasons };
  for (const id of refused) reasons[id] = 'over_budget';
  const call = called(prices, wishes);
  const isWhole = attendance.size === heard.size;
  const state = { ...before, attendance, reasons };
  if (attendance.size === 0) return ask(state);
  if (isWhole && call.residual <= terms.tolerance) {
    return { state, effects: concluded(call, { terms, rounds: round, reasons }) };
  }
  const best = isWhole ? better(before.best, call) : before.best;
  if (round >= terms.maxRounds) {
    return { state, effects: [unsettled(best, { terms, call, reasons })] };
  }
  const next = nextPrices(prices, call.excess, { ...terms, supply: before.supply });
  const facts = {
    traders: heard.size,
    ...(Number.isFinite(call.residual) && { residual: call.residual }),
  };
  const step = ask({ ...state, round: round + 1, prices: next, ...(best && { best }) });
  return { ...step, effects: [{ kind: 'emit', name: 'prices', facts }, ...step.effects] };
}

/** Demands that cost what the endowment is worth; others are refused, so that Walras' law holds at all prices. */
function wishesOf(
  { terms, prices }: ExchangeState,
  answers: readonly Answer<Utility | DemandReply>[],
): { readonly wishes: readonly Trader[]; readonly refused: readonly AgentId[] } {
  const wishes: Trader[] = [];
  const refused: AgentId[] = [];
  for (const answer of answers) {
    if (answer.kind !== 'ok' || !('demand' in answer.body)) continue;
    const { from: agent, body } = answer;
    const endowment = endowmentOf(terms, agent);
    const demand = afforded(body.demand, { prices, endowment });
    if (demand === undefined) refused.push(agent);
    else wishes.push({ agent, endowment, demand });
  }
  return { wishes, refused };
}

function afforded(
  demand: readonly number[],
  {
    prices,
    endowment,
  }: { readonly prices: readonly number[]; readonly endowment: readonly number[] },
): readonly number[] | undefined {
  if (demand.length !== prices.length) return undefined;
  const costs = demand.map((amount, good) => amount * (prices[good] ?? 0));
  return spent(worthAt(prices, endowment), costs)?.map((cost, good) => cost / (prices[good] ?? 1));
}

function better(best: BestCall | undefined, { prices, excess, residual }: Call): BestCall {
  return best !== undefined && best.residual <= residual ? best : { prices, excess, residual };
}
