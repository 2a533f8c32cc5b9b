import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type {
  Answer,
  AskEffect,
  Decision,
  EmitEffect,
  LossReason,
  PureEnv,
  Step,
} from '../protocol.ts';
import type { AuctionSide } from './auction-terms.ts';
import type { EnglishTerms } from './english-terms.ts';
import { type MarginalBid, marginalsMax } from './marginals.ts';
import { tickAfter } from './price-ladder.ts';
import { type QuantityReply, type QuantityRequest, quantityQuestion } from './quantity-question.ts';
import { ration, sumOf } from './ration.ts';
import { type UnitAward, unitAwardNotices } from './unit-clearing.ts';

/** What an Ausubel auction goes by. */
export interface AusubelTerms extends EnglishTerms {
  readonly units: number;
}

/** Units that were clinched at one price. */
export interface Clinch {
  readonly units: number;
  readonly price: Amount;
}

/** What somebody has won, and when. */
export interface AusubelAward extends UnitAward {
  /** In the order in which they were clinched. */
  readonly clinches: readonly Clinch[];
}

/** How an Ausubel auction ended. */
export interface AusubelResult {
  readonly lot: string;
  readonly side: AuctionSide;
  /** Units that were sold (`buy`: bought). Fewer than there are if fewer were wanted at the first price. */
  readonly units: number;
  /** The last price that was called. */
  readonly price: Amount;
  /** Who has won, in the order of the roster. */
  readonly awards: readonly AusubelAward[];
  /**
   * For each unit that somebody wanted the last price at which it did, as far as is known, in the order of the roster.
   */
  readonly bids: readonly MarginalBid[];
}

/** What a bidder has, wants and has given up. */
interface Holding {
  /** Units wanted at the price that was answered last, those clinched included. */
  readonly wanted: number;
  readonly clinches: readonly Clinch[];
  /** The last price at which each further unit was wanted, that which was given up last first. */
  readonly forgone: readonly Amount[];
  /** Whether it said nothing when it was asked last. */
  readonly isSilent: boolean;
}

/** An Ausubel auction between two ticks. */
export interface AusubelState {
  readonly terms: AusubelTerms;
  readonly roster: readonly AgentId[];
  readonly round: number;
  /** What has been called. */
  readonly price: Amount;
  /** The tick before, at which more units were wanted than there are. */
  readonly previous?: Amount;
  /** Of those who answered at the first price. */
  readonly holdings: ReadonlyMap<AgentId, Holding>;
}

type AusubelStep = Step<AusubelState, AusubelResult>;

export function startAusubel(terms: AusubelTerms, roster: readonly AgentId[]): AusubelStep {
  const state = { terms, roster, round: 1, price: terms.opening, holdings: new Map() };
  return roster.length === 0 ? end(state, [], { status: 'no_deal' }) : call(state, roster, []);
}

/** Who says nothing keeps nothing but what it has clinched: that is bought. */
export function onQuantities(
  state: AusubelState,
  answers: readonly Answer<QuantityReply>[],
  env: PureEnv,
): AusubelStep {
  const { price, previous, terms } = state;
  const heard = new Map(answers.map((answer) => [answer.from, answer]));
  const holdings =
    previous === undefined
      ? firstHoldings(answers, terms)
      : new Map(
          [...state.holdings].map(([id, holding]) => [
            id,
            lowered(holding, heard.get(id), previous),
          ]),
        );
  const wanted = sumOf([...holdings.values()].map((holding) => holding.wanted));
  const after = { ...state, holdings };
  if (wanted <= terms.units) return settle(after, state, env);

  const clinched = new Map(
    [...holdings].map(([id, holding]) => {
      const left = terms.units - (wanted - holding.wanted) - clinchedBy(holding);
      return [id, clinching(holding, left, previous ?? price)];
    }),
  );
  return goOn({ ...after, holdings: clinched }, clinchEvents(holdings, clinched));
}

function firstHoldings(
  answers: readonly Answer<QuantityReply>[],
  { units }: AusubelTerms,
): ReadonlyMap<AgentId, Holding> {
  return new Map(
    answers.flatMap((answer): [AgentId, Holding][] => {
      if (answer.kind !== 'ok') return [];
      const wanted = Math.min(answer.body.quantity, units);
      return [[answer.from, { wanted, clinches: [], forgone: [], isSilent: false }]];
    }),
  );
}

/** Nobody wants more again than before, or gives back what it has clinched. Who was not asked wants nothing any more. */
function lowered(
  holding: Holding,
  answer: Answer<QuantityReply> | undefined,
  previous: Amount,
): Holding {
  if (answer === undefined) return holding;
  const isSilent = answer.kind !== 'ok';
  const quantity = isSilent ? 0 : answer.body.quantity;
  const wanted = Math.min(Math.max(quantity, clinchedBy(holding)), holding.wanted);
  const given = Array.from({ length: holding.wanted - wanted }, () => previous);
  return { ...holding, wanted, forgone: [...given, ...holding.forgone], isSilent };
}

function clinching(holding: Holding, units: number, price: Amount): Holding {
  if (units <= 0) return holding;
  return { ...holding, clinches: [...holding.clinches, { units, price }] };
}

function clinchedBy({ clinches }: Holding): number {
  return sumOf(clinches.map(({ units }) => units));
}

