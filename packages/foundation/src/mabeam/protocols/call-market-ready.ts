import { type OrderSide, type OrdersReply, ordersQuestion } from './orders.ts';
import { answering, readyAmount, type ReadyReplyMaker } from './ready-reply.ts';
import { tradeQuestion } from './trade-question.ts';

/** Traders of one unit, for scripts: `buyUpTo` and `sellFrom`, each with a limit. Where there are rounds they offer it in the first. */
export const readyReplies = {
  buyUpTo: unitOrder('buyUpTo', 'buy'),
  sellFrom: unitOrder('sellFrom', 'sell'),
};

function unitOrder(name: string, side: OrderSide): ReadyReplyMaker<OrdersReply> {
  return answering([ordersQuestion, tradeQuestion], (argument) => {
    const limit = readyAmount(name, argument);
    return ({ round }) => ({ orders: round > 1 ? [] : [{ side, quantity: 1, limit }] });
  });
}
