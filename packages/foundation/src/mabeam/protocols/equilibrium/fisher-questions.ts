import type { CoordinationRequest } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { parseGoods, parseNumbers, parseUtility, type Utility } from './utility.ts';

/** Body of a `get_utility` request, and what a trader is asked. */
export interface UtilityQuestion {
  /** Names of the goods that weights are given for, in this order. */
  readonly goods: readonly string[];
}

/** Asks what goods are worth to somebody. */
export const utilityQuestion: Question<UtilityQuestion, Utility> = {
  type: 'get_utility',
  parse({ body }) {
    if (!isRecord(body)) return unparsed(`body: expected { goods }, got ${shown(body)}`);
    const goods = parseGoods('body.goods', body['goods']);
    return goods.ok ? parsed({ goods: goods.value }) : goods;
  },
  reply: parseUtility,
};

/** Body of a `get_spending` request. */
export interface SpendingRequest {
  readonly goods: readonly string[];
  /** What there is to spend. */
  readonly budget: number;
  /** What the bids of all make of the last round, and what came of the buyer's own; absent in the first round. */
  readonly last?: SpendingOutcome;
}

/** What a round of bids has come to for one buyer. */
export interface SpendingOutcome {
  /** Of each good as a whole: what all have bid for it. */
  readonly prices: readonly number[];
  /** What the buyer has bid. */
  readonly bids: readonly number[];
  /** The part of each good that this would buy. */
  readonly shares: readonly number[];
}

/** What a buyer is asked. */
export interface SpendingQuestion extends SpendingRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** What a buyer would spend, and whether it is content. */
export interface Spending {
  /** For each good; they add up to the budget. */
  readonly bids: readonly number[];
  /**
   * By which part, 0 to 1, the shares of the last round are worth less than the best that the budget would have
   * bought at its prices: 1 − u/V. While somebody leaves it out, as all do in the first round, nothing is decided.
   */
  readonly regret?: number;
}

/** Asks a buyer what it would spend on each good. */
export const spendingQuestion: Question<SpendingQuestion, Spending> = {
  type: 'get_spending',
  parse: parseQuestion,
  reply: parseSpending,
};

export function parseSpending(body: unknown): Parsed<Spending> {
  if (!isRecord(body)) return unparsed(`body: expected { bids, regret? }, got ${shown(body)}`);
  const extra = unknownField(body, ['bids', 'regret']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const bids = parseNumbers('body.bids', body['bids']);
  if (!bids.ok) return bids;
  const { regret } = body;
  if (regret === undefined) return parsed({ bids: bids.value });
  return typeof regret === 'number' && regret >= 0 && regret <= 1
    ? parsed({ bids: bids.value, regret: regret + 0 })
    : unparsed(`body.regret: expected a number from 0 to 1, got ${shown(regret)}`);
}

/** Body of the `shares` notice: what a buyer has got. */
export interface SharesNotice {
  readonly goods: readonly string[];
  readonly prices: readonly number[];
  /** The part of each good that is the buyer's. */
  readonly shares: readonly number[];
  readonly paid: number;
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<SpendingQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { goods, budget }, got ${shown(body)}`);
  const goods = parseGoods('body.goods', body['goods']);
  if (!goods.ok) return goods;
  const { budget, last } = body;
  if (typeof budget !== 'number' || !(budget > 0)) {
    return unparsed(`body.budget: expected a number above 0, got ${shown(budget)}`);
  }
  const question = { goods: goods.value, budget, round };
  if (last === undefined) return parsed(question);
  if (!isRecord(last)) return unparsed(`body.last: expected an object, got ${shown(last)}`);
  const [prices, bids, shares] = ['prices', 'bids', 'shares'].map((field) =>
    parseNumbers(`body.last.${field}`, last[field]),
  );
  if (prices?.ok !== true) return prices ?? unparsed('body.last.prices: there are none');
  if (bids?.ok !== true) return bids ?? unparsed('body.last.bids: there are none');
  if (shares?.ok !== true) return shares ?? unparsed('body.last.shares: there are none');
  return parsed({
    ...question,
    last: { prices: prices.value, bids: bids.value, shares: shares.value },
  });
}
