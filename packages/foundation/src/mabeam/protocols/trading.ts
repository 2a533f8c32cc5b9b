import type { Amount } from '../amount.ts';
import { canonical } from '../canonical.ts';
import type { AgentId } from '../message.ts';
import { shown } from '../parse.ts';
import type { RestingOrder } from './book-side.ts';
import { mismatches } from './fills.ts';
import { type BookOrder, type BookTrade, OrderBook } from './order-book.ts';
import { sumOf } from './ration.ts';
import type { TradeReply } from './trade-question.ts';

/** Something that a trader did. Orders are numbered from 1, in the order in which they were placed. */
export type MarketAction =
  | ({ readonly kind: 'place' } & BookOrder)
  | { readonly kind: 'cancel'; readonly agent: AgentId; readonly id: number };

/** What happened in a book, in this order. */
export interface Trading {
  readonly actions: readonly MarketAction[];
  readonly trades: readonly BookTrade[];
}

/** What somebody has traded in all. */
export interface Position {
  readonly agent: AgentId;
  /** Units. */
  readonly bought: number;
  readonly sold: number;
  /** For all units that were bought, and sold. */
  readonly paid: Amount;
  readonly received: Amount;
}

/** How a continuous market closed. */
export interface ContinuousMarketResult extends Trading {
  readonly lot: string;
  /** Rounds that there have been. */
  readonly rounds: number;
  /** Units that were traded. */
  readonly quantity: number;
  /** Σ of price × quantity over all trades. */
  readonly turnover: Amount;
  /** Of the last trade. */
  readonly lastPrice: Amount;
  /** Of everybody who has traded, in the order of the roster. */
  readonly positions: readonly Position[];
  /** Orders that were left in the book, in the order in which they were placed. */
  readonly open: readonly RestingOrder[];
}

/**
 * Has traders act one after the other, each with all that it answered: what it cancels, then what it places. Who cancels an
 * order of somebody else, or one that is gone, does nothing.
 */
// oxlint-disable-next-line max-params -- where, who, and what
export function trade(
  book: OrderBook,
  traders: readonly (readonly [AgentId, TradeReply])[],
  firstId: number,
): Trading {
  const actions: MarketAction[] = [];
  const trades: BookTrade[] = [];
  let id = firstId;
  for (const [agent, { cancel, orders }] of traders) {
    for (const own of cancel) {
      if (book.order(own)?.agent !== agent) continue;
      book.cancel(own);
      actions.push({ kind: 'cancel', agent, id: own });
    }
    for (const order of orders) {
      const placed = { agent, ...order, id: id++ };
      for (const each of book.place(placed)) trades.push(each);
      actions.push({ kind: 'place', ...placed });
    }
  }
  return { actions, trades };
}

/** What came of all trading; nothing if there were no trades. */
export function resultOf(
  { actions, trades }: Trading,
  market: Pick<ContinuousMarketResult, 'lot' | 'rounds' | 'open'>,
  roster: readonly AgentId[],
): ContinuousMarketResult | undefined {
  const last = trades.at(-1);
  if (last === undefined) return undefined;
  const quantity = sumOf(trades.map((each) => each.quantity));
  const turnover = trades.reduce((sum, each) => sum + valueOf(each), 0n);
  const positions = positionsOf(trades, roster);
  const sums = { quantity, turnover, lastPrice: last.price };
  return { ...market, ...sums, positions, trades, actions };
}

function valueOf({ price, quantity }: BookTrade): Amount {
  return price * BigInt(quantity);
}

function positionsOf(
  trades: readonly BookTrade[],
  roster: readonly AgentId[],
): readonly Position[] {
  const positions = new Map<AgentId, Position>();
  const positionOf = (agent: AgentId): Position =>
    positions.get(agent) ?? { agent, bought: 0, sold: 0, paid: 0n, received: 0n };
  for (const each of trades) {
    const { buyer, quantity, seller } = each;
    const [buying, selling] = [positionOf(buyer), positionOf(seller)];
    const paid = buying.paid + valueOf(each);
    positions.set(buyer, { ...buying, bought: buying.bought + quantity, paid });
    const received = selling.received + valueOf(each);
    positions.set(seller, { ...selling, sold: selling.sold + quantity, received });
  }
  return roster.flatMap((agent) => positions.get(agent) ?? []);
}

/** Does once more what the traders did, and compares. In which order they came takes the seed: that is left to a replay. */
export function tradingProblems(
  result: ContinuousMarketResult,
  roster: readonly AgentId[],
): readonly string[] {
  const members = new Set(roster);
  const problems: string[] = [];
  const book = new OrderBook();
  const trades: BookTrade[] = [];
  let count = 0;
  for (const [index, action] of result.actions.entries()) {
    const { agent, id } = action;
    if (!members.has(agent)) problems.push(`${agent} has traded and is not in the roster`);
    if (action.kind === 'place') {
      if (id !== ++count) problems.push(`actions[${index}]: order ${id}, not ${count}`);
      trades.push(...book.place(action));
    } else if (book.order(id)?.agent === agent) book.cancel(id);
    else problems.push(`actions[${index}]: ${agent} has no order ${id} to cancel`);
  }
  if (problems.length > 0) return problems;
  const { lot, rounds } = result;
  const due = resultOf(
    { actions: result.actions, trades },
    { lot, rounds, open: book.resting() },
    roster,
  );
  if (due === undefined) return ['there are trades though no orders have met'];
  problems.push(...mismatches(result, due, ['quantity', 'turnover', 'lastPrice']));
  for (const field of ['trades', 'positions', 'open'] as const) {
    if (canonical(result[field]) === canonical(due[field])) continue;
    problems.push(`${field}: ${shown(result[field])} that the orders do not lead to`);
  }
  return problems;
}
