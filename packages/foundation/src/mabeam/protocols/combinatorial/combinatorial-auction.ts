import type { AgentId } from '../../message.ts';
import type { Decision, LossReason, Protocol, PureEnv, Step, Tie } from '../../protocol.ts';
import type { MipModel, SolverJob, SolverResult } from '../../solver.ts';
import { problemsOf } from './combinatorial-check.ts';
import {
  allLost,
  certificateOf,
  closed,
  type CombinatorialResult,
  decided,
  type Found,
  type Priced,
  type Table,
  tableOf,
  winnersOf,
} from './combinatorial-outcome.ts';
import {
  type CombinatorialSpec,
  parseCombinatorialSpec,
  type ResolvedSpec,
} from './combinatorial-spec.ts';
import {
  coalitionIn,
  type Core,
  nearestModel,
  type Payments,
  separationModel,
  totalModel,
  wholePayments,
} from './core-payments.ts';
import { type GoodPrices, goodPrices, hopeless, priceBound, quickPrices } from './good-prices.ts';
import { type Allocation, conflictIn, greedyAllocation, welfareOf } from './lots.ts';
import { type PackageQuestion, type PackageReply, parsePackageReply } from './package-bids.ts';
import {
  chosenOf,
  ranksOf,
  relaxedModel,
  rivalModel,
  valuesOf,
  winnerModel,
} from './winner-model.ts';

/** Most bids of all participants together. */
export const auctionBidsMax = 20_000;
/** Groups of bidders that are looked at before core prices are given up. */
const coalitionsMax = 200;
/** Milliseconds for what only says more about a result: bounds that need no solver, and ties. */
const asideMs = 2_000;

/** What the solver is at. */
type State =
  | { readonly at: 'bidding'; readonly spec: ResolvedSpec; readonly bidsMax: number }
  | { readonly at: 'choosing'; readonly table: Table }
  | { readonly at: 'bounding'; readonly table: Table; readonly found: Found }
  | { readonly at: 'drawing'; readonly table: Table; readonly found: Found }
  | ({ readonly at: 'removing' } & Removing)
  | ({ readonly at: 'totalling' } & InCore)
  | ({ readonly at: 'nearing' } & InCore)
  | ({ readonly at: 'separating'; readonly payments: Payments } & InCore);

interface Removing {
  readonly table: Table;
  readonly found: Found;
  /** What all bids are worth without each of the first winners. */
  readonly without: readonly bigint[];
}

interface InCore extends Removing {
  readonly core: Core;
}

type Next = Step<State, CombinatorialResult>;

/** A combinatorial auction. */
export type CombinatorialAuction = Protocol<
  CombinatorialSpec,
  PackageReply,
  State,
  CombinatorialResult
>;

/**
 * Bids on packages of goods, of which those win that are worth most together (winner determination, a mixed-integer
 * program). Winners pay what they bid, what their presence costs the others (Vickrey, Clarke and Groves), or core prices
 * near to that (Day and Cramton 2012), each step proven by the solver or not taken.
 */
