import { type Amount, isAmount, parseAmount } from '../amount.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Answer } from '../protocol.ts';
import type { Question } from '../question.ts';
import { sumOf } from './ration.ts';

const orderSides = ['buy', 'sell'] as const;
const orderForms = ['any', 'one_unit'] as const;

/** Most orders of one participant. */
export const ordersMax = 1_000;
/** Most units of one order. */
export const quantityMax = 1_000_000;

/** Which side of the market an order stands on. */
export type OrderSide = (typeof orderSides)[number];

/** An offer to trade up to so many units. */
export interface Order {
  readonly side: OrderSide;
  /** Whole units, 1 to {@link quantityMax}. */
  readonly quantity: number;
  /**
   * Most to pay, or least to be paid, for a unit.
   *
   * @defaultValue none: a market order, which trades at whatever price there is, before all others
   */
  readonly limit?: Amount;
}

/** `any`: up to {@link ordersMax} orders of every kind. `one_unit`: at most one, with a limit, for one unit. */
export type OrderForm = (typeof orderForms)[number];

/** Body of a `get_orders` request, and what a trader is asked. */
export interface OrdersQuestion {
  /** Name of what is traded. */
  readonly lot: string;
  readonly form: OrderForm;
}

/** Body of the answer. */
export interface OrdersReply {
  readonly orders: readonly Order[];
}

/** An order, and who placed it. */
export interface PlacedOrder extends Order {
  readonly agent: AgentId;
}

/** What became of orders. Two lists, as there may be very many. */
export interface FilledOrders {
  /** Every order that counted, in the order of the roster. */
  readonly orders: readonly PlacedOrder[];
  /** Units traded for each of `orders`; never more than its quantity. */
  readonly fills: readonly number[];
}

/** Body of a `fills` notice: what became of the orders of who receives it. */
export interface FillsNotice {
  readonly lot: string;
  /** Units traded, for each order in the order in which they were placed. */
  readonly fills: readonly number[];
  /** What is paid for a unit by who bought; absent if nothing was traded. */
  readonly buyPrice?: Amount;
  /** What is received for a unit by who sold; absent if nothing was traded. */
  readonly sellPrice?: Amount;
}

/** Asks a trader for orders. */
export const ordersQuestion: Question<OrdersQuestion, readonly Order[]> = {
  type: 'get_orders',
  parse: parseQuestion,
  reply: (orders) => parseOrders({ orders }),
};

/** Reads the body of an answer. Limits may be decimal strings. */
export function parseOrders(body: unknown): Parsed<OrdersReply> {
  if (!isRecord(body)) return unparsed(`body: expected { orders }, got ${shown(body)}`);
  const extra = unknownField(body, ['orders']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { orders } = body;
  if (!Array.isArray(orders) || orders.length > ordersMax) {
    return unparsed(`body.orders: expected at most ${ordersMax} orders, got ${shown(orders)}`);
  }
  const read: Order[] = [];
  for (const [index, value] of orders.entries()) {
    const order = parseOrder(`body.orders[${index}]`, value);
    if (!order.ok) return order;
    read.push(order.value);
  }
  return parsed({ orders: read });
}

/** What everybody placed whose answer counted, in the order of the roster. */
export function placedOrders(answers: readonly Answer<OrdersReply>[]): readonly PlacedOrder[] {
  const counted = answers.filter((answer) => answer.kind === 'ok');
  // Field by field into a list of that length: there may be hundreds of thousands, and one that grows takes three times
  // as long.
  const placed: PlacedOrder[] = [];
  placed.length = sumOf(counted.map(({ body }) => body.orders.length));
  let next = 0;
  for (const { from: agent, body } of counted) {
    for (const { side, quantity, limit } of body.orders) {
      placed[next++] =
        limit === undefined ? { agent, side, quantity } : { agent, side, quantity, limit };
    }
  }
  return placed;
}

function parseOrder(field: string, value: unknown): Parsed<Order> {
  if (!isRecord(value)) {
    return unparsed(`${field}: expected { side, quantity, limit? }, got ${shown(value)}`);
  }
  const extra = unknownField(value, ['side', 'quantity', 'limit']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const { side, quantity, limit } = value;
  if (!isOneOf(orderSides, side)) {
    return unparsed(`${field}.side: expected buy or sell, got ${shown(side)}`);
  }
  if (!isQuantity(quantity)) {
    return unparsed(
      `${field}.quantity: expected a whole number from 1 to ${quantityMax}, got ${shown(quantity)}`,
    );
  }
  if (limit === undefined) return parsed({ side, quantity });
  // Its name is made for a limit that is refused only: there may be many orders.
  const amount = isAmount(limit) ? parsed(limit) : parseAmount(`${field}.limit`, limit);
  return amount.ok ? parsed({ side, quantity, limit: amount.value }) : amount;
}

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= quantityMax;
}

function parseQuestion({ body }: CoordinationRequest): Parsed<OrdersQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, form }, got ${shown(body)}`);
  const { lot, form } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  if (!isOneOf(orderForms, form)) {
    return unparsed(`body.form: expected any or one_unit, got ${shown(form)}`);
  }
  return parsed({ lot, form });
}
