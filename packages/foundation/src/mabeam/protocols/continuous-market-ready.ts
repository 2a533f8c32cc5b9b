import { FoundationError } from '../../errors.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, shown } from '../parse.ts';
import { readyAmount, understood } from './ready-reply.ts';
import { type TradeReply, tradeQuestion } from './trade-question.ts';

/** Scripted traders of a continuous market, by name. `buyUpTo` and `sellFrom` of a call market trade one unit here, too. */
export const readyReplies = {
  /** `trade`: offers in each round to buy a unit at `bid` and to sell one at `ask`, in the place of what it offered before. */
  quote: (argument: unknown) => {
    if (!isRecord(argument)) {
      throw new FoundationError(
        'INVALID_OPTION',
        `quote: expected { bid, ask }, got ${shown(argument)}`,
      );
    }
    const bid = readyAmount('quote.bid', argument['bid']);
    const ask = readyAmount('quote.ask', argument['ask']);
    return (request: CoordinationRequest): TradeReply => ({
      cancel: understood(tradeQuestion, request).orders.map(({ id }) => id),
      orders: [
        { side: 'buy', quantity: 1, limit: bid },
        { side: 'sell', quantity: 1, limit: ask },
      ],
    });
  },
};