export const combinatorialAuction: CombinatorialAuction = {
  name: 'auction.combinatorial',
  version: '1.0.0',
  traits: {
    // With `vcg` it is; of the two others none is.
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'weak',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec: parseCombinatorialSpec,
  parseReply: (_type, body) => parsePackageReply(body),
  init(given, roster) {
    const spec = resolved(given);
    const share = Math.max(Math.floor(auctionBidsMax / roster.length), 1);
    const bidsMax = Math.min(spec.bidsMax, share);
    const { goods, side, unitsMax, groupsMax, biddingMs } = spec;
    const body: PackageQuestion = { goods, side, bidsMax, unitsMax, groupsMax };
    const time = biddingMs === undefined ? { budgetShare: 0.5 } : { budgetMs: biddingMs };
    return {
      state: { at: 'bidding', spec, bidsMax },
      effects: [{ kind: 'ask', to: roster, type: 'get_package_bids', body, ...time }],
    };
  },
  on(state, { answers }) {
    if (state.at !== 'bidding') throw new Error('a round has closed that nobody has opened');
    const table = tableOf(state.spec, answers, state.bidsMax);
    const { lots, placed } = table;
    if (placed.length > auctionBidsMax) {
      const detail = `${placed.length} bids are more than ${auctionBidsMax}`;
      return finished(table, { status: 'limit_reached', detail });
    }
    if (!lots.bids.some(({ canWin }) => canWin)) return noDeal(table, 'outbid');
    const start = lots.side === 'sell' ? { start: greedyAllocation(lots) } : {};
    return solving({ at: 'choosing', table }, { model: winnerModel(lots), ...start });
  },
  solved(state, result, env) {
    switch (state.at) {
      case 'bidding':
        throw new Error('something was solved that nobody has asked for');
      case 'choosing':
        return chosen(state.table, result);
      case 'bounding':
        return bounded(state, result, env);
      case 'drawing':
        return drawn(state, result, env);
      case 'removing':
        return removed(state, result);
      case 'totalling':
        return totalled(state, result);
      case 'nearing':
        return neared(state, result);
      case 'separating':
        return separated(state, result);
    }
  },
  verify: problemsOf,
};

/** What was parsed says everything already. */
function resolved(spec: CombinatorialSpec): ResolvedSpec {
  const read = parseCombinatorialSpec(spec);
  if (read.ok) return read.value;
  throw new Error(read.reason);
}

/** Wherever it is, it knows its table. */
type Solving = Exclude<State, { readonly at: 'bidding' }>;

function solving(
  state: Solving,
  { model, start, aside = false }: { model: MipModel; start?: Allocation; aside?: boolean },
): Next {
  const { spec, lots } = state.table;
  const { solverMs, nodesMax, gapMax } = spec;
  const mostMs = aside ? Math.min(solverMs ?? asideMs, asideMs) : solverMs;
  const job: SolverJob = {
    model,
    ...(mostMs === undefined ? {} : { budgetMs: mostMs }),
    ...(nodesMax === undefined ? {} : { nodesMax }),
    ...(gapMax === undefined || aside ? {} : { gapMax }),
    ...(start === undefined ? {} : { start: valuesOf(lots, start) }),
  };
  return { state, effects: [{ kind: 'solve', job }] };
}

function finished(table: Table, decision: Decision<CombinatorialResult>): Next {
  const { spec } = table;
  const state: State = { at: 'bidding', spec, bidsMax: 0 };
  return { state, effects: closed(table, decision) };
}

function noDeal(table: Table, reason: LossReason): Next {
  return finished(table, { status: 'no_deal', reasons: allLost(table, reason) });
}

function failed(table: Table, detail: string): Next {
  return finished(table, { status: 'failed', detail: `no winners: ${detail}` });
}

function chosen(table: Table, result: SolverResult): Next {
  const { lots, spec } = table;
  const { status, solver, detail = status } = result;
  if (status === 'infeasible') return noDeal(table, 'outbid');
  if (status === 'failed' || status === 'unbounded') return failed(table, detail);
  const conflict = status === 'optimal' && conflictIn(lots, chosenOf(lots, result.values ?? []));
  if (typeof conflict === 'string') return failed(table, `${solver} says that ${conflict}`);
  const best = bestOf(table, result);
  const ties = 'unchecked';
  if (best === undefined) {
    const none: Found = { allocation: [], bound: undefined, solver, goods: undefined, ties };
    return limited(table, none, 'no allocation was found in time');
  }
  const welfare = welfareOf(lots, best);
  const proven = boundOf(table, result, welfare);
  const goods = proven === undefined ? quickPrices(lots) : undefined;
  const bound = goods === undefined ? proven : priceBound(lots, goods);
  const found: Found = { allocation: best, bound, solver, goods, ties };
  const isGoodEnough = status === 'optimal' && spec.gapMax !== undefined;
  if (bound !== welfare && !isGoodEnough) {
    return limited(table, found, 'it is not proven that nothing is better');
  }
  if (spec.reserve !== undefined && -welfare > spec.reserve) return noDeal(table, 'below_reserve');
  return solving({ at: 'bounding', table, found }, { model: relaxedModel(lots), aside: true });
}

// oxlint-disable-next-line max-params -- where, what, by which rule
function bounded(
  { table, found }: Extract<State, { readonly at: 'bounding' }>,
  { status, prices }: SolverResult,
  env: PureEnv,
): Next {
  const { lots } = table;
  const isThere = status === 'optimal' && prices !== undefined;
  const known = isThere ? boundedBy(table, found, goodPrices(lots, prices)) : found;
  const welfare = welfareOf(lots, known.allocation);
  if (known.bound !== welfare) return priced(table, known);
  const out = known.goods === undefined ? new Set<number>() : hopeless(lots, known.goods, welfare);
  const model = rivalModel(lots, known.allocation, { ranks: ranksOf(lots, env), hopeless: out });
  return solving({ at: 'drawing', table, found: known }, { model, aside: true });
}

/** Prices of goods may prove more than the solver has, where it was not asked for everything. */
// oxlint-disable-next-line max-params -- of what, what is known, what is new
function boundedBy({ lots }: Table, found: Found, goods: GoodPrices): Found {
  const bound = priceBound(lots, goods);
  const isTighter = found.bound === undefined || bound < found.bound;
  return { ...found, goods, ...(isTighter ? { bound } : {}) };
}

/** What the solver has found, or what is found without one where that is better. */
function bestOf({ lots }: Table, { values }: SolverResult): Allocation | undefined {
  const own = values === undefined ? undefined : chosenOf(lots, values);
  const sound = own !== undefined && conflictIn(lots, own) === undefined ? own : undefined;
  if (lots.side === 'buy') return sound;
  const quick = greedyAllocation(lots);
  return sound !== undefined && welfareOf(lots, sound) >= welfareOf(lots, quick) ? sound : quick;
}

/** What no allocation is worth more than, by the solver's word. */
// oxlint-disable-next-line max-params -- of what, in whose words, what is there
function boundOf(
  { lots, spec }: Table,
  { status, bound, values = [] }: SolverResult,
  welfare: bigint,
): bigint | undefined {
  if (status === 'optimal' && (spec.gapMax ?? 0) === 0) {
    const scaled = chosenOf(lots, values).map((index) => lots.bids[index]?.scaled ?? 0n);
    return lots.unit * scaled.reduce((sum, each) => sum + each, 0n);
  }
  if (bound === undefined) return undefined;
  // Whatever the solver's tolerances are, a whole unit covers them.
  const most = lots.unit * BigInt(Math.floor(bound) + 1);
  return most > welfare ? most : welfare;
}

// oxlint-disable-next-line max-params -- where, what, by which rule
function drawn(
  { table, found }: Extract<State, { readonly at: 'drawing' }>,
  { status, values }: SolverResult,
  env: PureEnv,
): Next {
  const { lots } = table;
  if (status === 'infeasible') return priced(table, { ...found, ties: 'none' });
  const rival = values === undefined ? undefined : chosenOf(lots, values);
  const isAsGood =
    rival !== undefined &&
    conflictIn(lots, rival) === undefined &&
    welfareOf(lots, rival) === welfareOf(lots, found.allocation);
  if (!isAsGood || status !== 'optimal') return priced(table, found);
  const tie: Tie = { among: amongOf(table, found.allocation, rival), rule: env.tie };
  if (env.tie === 'report') {
    const reported: Found = { ...found, ties: 'reported', tie };
    const reasons = tieReasons(table, tie);
    const certificate = certificateOf(table, reported);
    return finished(table, { status: 'tied', tie, certificate, reasons });
  }
  const ranks = ranksOf(lots, env);
  const rank = (allocation: Allocation): number =>
    allocation.reduce((sum, index) => sum + (ranks[index] ?? 0), 0);
  const allocation = rank(rival) > rank(found.allocation) ? rival : found.allocation;
  return priced(table, { ...found, allocation, ties: 'broken', tie });
}

/** Who would get something else by the other allocation. */
// oxlint-disable-next-line max-params -- of what, one, the other
function amongOf({ lots }: Table, one: Allocation, other: Allocation): readonly AgentId[] {
  const [first, second] = [new Set(one), new Set(other)];
  const different = [...one, ...other].filter((index) => first.has(index) !== second.has(index));
  return [...new Set(different.map((index) => lots.bids[index]?.agent ?? ''))].toSorted();
}

function tieReasons({ bidders }: Table, { among }: Tie): Record<AgentId, LossReason> {
  return Object.fromEntries(
    bidders.map(([agent]) => [agent, among.includes(agent) ? 'tie_lost' : 'outbid']),
  );
}

/** Winners are known: what do they pay? */
function priced(table: Table, found: Found): Next {
  const { lots, spec } = table;
  if (spec.pricing === 'first') return finished(table, decided(table, found, asBid(table, found)));
  if (!lots.isExact) return limited(table, found, 'amounts are too large to prove prices');
  return remove({ table, found, without: [] });
}

function asBid({ lots }: Table, { allocation }: Found): Priced {
  return { pricing: 'first', payments: winnersOf(lots, allocation).map(({ worth }) => worth) };
}

/** What the others would have without the next winner. */
function remove(state: Removing): Next {
  const { table, found, without } = state;
  const { lots } = table;
  const next = winnersOf(lots, found.allocation)[without.length];
  if (next === undefined) return payVcg(state);
  const others = found.allocation.filter((index) => lots.bids[index]?.agent !== next.agent);
  const start = lots.side === 'sell' ? { start: others } : {};
  return solving({ at: 'removing', ...state }, { model: winnerModel(lots, next.agent), ...start });
}

function removed(state: Removing, { status, values = [] }: SolverResult): Next {
  const { table, found, without } = state;
  const { lots, spec } = table;
  // Nothing but what the buyer would pay at most bounds the price of one who cannot be replaced; else its own bid does.
  const least = spec.reserve === undefined ? undefined : -spec.reserve;
  if (status === 'infeasible') {
    const welfare = least ?? welfareOf(lots, found.allocation);
    return remove({ ...state, without: [...without, welfare] });
  }
  const others = chosenOf(lots, values);
  if (status !== 'optimal' || conflictIn(lots, others) !== undefined) {
    return limited(table, found, 'prices were not found in time');
  }
  const welfare = welfareOf(lots, others);
  const known = least !== undefined && least > welfare ? least : welfare;
  return remove({ ...state, without: [...without, known] });
}

function payVcg(state: Removing): Next {
  const { table, found, without } = state;
  const { lots, spec } = table;
  const welfare = welfareOf(lots, found.allocation);
  const winners = winnersOf(lots, found.allocation).map(({ agent, worth }, place) => ({
    agent,
    worth,
    vcg: (without[place] ?? 0n) - (welfare - worth),
  }));
  const payments = winners.map(({ vcg }) => vcg);
  if (spec.pricing === 'vcg') return pay(state, { pricing: 'vcg', payments });
  if (lots.unit !== 1n) return limited(table, found, 'amounts are too large for core prices');
  if (spec.reserve === undefined)
    return separate({ ...state, core: { winners, coalitions: [] } }, payments);
  // The buyer itself is one who could do better without them.
  const payers = winners.map(({ agent }) => agent);
  return total({ ...state, core: { winners, coalitions: [{ payers, least: -spec.reserve }] } });
}

function pay({ table, found, without }: Removing, rest: Omit<Priced, 'without'>): Next {
  return finished(table, decided(table, found, { ...rest, without }));
}

function total(state: InCore): Next {
  return solving({ ...state, at: 'totalling' }, { model: totalModel(state.core) });
}

function totalled(state: InCore, { status, objective }: SolverResult): Next {
  if (status !== 'optimal' || objective === undefined) return unpriced(state);
  return solving({ ...state, at: 'nearing' }, { model: nearestModel(state.core, objective) });
}

function neared(state: InCore, { status, values }: SolverResult): Next {
  if (status !== 'optimal' || values === undefined) return unpriced(state);
  return separate(state, wholePayments(state.core, values));
}

function separate(state: InCore, payments: Payments): Next {
  const model = separationModel(state.table.lots, state.core, payments);
  return solving({ ...state, at: 'separating', payments }, { model });
}

function separated(
  state: InCore & { readonly payments: Payments },
  { status, values }: SolverResult,
): Next {
  const { core, payments, table } = state;
  const allocation = chosenOf(table.lots, values ?? []);
  if (status !== 'optimal' || conflictIn(table.lots, allocation) !== undefined) {
    return unpriced(state);
  }
  const { coalitions } = core;
  const blocking = coalitionIn(table.lots, { core, payments }, allocation);
  if (blocking === undefined)
    return pay(state, { pricing: 'core_nearest_vcg', payments, coalitions });
  if (coalitions.length >= coalitionsMax) return unpriced(state);
  return total({ ...state, core: { ...core, coalitions: [...coalitions, blocking] } });
}

function unpriced({ table, found }: InCore): Next {
  return limited(table, found, 'core prices were not found in time');
}

/** Time was up: nothing, or the best so far at what was bid, as prices that rest on guesses could be anything. */
function limited(table: Table, found: Found, detail: string): Next {
  const { spec, lots } = table;
  const status = 'limit_reached' as const;
  const isAffordable =
    spec.reserve === undefined || -welfareOf(lots, found.allocation) <= spec.reserve;
  if (spec.onLimit === 'abort' || found.allocation.length === 0 || !isAffordable) {
    const { bound } = found;
    const certificate = bound === undefined ? {} : { certificate: certificateOf(table, found) };
    return finished(table, { status, detail, ...certificate });
  }
  const best = decided(table, found, asBid(table, found));
  return finished(table, { ...best, status, detail });
}
