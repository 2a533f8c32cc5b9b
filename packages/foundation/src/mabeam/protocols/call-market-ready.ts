import type { CoordinationRequest } from '../message.ts';
import type { OrderSide } from './orders.ts';

/** Traders of one unit, for scripts: `buyUpTo` and `sellFrom`, each with a limit. */
export const readyReplies = {
  buyUpTo: unitOrder('buy'),
  sellFrom: unitOrder('sell'),
};

function unitOrder(side: OrderSide) {
  return (limit: unknown) =>
    (_request: CoordinationRequest): unknown => ({ orders: [{ side, quantity: 1, limit }] });
}
