import type { AgentId } from '../message.ts';
import { shown } from '../parse.ts';
import type {
  Answer,
  Decision,
  Effect,
  LossReason,
  PureEnv,
  TellEffect,
  Tie,
} from '../protocol.ts';
import { type Margin, type Margins, standing } from './clearing.ts';
import type {
  FilledOrders,
  FillsNotice,
  Order,
  OrderSide,
  OrdersReply,
  PlacedOrder,
} from './orders.ts';
import { ration, type RationRule, sumOf } from './ration.ts';

/** Units traded for each order. */
export interface Filling {
  /** Absent when it takes a tie-break and the rule is to report it. */
  readonly fills?: readonly number[];
  readonly tie?: Tie;
}

/** Fills orders before the margins entirely, rations those at them, and leaves the others. */
export function fillOrders(
  orders: readonly PlacedOrder[],
  margins: Margins,
  how: { readonly rule: RationRule; readonly lot: string; readonly env: PureEnv },
): Filling {
  const shares = { buy: new Map<AgentId, number>(), sell: new Map<AgentId, number>() };
  let tie: Tie | undefined;
  for (const side of ['buy', 'sell'] as const) {
    const { units, wanted } = margins[side];
    if (units === wanted) continue;
    const claims = orders.filter((order) => order.side === side && isMarginal(order, margins));
    const draw = { units, rule: how.rule, label: `${side} ${how.lot}` };
    const rationed = ration(
      claims.map(({ agent, quantity }) => ({ agent, units: quantity })),
      draw,
      how.env,
    );
    tie ??= rationed.tie;
    if (rationed.shares === undefined) return tie === undefined ? {} : { tie };
    for (const [agent, share] of rationed.shares) shares[side].set(agent, share);
  }
  const fills = orders.map((order) => {
    const margin = margins[order.side];
    const place = standing(order, margin);
    if (place !== 0) return place > 0 ? order.quantity : 0;
    if (margin.units === margin.wanted) return order.quantity;
    // Of several equal orders of one agent the first is filled first.
    const left = shares[order.side].get(order.agent) ?? 0;
    const units = Math.min(left, order.quantity);
    shares[order.side].set(order.agent, left - units);
    return units;
  });
  return { fills, ...(tie === undefined ? {} : { tie }) };
}

function isMarginal(order: Order, margins: Margins): boolean {
  return order.limit === margins[order.side].limit;
}

/**
 * Why each trader traded or did not. `tie_lost`: an order of it was as good as others that traded.
 */
export function orderReasons(
  orders: readonly PlacedOrder[],
  fills: readonly number[] = [],
  margins?: Margins,
): Readonly<Record<AgentId, LossReason>> {
  const reasons = new Map<AgentId, LossReason>();
  for (const [index, order] of orders.entries()) {
    const { agent, side } = order;
    const known = reasons.get(agent);
    if (known === 'won') continue;
    if (Number(fills[index]) > 0) reasons.set(agent, 'won');
    else if (margins !== undefined && margins[side].units > 0 && isMarginal(order, margins)) {
      reasons.set(agent, 'tie_lost');
    } else if (known === undefined) reasons.set(agent, 'outbid');
  }
  return Object.fromEntries(reasons);
}

/** Ends a market: everybody whose orders counted hears what became of them, and who placed none has its reason, too. */
export function marketClosed<R extends FilledOrders>(
  answers: readonly Answer<OrdersReply>[],
  settled: Decision<R>,
  terms: Omit<FillsNotice, 'fills'>,
): readonly Effect<R>[] {
  const decision = { ...settled, reasons: { ...idleReasons(answers), ...settled.reasons } };
  return [...fillNotices(answers, settled.result?.fills, terms), { kind: 'finish', decision }];
}

/** Who answered and placed no orders has declined to trade. */
function idleReasons(
  answers: readonly Answer<OrdersReply>[],
): Readonly<Record<AgentId, LossReason>> {
  const idle = answers.filter((answer) => answer.kind === 'ok' && answer.body.orders.length === 0);
  return Object.fromEntries(idle.map(({ from }) => [from, 'declined']));
}

function fillNotices(
  answers: readonly Answer<OrdersReply>[],
  fills: readonly number[] | undefined,
  terms: Omit<FillsNotice, 'fills'>,
): readonly TellEffect[] {
  let next = 0;
  return answers.flatMap((answer): TellEffect[] => {
    if (answer.kind !== 'ok') return [];
    const own = answer.body.orders.map(() => fills?.[next++] ?? 0);
    const body: FillsNotice = { ...terms, fills: own };
    return [{ kind: 'tell', to: [answer.from], type: 'fills', body }];
  });
}

/** Which of some fields are not what the orders make them. */
export function mismatches<Field extends string>(
  claimed: Readonly<Partial<Record<Field, unknown>>>,
  due: Readonly<Partial<Record<Field, unknown>>>,
  fields: readonly Field[],
): readonly string[] {
  return fields
    .filter((field) => claimed[field] !== due[field])
    .map(
      (field) =>
        `${field}: ${shown(claimed[field])}, though the orders make it ${shown(due[field])}`,
    );
}

/** What is wrong with fills, given the margins that the orders lead to. */
export function fillProblems(
  { orders, fills }: FilledOrders,
  margins: Margins,
  rule: RationRule = 'priority',
): string[] {
  if (fills.length !== orders.length) return [`${fills.length} fills for ${orders.length} orders`];
  const problems: string[] = [];
  const marginal: Record<OrderSide, MarginalFill[]> = { buy: [], sell: [] };
  for (const [index, order] of orders.entries()) {
    const { agent, side, quantity } = order;
    const filled = fills[index] ?? 0;
    const place = standing(order, margins[side]);
    const least = place > 0 ? quantity : 0;
    const most = place < 0 ? 0 : quantity;
    if (place === 0) marginal[side].push({ agent, quantity, filled });
    if (Number.isInteger(filled) && filled >= least && filled <= most) continue;
    problems.push(`fills[${index}]: ${filled} units, not ${least} to ${most}`);
  }
  for (const side of ['buy', 'sell'] as const) {
    const { units } = margins[side];
    const given = sumOf(marginal[side].map(({ filled }) => filled));
    if (given !== units) problems.push(`fills: ${given} units at the ${side} margin, not ${units}`);
    if (rule === 'pro_rata') problems.push(...unfairShares(marginal[side], margins[side]));
  }
  return problems;
}

interface MarginalFill {
  readonly agent: AgentId;
  readonly quantity: number;
  readonly filled: number;
}

/** Whoever does not have its share of the units at the margin, rounded down or up. */
function unfairShares(
  marginal: readonly MarginalFill[],
  { units, wanted }: Margin,
): readonly string[] {
  const whole = BigInt(wanted);
  return [...Map.groupBy(marginal, ({ agent }) => agent)].flatMap(([agent, own]) => {
    const due = BigInt(sumOf(own.map(({ quantity }) => quantity))) * BigInt(units);
    const more = BigInt(sumOf(own.map(({ filled }) => filled))) * whole - due;
    return more > -whole && more < whole ? [] : [`${agent} does not have its share of the margin`];
  });
}