function goOn(state: AusubelState, events: readonly EmitEffect[]): AusubelStep {
  const { holdings, price, round, terms } = state;
  const next = tickAfter(terms.ladder, price);
  if (next === undefined || round === terms.maxRounds) {
    return end(state, events, { status: 'limit_reached' });
  }
  // Whoever has clinched all that it wants would have ended it.
  const asked = [...holdings].filter(([, { wanted }]) => wanted > 0);
  const called = { ...state, round: round + 1, price: next, previous: price };
  return call(
    called,
    asked.map(([id]) => id),
    events,
  );
}

/** Each is told how far it can go, so each has a request of its own. */
function call(
  state: AusubelState,
  to: readonly AgentId[],
  events: readonly EmitEffect[],
): AusubelStep {
  const { holdings, price, terms } = state;
  const { lot, side, roundMs: budgetMs, units } = terms;
  const asks = to.map((id): AskEffect => {
    const holding = holdings.get(id);
    const most = holding?.wanted ?? Math.min(units, marginalsMax);
    const clinched = holding === undefined ? 0 : clinchedBy(holding);
    const body: QuantityRequest = { lot, side, price, units, most, clinched };
    return { kind: 'ask', to: [id], type: quantityQuestion.type, body, budgetMs };
  });
  const wanted = sumOf([...holdings.values()].map((holding) => holding.wanted));
  const facts = { price, wanted, asked: to.length };
  return { state, effects: [...events, { kind: 'emit', name: 'price', facts }, ...asks] };
}

/**
 * No more units are wanted than there are. Those who want them have them, and what is left goes to those who wanted it
 * at the tick before, by draw.
 */
function settle(state: AusubelState, before: AusubelState, env: PureEnv): AusubelStep {
  const { holdings, previous, price, roster, terms } = state;
  const { lot, side } = terms;
  const wanted = sumOf([...holdings.values()].map((holding) => holding.wanted));
  const claims = [...holdings].flatMap(([agent, holding]) => {
    const units = (before.holdings.get(agent)?.wanted ?? 0) - holding.wanted;
    return units > 0 ? [{ agent, units }] : [];
  });
  const how = { units: terms.units - wanted, rule: 'priority', label: `units of ${lot}` } as const;
  const { shares, ...tie } = ration(claims, how, env);
  const losers = tie.tie?.among ?? [];
  if (shares === undefined) {
    return end(state, [], { status: 'tied', ...tie, reasons: reasonsOf(state, [], losers) });
  }
  const final = new Map(
    [...holdings].map(([id, holding]) => {
      const units = holding.wanted + (shares.get(id) ?? 0) - clinchedBy(holding);
      return [id, clinching(holding, units, previous ?? price)];
    }),
  );
  const awards = awardsOf(roster, final);
  const reasons = reasonsOf(state, awards, losers);
  if (awards.length === 0) return end(state, [], { status: 'no_deal', reasons });
  const units = sumOf(awards.map((award) => award.units));
  const bids = [...holdings].map(([agent, { wanted: kept, forgone }]) => {
    const marginals = [...Array.from({ length: kept }, () => price), ...forgone];
    return { agent, marginals };
  });
  const result = { lot, side, units, price, awards, bids };
  return end(state, clinchEvents(holdings, final), { status: 'decided', result, ...tie, reasons });
}

function awardsOf(
  roster: readonly AgentId[],
  holdings: ReadonlyMap<AgentId, Holding>,
): readonly AusubelAward[] {
  return roster.flatMap((agent): AusubelAward[] => {
    const { clinches = [] } = holdings.get(agent) ?? {};
    const units = sumOf(clinches.map((clinch) => clinch.units));
    const payment = clinches.reduce((sum, clinch) => sum + clinch.price * BigInt(clinch.units), 0n);
    return units === 0 ? [] : [{ agent, units, payment, clinches }];
  });
}

/** Of those who answered at the first price. The engine names those who were silent later and have won nothing. */
function reasonsOf(
  { holdings }: AusubelState,
  awards: readonly AusubelAward[],
  losers: readonly AgentId[],
): Readonly<Record<AgentId, LossReason>> {
  const won = new Set(awards.map(({ agent }) => agent));
  return Object.fromEntries(
    [...holdings].flatMap(([id, { wanted, forgone, isSilent }]): [AgentId, LossReason][] => {
      if (won.has(id)) return [[id, 'won']];
      if (losers.includes(id)) return [[id, 'tie_lost']];
      if (isSilent) return [];
      return [[id, wanted + forgone.length === 0 ? 'below_reserve' : 'outbid']];
    }),
  );
}

/** What has been clinched between two states. */
function clinchEvents(
  before: ReadonlyMap<AgentId, Holding>,
  after: ReadonlyMap<AgentId, Holding>,
): readonly EmitEffect[] {
  return [...after].flatMap(([agent, { clinches }]) =>
    clinches.slice(before.get(agent)?.clinches.length).map(({ units, price }): EmitEffect => ({
      kind: 'emit',
      name: 'clinch',
      facts: { agent, units, price },
    })),
  );
}

function end(
  state: AusubelState,
  events: readonly EmitEffect[],
  decision: Decision<AusubelResult>,
): AusubelStep {
  const notices = decision.result === undefined ? [] : unitAwardNotices(decision.result);
  return { state, effects: [...events, ...notices, { kind: 'finish', decision }] };
}
