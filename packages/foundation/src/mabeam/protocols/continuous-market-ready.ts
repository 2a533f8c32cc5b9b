import { FoundationError } from '../../errors.ts';
import { isRecord, shown } from '../parse.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';
import { type TradeReply, tradeQuestion } from './trade-question.ts';

/** Scripted traders of a continuous market, by name. `buyUpTo` and `sellFrom` of a call market trade one unit here, too. */
export const readyReplies = {
  /** `trade`: offers in each round to buy a unit at `bid` and to sell one at `ask`, in the place of what it offered before. */
  quote: answering<TradeReply>([tradeQuestion], (argument) => {
    if (!isRecord(argument)) {
      throw new FoundationError(
        'INVALID_OPTION',
        `quote: expected { bid, ask }, got ${shown(argument)}`,
      );
    }
    const bid = readyAmount('quote.bid', argument['bid']);
    const ask = readyAmount('quote.ask', argument['ask']);
    return (request) => ({
      cancel: understood(tradeQuestion, request).orders.map(({ id }) => id),
      orders: [
        { side: 'buy', quantity: 1, limit: bid },
        { side: 'sell', quantity: 1, limit: ask },
      ],
    });
  }),
};
