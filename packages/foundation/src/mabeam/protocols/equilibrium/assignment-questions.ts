import { type Amount, parseAmount } from '../../amount.ts';
import type { CoordinationRequest } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { goodsMax, parseGoods } from './utility.ts';

/** Body of a `get_wants` request. */
export interface WantsRequest {
  readonly goods: readonly string[];
  /** What each costs now. */
  readonly prices: readonly Amount[];
}

/** What a buyer is asked. */
export interface WantsQuestion extends WantsRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** What a buyer likes best: by what everything is worth to it, at all prices, or at these prices only. */
export type Wants = Values | Favourites;

/** What each good is worth to a buyer, null for what it would not have at all. It is not asked again. */
export interface Values {
  readonly values: readonly (Amount | null)[];
}

/** The goods that are best for a buyer at the prices it was told. */
export interface Favourites {
  /** By name, all that are equally good; none: it would have nothing. */
  readonly wants: readonly string[];
  /** Whether it would as soon have nothing. @defaultValue whether it wants none */
  readonly orNothing?: boolean;
}

/** Asks a buyer what it would have. */
export const wantsQuestion: Question<WantsQuestion, Wants> = {
  type: 'get_wants',
  parse: parseQuestion,
  reply: parseWants,
};

/** Whether a buyer has said what goods are worth to it. */
export function isValues(said: Wants): said is Values {
  return 'values' in said;
}

/** Reads the body of an answer. */
export function parseWants(body: unknown): Parsed<Wants> {
  if (!isRecord(body)) {
    return unparsed(`body: expected { values } or { wants }, got ${shown(body)}`);
  }
  return 'values' in body ? parseValues(body) : parseFavourites(body);
}

function parseValues(body: Readonly<Record<string, unknown>>): Parsed<Wants> {
  const extra = unknownField(body, ['values']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { values } = body;
  if (!Array.isArray(values) || values.length > goodsMax) {
    return unparsed(`body.values: expected up to ${goodsMax} amounts, got ${shown(values)}`);
  }
  const read: (Amount | null)[] = [];
  for (const [index, value] of values.entries()) {
    const amount = value === null ? parsed(null) : parseAmount(`body.values[${index}]`, value);
    if (!amount.ok) return amount;
    read.push(amount.value);
  }
  return parsed({ values: read });
}

function parseFavourites(body: Readonly<Record<string, unknown>>): Parsed<Wants> {
  const extra = unknownField(body, ['wants', 'orNothing']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { wants, orNothing } = body;
  const isEmpty = Array.isArray(wants) && wants.length === 0;
  const goods = isEmpty ? parsed([]) : parseGoods('body.wants', wants);
  if (!goods.ok) return goods;
  if (orNothing === undefined) return parsed({ wants: goods.value });
  if (typeof orNothing !== 'boolean') {
    return unparsed(`body.orNothing: expected true or false, got ${shown(orNothing)}`);
  }
  return parsed({ wants: goods.value, orNothing });
}

/** Body of the `award` notice, for who has got something. */
export interface AssignmentAward {
  readonly good: string;
  readonly price: Amount;
}

/** What a buyer with these values likes best at prices: the answer of one that does not give its values away. */
export function favourites(
  values: readonly (Amount | null)[],
  { goods, prices }: WantsRequest,
): Favourites {
  const surplus = goods.map((_, good) => {
    const value = values[good] ?? null;
    return value === null ? -1n : value - (prices[good] ?? 0n);
  });
  let best = 0n;
  for (const each of surplus) if (each > best) best = each;
  const wants = goods.filter((_, good) => surplus[good] === best);
  return { wants, orNothing: best === 0n };
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<WantsQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { goods, prices }, got ${shown(body)}`);
  const goods = parseGoods('body.goods', body['goods']);
  if (!goods.ok) return goods;
  const { prices } = body;
  if (!Array.isArray(prices) || prices.length !== goods.value.length) {
    return unparsed(`body.prices: expected a price for each good, got ${shown(prices)}`);
  }
  const read: Amount[] = [];
  for (const [index, price] of prices.entries()) {
    const amount = parseAmount(`body.prices[${index}]`, price);
    if (!amount.ok) return amount;
    read.push(amount.value);
  }
  return parsed({ goods: goods.value, prices: read, round });
}
