import type { CoordinationRequest } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { parseGoods, parseNumbers } from './utility.ts';

/** Body of a `get_demand` request. */
export interface DemandRequest {
  readonly goods: readonly string[];
  readonly prices: readonly number[];
  /** What the trader brings. */
  readonly endowment: readonly number[];
}

/** What a trader is asked. */
export interface DemandQuestion extends DemandRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** Body of the answer. */
export interface DemandReply {
  /** What the trader would have of each good: all that its endowment is worth, and no more. */
  readonly demand: readonly number[];
}

/** Asks a trader what it would have at these prices. */
export const demandQuestion: Question<DemandQuestion, readonly number[]> = {
  type: 'get_demand',
  parse: parseQuestion,
  reply: (demand) => parseDemand({ demand }),
};

export function parseDemand(body: unknown): Parsed<DemandReply> {
  if (!isRecord(body)) return unparsed(`body: expected { demand }, got ${shown(body)}`);
  const extra = unknownField(body, ['demand']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const demand = parseNumbers('body.demand', body['demand']);
  return demand.ok ? parsed({ demand: demand.value }) : demand;
}

/** Body of the `trade` notice: what a trader gives and gets. */
export interface TradeNotice {
  readonly goods: readonly string[];
  readonly prices: readonly number[];
  /** What it has afterwards. */
  readonly bundle: readonly number[];
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<DemandQuestion> {
  if (!isRecord(body)) {
    return unparsed(`body: expected { goods, prices, endowment }, got ${shown(body)}`);
  }
  const goods = parseGoods('body.goods', body['goods']);
  if (!goods.ok) return goods;
  const prices = parseNumbers('body.prices', body['prices']);
  if (!prices.ok) return prices;
  const endowment = parseNumbers('body.endowment', body['endowment']);
  if (!endowment.ok) return endowment;
  return parsed({
    goods: goods.value,
    prices: prices.value,
    endowment: endowment.value,
    round,
  });
}
