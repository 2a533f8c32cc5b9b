import type { Amount } from '../../amount.ts';
import type { AgentId } from '../../message.ts';
import type {
  Answer,
  Decision,
  Effect,
  LossReason,
  Protocol,
  PureEnv,
  Step,
} from '../../protocol.ts';
import { inOrder } from '../ration.ts';
import {
  climb,
  indifferent,
  type Liking,
  likingAt,
  placeRaised,
  rivalsOf,
} from './assignment-clock.ts';
import {
  type AssignmentAward,
  isValues,
  parseWants,
  type Wants,
  type WantsRequest,
} from './assignment-questions.ts';
import {
  type AssignedBuyer,
  type AssignmentResult,
  assignmentRoundsMax,
  type AssignmentSpec,
  type AssignmentTerms,
  parseAssignmentSpec,
} from './assignment-spec.ts';
import { assignmentProblems } from './assignment-verify.ts';
import type { Matching } from './matching.ts';

/** An assignment market between two rounds. */
export interface AssignmentState {
  readonly terms: AssignmentTerms;
  readonly roster: readonly AgentId[];
  /** The round that is under way. */
  readonly round: number;
  readonly prices: readonly Amount[];
  /** What those have said last who take part. */
  readonly said: ReadonlyMap<AgentId, Wants>;
  /** Who is asked in this round. */
  readonly asked: ReadonlySet<AgentId>;
  /** Who would rather have had something than nothing, at some prices. */
  readonly keen: ReadonlySet<AgentId>;
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

/** A market of things that cannot be divided. */
export type AssignmentMarket = Protocol<AssignmentSpec, Wants, AssignmentState, AssignmentResult>;

/** Most pairs of a buyer and a good: about two seconds of computing, in one go. */
const pairsMax = 100_000;

type AssignmentStep = Step<AssignmentState, AssignmentResult>;

/**
 * Sells things to buyers who want one each, at the lowest prices at which everybody can have what it likes best
 * (Shapley and Shubik 1971). They are found by an ascending clock (Demange, Gale and Sotomayor 1986), and are what
 * each buyer's presence costs the others (Leonard 1983): Vickrey's prices.
 */
export const assignmentMarket: AssignmentMarket = {
  name: 'market.assignment',
  version: '1.0.0',
  traits: {
    // Among buyers who say values it is; not against one whose favourites follow no values.
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'weak',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => assignmentRoundsMax,
    maxMessages: (n) => (2 * assignmentRoundsMax + 1) * n,
  },
  parseSpec: parseAssignmentSpec,
  parseReply: (_type, body) => parseWants(body),
  init(spec, roster) {
    const terms = termsOf(spec);
    const pairs = roster.length * terms.goods.length;
    if (pairs > pairsMax) {
      const what = `${roster.length} buyers of ${terms.goods.length} goods`;
      throw new Error(`${what}: expected at most ${pairsMax} pairs`);
    }
    const state = {
      terms,
      roster,
      prices: terms.reserves,
      said: new Map(),
      keen: new Set<AgentId>(),
    };
    return ask({ ...state, round: 0, asked: new Set(), reasons: {} }, roster);
  },
  on: (state, { answers }, env) => goOn(heard(state, answers), env),
  verify: (spec, claim) => assignmentProblems(termsOf(spec), claim),
};

function termsOf(spec: AssignmentSpec): AssignmentTerms {
  const terms = parseAssignmentSpec(spec);
  if (terms.ok) return terms.value;
  throw new Error(terms.reason);
}

/** The state with these answers. Who gives none that counts has left for good, and prices start again without it. */
function heard(state: AssignmentState, answers: readonly Answer<Wants>[]): AssignmentState {
  const { terms } = state;
  const said = new Map(state.said);
  const reasons = { ...state.reasons };
  for (const answer of answers) {
    const { from } = answer;
    if (answer.kind === 'ok' && isKnown(answer.body, terms)) said.set(from, answer.body);
    else {
      said.delete(from);
      if (answer.kind === 'ok') reasons[from] = 'invalid';
    }
  }
  return { ...state, said, reasons };
}

/** Whether an answer speaks of the goods that are on offer. */
function isKnown(said: Wants, { goods }: AssignmentTerms): boolean {
  return isValues(said)
    ? said.values.length === goods.length
    : said.wants.every((good) => goods.includes(good));
}

/** Raises prices until somebody has to be asked, or everybody can have what it likes best. */
function goOn(before: AssignmentState, env: PureEnv): AssignmentStep {
  const { terms, said } = before;
  const hasLeft = [...before.asked].some((id) => !said.has(id));
  if (hasLeft && before.round > 1) {
    const others = [...said].flatMap(([id, each]) => (isValues(each) ? [] : [id]));
    const again = { ...before, prices: terms.reserves };
    if (others.length > 0) return ask(again, others);
    return goOn({ ...again, asked: new Set() }, env);
  }
  const drawn = inOrder([...said.keys()], 'who is served first', env);
  const order = drawn.order ?? [...said.keys()].toSorted((one, other) => (one < other ? -1 : 1));
  const saidBy = (buyer: number): Wants => said.get(order[buyer] ?? '') ?? { wants: [] };
  const likings = order.map((_, buyer) => likingAt(before.prices, terms.goods, saidBy(buyer)));
  const keen = new Set(before.keen);
  for (const [buyer, id] of order.entries()) if (likings[buyer]?.orNothing === false) keen.add(id);
  const climbed = climb({ prices: before.prices, likings }, (buyer, prices) => {
    const own = saidBy(buyer);
    return isValues(own) ? likingAt(prices, terms.goods, own) : undefined;
  });
  const state = { ...before, prices: climbed.prices, keen };
  const asked = climbed.asked.flatMap((buyer) => order[buyer] ?? []);
  return asked.length > 0 ? ask(state, asked) : settle(state, { ...climbed, order }, env);
}

function ask(state: AssignmentState, to: readonly AgentId[]): AssignmentStep {
  const { terms, prices, round, reasons } = state;
  if (round === terms.maxRounds) {
    return { state, effects: [{ kind: 'finish', decision: { status: 'limit_reached', reasons } }] };
  }
  const { goods, roundMs: budgetMs } = terms;
  const body: WantsRequest = { goods, prices };
  const facts = { asked: to.length, prices: prices.join(' ') };
  const effects: Effect<AssignmentResult>[] = [
    { kind: 'emit', name: 'prices', facts },
    { kind: 'ask', to, type: 'get_wants', body, budgetMs },
  ];
  return { state: { ...state, round: round + 1, asked: new Set(to) }, effects };
}

interface Served {
  readonly order: readonly AgentId[];
  readonly likings: readonly Liking[];
  readonly matching: Matching;
}

/** Everybody has what it likes best; who could have something else as well goes by the tie rule. */
function settle(state: AssignmentState, served: Served, env: PureEnv): AssignmentStep {
  const { terms, prices, keen, said } = state;
  const { order, likings, matching } = served;
  const { goods, reserves } = terms;
  const finish = (decision: Decision<AssignmentResult>): AssignmentStep => {
    return { state, effects: [...awards(decision), { kind: 'finish', decision }] };
  };
  const offer = { prices, reserves };
  const stranded = placeRaised(likings, offer, matching);
  const good = new Map(order.map((id, index) => [id, goods[matching.goodOf[index] ?? -1]]));
  const among = [...indifferent(likings, offer, matching)].flatMap((index) => order[index] ?? []);
  const tie = among.length === 0 ? {} : { tie: { among: among.toSorted(), rule: env.tie } };
  const reasons = { ...state.reasons };
  for (const id of order) {
    const lost = among.includes(id) ? 'tie_lost' : 'outbid';
    reasons[id] = good.get(id) === undefined ? (keen.has(id) ? lost : 'below_reserve') : 'won';
  }
  // Somebody's favourites follow no values: it wanted this at a lower price, and another now.
  if (stranded.length > 0) return finish({ status: 'not_converged', reasons });
  if (order.every((id) => good.get(id) === undefined))
    return finish({ status: 'no_deal', reasons });
  if (tie.tie?.rule === 'report') return finish({ status: 'tied', ...tie, reasons });
  const buyers = state.roster.flatMap((agent): AssignedBuyer[] => {
    const own = said.get(agent);
    const has = good.get(agent);
    return own === undefined ? [] : [{ agent, ...(has !== undefined && { good: has }), said: own }];
  });
  const rivals = [...rivalsOf(likings, offer, matching)].flatMap(([at, index]) => {
    const [name, id] = [goods[at], order[index]];
    return name === undefined || id === undefined ? [] : [[name, id] as const];
  });
  return finish({
    status: 'decided',
    result: { goods, prices, buyers },
    ...tie,
    certificate: { kind: 'equilibrium', data: { rivals: Object.fromEntries(rivals) } },
    reasons,
  });
}

function awards({ result }: Decision<AssignmentResult>): readonly Effect<AssignmentResult>[] {
  if (result === undefined) return [];
  return result.buyers.flatMap(({ agent, good }): Effect<AssignmentResult>[] => {
    if (good === undefined) return [];
    const price = result.prices[result.goods.indexOf(good)] ?? 0n;
    return [
      { kind: 'tell', to: [agent], type: 'award', body: { good, price } satisfies AssignmentAward },
    ];
  });
}
