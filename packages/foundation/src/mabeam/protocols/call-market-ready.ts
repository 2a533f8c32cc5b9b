import type { CoordinationRequest } from '../message.ts';
import type { OrderSide } from './orders.ts';

/** Traders of one unit, for scripts: `buyUpTo` and `sellFrom`, each with a limit. Where there are rounds they offer it in the first. */
export const readyReplies = {
  buyUpTo: unitOrder('buy'),
  sellFrom: unitOrder('sell'),
};

function unitOrder(side: OrderSide) {
  return (limit: unknown) =>
    ({ round }: CoordinationRequest): unknown => ({
      orders: round > 1 ? [] : [{ side, quantity: 1, limit }],
    });
}
