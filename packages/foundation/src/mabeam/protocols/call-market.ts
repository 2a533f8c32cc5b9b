import { type Amount, parseAmount } from '../amount.ts';
import { parseChoice, parseFields } from '../fields.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Claim, Decision, Protocol, PureEnv } from '../protocol.ts';
import { parseLot } from './auction-terms.ts';
import { clear, type Interval, intervalOf } from './clearing.ts';
import { fillOrders, fillProblems, marketClosed, mismatches, orderReasons } from './fills.ts';
import {
  type FilledOrders,
  type OrdersQuestion,
  type OrdersReply,
  parseOrders,
  type PlacedOrder,
  placedOrders,
} from './orders.ts';
import { type RationRule, rationRules } from './ration.ts';

/** A fraction, exactly. */
export interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

/** What is traded, and how. */
export interface CallMarketSpec {
  /** Name of what is traded, up to 256 characters. */
  readonly lot: string;
  /**
   * Where in the clearing interval the price lies: 0 is its low end, which is best for buyers, 1 its high end.
   *
   * @defaultValue a half
   */
  readonly k?: Fraction;
  /**
   * Who trades when orders at the margin are equal, and there are too many.
   *
   * @defaultValue `priority`
   */
  readonly ration?: RationRule;
}

/** How a call market was cleared. */
export interface CallMarketResult extends Interval, FilledOrders {
  readonly lot: string;
  /** What every unit costs: buyers pay it, sellers receive it. */
  readonly price: Amount;
  /** Units that were traded. */
  readonly quantity: number;
  /** Σ of the distance from limit to price over all units that were traded. A market order states no value: it adds none. */
  readonly surplus: Amount;
}

/** A call market. Its state is its spec. */
export type CallMarket = Protocol<CallMarketSpec, OrdersReply, CallMarketSpec, CallMarketResult>;

/**
 * Collects orders and trades as many units as possible at one price (k-double auction, Chatterjee and Samuelson 1983;
 * with many orders a call market).
 *
 * The price is low + k·(high − low), rounded down to a whole amount: what is lost of a unit of money stays with the
 * buyers. Both sides trade at that one price, so that what is paid is received, to the unit.
 */
export const callMarket: CallMarket = {
  name: 'market.call',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'strong',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec,
  parseReply: (_type, body) => parseOrders(body),
  init(spec, roster) {
    const body: OrdersQuestion = { lot: spec.lot, form: 'any' };
    return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_orders', body }] };
  },
  on(spec, { answers }, env) {
    const settled = settleCall(placedOrders(answers), spec, env);
    const { price } = settled.result ?? {};
    const prices = price === undefined ? {} : { buyPrice: price, sellPrice: price };
    const effects = marketClosed(answers, settled, { lot: spec.lot, ...prices });
    return { state: spec, effects };
  },
  verify: problemsOf,
};

/** Price, fills and everybody's reason, from the orders alone. */
export function settleCall(
  orders: readonly PlacedOrder[],
  spec: CallMarketSpec,
  env: PureEnv,
): Decision<CallMarketResult> {
  const { lot, ration: rule = 'priority' } = spec;
  const clearing = clear(orders);
  const interval = clearing && intervalOf(clearing);
  const price = interval && priceIn(interval, spec.k);
  if (clearing === undefined || price === undefined) {
    return { status: 'no_deal', reasons: orderReasons(orders) };
  }
  const { fills, tie } = fillOrders(orders, clearing, { rule, lot, env });
  const tied = tie === undefined ? {} : { tie };
  const reasons = orderReasons(orders, fills, clearing);
  if (fills === undefined) return { status: 'tied', ...tied, reasons };
  const { quantity } = clearing;
  const surplus = surplusOf({ orders, fills }, price);
  return {
    status: 'decided',
    result: { lot, price, ...interval, quantity, surplus, orders, fills },
    ...tied,
    reasons,
  };
}

/** There is none where only market orders trade: nobody has named one. */
function priceIn({ low, high }: Interval, k: Fraction = half): Amount | undefined {
  if (low === undefined || high === undefined) return low ?? high;
  return low + (k.num * (high - low)) / k.den;
}

const half: Fraction = { num: 1n, den: 2n };

function surplusOf({ orders, fills }: FilledOrders, price: Amount): Amount {
  let surplus = 0n;
  for (const [index, { side, limit }] of orders.entries()) {
    const filled = fills[index] ?? 0;
    if (limit === undefined || filled === 0) continue;
    surplus += (side === 'buy' ? limit - price : price - limit) * BigInt(filled);
  }
  return surplus;
}

/** Clears the orders again, and compares. Who is served first among equals takes the seed: that is left to a replay. */
function problemsOf(spec: CallMarketSpec, { result }: Claim<CallMarketResult>): readonly string[] {
  if (result === undefined) return [];
  const clearing = clear(result.orders);
  if (clearing === undefined) return ['units are traded though no orders cross'];
  const interval = intervalOf(clearing);
  const due = { quantity: clearing.quantity, ...interval, price: priceIn(interval, spec.k) };
  const problems = fillProblems(result, clearing, spec.ration);
  problems.push(...mismatches(result, due, ['quantity', 'low', 'high', 'price']));
  if (result.surplus !== surplusOf(result, result.price)) {
    problems.push(`surplus: ${shown(result.surplus)} is not what the fills add up to`);
  }
  return problems;
}

function parseSpec(spec: unknown): Parsed<CallMarketSpec> {
  return parseFields(spec, '{ lot, k?, ration? }', ({ lot, k = half, ration = 'priority' }) => ({
    lot: parseLot(lot),
    k: parseFraction(k),
    ration: parseChoice('ration', rationRules, ration),
  }));
}

function parseFraction(k: unknown): Parsed<Fraction> {
  if (!isRecord(k) || unknownField(k, ['num', 'den']) !== undefined) {
    return unparsed(`k: expected { num, den }, got ${shown(k)}`);
  }
  const num = parseAmount('k.num', k['num']);
  if (!num.ok) return num;
  const den = parseAmount('k.den', k['den']);
  if (!den.ok) return den;
  return den.value > 0n && num.value <= den.value
    ? parsed({ num: num.value, den: den.value })
    : unparsed(`k: expected a fraction from 0 to 1, got ${num.value}/${den.value}`);
}
