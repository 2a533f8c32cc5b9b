import type { Amount } from '../amount.ts';
import { parseFields } from '../fields.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Claim, Decision, Protocol, PureEnv } from '../protocol.ts';
import { parseLot } from './auction-terms.ts';
import { clear, type Clearing, type Margin, type Margins } from './clearing.ts';
import { fillOrders, fillProblems, marketClosed, mismatches, orderReasons } from './fills.ts';
import {
  type FilledOrders,
  type OrdersQuestion,
  type OrdersReply,
  parseOrders,
  type PlacedOrder,
  placedOrders,
} from './orders.ts';

/** What is traded. */
export interface McAfeeSpec {
  /** Name of what is traded, up to 256 characters. */
  readonly lot: string;
}

/** How a McAfee auction ended. */
export interface McAfeeResult extends FilledOrders {
  readonly lot: string;
  /** What each buyer pays. */
  readonly buyPrice: Amount;
  /** What each seller receives; never more than `buyPrice`. */
  readonly sellPrice: Amount;
  /** Units that were traded. */
  readonly quantity: number;
  /** Units that could have been traded at most: `quantity`, or one more. */
  readonly quantityMax: number;
  /** What is left to who runs the auction: what buyers pay less what sellers receive. */
  readonly kept: Amount;
}

/** A McAfee auction. Its state is its spec. */
export type McAfeeAuction = Protocol<McAfeeSpec, OrdersReply, McAfeeSpec, McAfeeResult>;

/**
 * A double auction of single units in which to state one's true value is best for buyers and sellers (McAfee 1992).
 *
 * Of q trades that are possible all take place at p = (b_{q+1} + s_{q+1})/2, if that suits the q-th buyer and seller
 * both; p is rounded down to a whole amount. Otherwise, or if either is missing, the least valuable trade is given up:
 * q − 1 buyers pay b_q, as many sellers receive s_q, and who runs the auction keeps the difference.
 */
export const mcafeeAuction: McAfeeAuction = {
  name: 'auction.mcafee',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: true,
    individuallyRational: true,
    budget: 'weak',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec,
  parseReply: (_type, body) => parseUnitOrder(body),
  init(spec, roster) {
    const body: OrdersQuestion = { lot: spec.lot, form: 'one_unit' };
    return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_orders', body }] };
  },
  on(spec, { answers }, env) {
    const settled = settleMcAfee(placedOrders(answers), spec, env);
    const { buyPrice, sellPrice } = settled.result ?? {};
    const isSold = buyPrice !== undefined && sellPrice !== undefined;
    const prices = isSold ? { buyPrice, sellPrice } : {};
    const effects = marketClosed(answers, settled, { lot: spec.lot, ...prices });
    return { state: spec, effects };
  },
  verify: problemsOf,
};

/** Prices, winners and everybody's reason, from the orders alone. Each is for one unit and has a limit. */
export function settleMcAfee(
  orders: readonly PlacedOrder[],
  { lot }: McAfeeSpec,
  env: PureEnv,
): Decision<McAfeeResult> {
  const terms = termsOf(clear(orders));
  if (terms === undefined) return { status: 'no_deal', reasons: orderReasons(orders) };
  const { margins, ...amounts } = terms;
  const { fills, tie } = fillOrders(orders, margins, { rule: 'priority', lot, env });
  const tied = tie === undefined ? {} : { tie };
  const reasons = orderReasons(orders, fills, margins);
  if (fills === undefined) return { status: 'tied', ...tied, reasons };
  return { status: 'decided', result: { lot, ...amounts, orders, fills }, ...tied, reasons };
}

interface Terms extends Omit<McAfeeResult, 'lot' | 'orders' | 'fills'> {
  readonly margins: Margins;
}

/** There are none if nothing is traded. */
function termsOf(clearing: Clearing | undefined): Terms | undefined {
  if (clearing === undefined) return undefined;
  const { buy, sell, quantity: quantityMax } = clearing;
  const { limit: buyPrice, next: nextBid } = buy;
  const { limit: sellPrice, next: nextAsk } = sell;
  // Orders have limits: what bids and what asks are met stand at one.
  if (buyPrice === undefined || sellPrice === undefined) return undefined;
  if (nextBid !== undefined && nextAsk !== undefined) {
    const doubled = nextBid + nextAsk;
    if (2n * sellPrice <= doubled && doubled <= 2n * buyPrice) {
      const price = doubled / 2n;
      const prices = { buyPrice: price, sellPrice: price, kept: 0n };
      return { ...prices, quantity: quantityMax, quantityMax, margins: { buy, sell } };
    }
  }
  const quantity = quantityMax - 1;
  if (quantity === 0) return undefined;
  const kept = (buyPrice - sellPrice) * BigInt(quantity);
  const margins = { buy: oneLess(buy), sell: oneLess(sell) };
  return { buyPrice, sellPrice, kept, quantity, quantityMax, margins };
}

function oneLess(margin: Margin): Margin {
  return { ...margin, units: margin.units - 1 };
}

/** Settles the orders again, and compares. Who trades among equals takes the seed: that is left to a replay. */
function problemsOf(_spec: McAfeeSpec, { result }: Claim<McAfeeResult>): readonly string[] {
  if (result === undefined) return [];
  const due = termsOf(clear(result.orders));
  if (due === undefined) return ['units are traded though the orders allow no trade'];
  const problems = fillProblems(result, due.margins);
  problems.push(
    ...mismatches(result, due, ['buyPrice', 'sellPrice', 'quantity', 'quantityMax', 'kept']),
  );
  return problems;
}

function parseUnitOrder(body: unknown): Parsed<OrdersReply> {
  const read = parseOrders(body);
  if (!read.ok) return read;
  const { orders } = read.value;
  const isSingle = orders.length <= 1;
  const isUnit = orders.every(({ quantity, limit }) => quantity === 1 && limit !== undefined);
  return isSingle && isUnit
    ? read
    : unparsed('body.orders: expected at most one order, with a limit, for one unit');
}

function parseSpec(spec: unknown): Parsed<McAfeeSpec> {
  return parseFields(spec, '{ lot }', ({ lot }) => ({ lot: parseLot(lot) }));
}
