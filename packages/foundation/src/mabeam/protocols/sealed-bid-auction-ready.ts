import { answering, readyAmount, understood } from './ready-reply.ts';
import { type BidReply, bidQuestion } from './sealed-bid-auction.ts';

/** Bidders for scripts, by name. */
export const readyReplies = {
  /** `get_bid`: bids what it is worth to it (what it costs it), unless the reserve rules that out. */
  truthful: answering<BidReply | undefined>([bidQuestion], (argument) => {
    const amount = readyAmount('truthful', argument);
    return (request) => {
      const { side, reserve = amount } = understood(bidQuestion, request);
      const isWithin = side === 'sell' ? amount >= reserve : amount <= reserve;
      return isWithin ? { amount } : undefined;
    };
  }),
};
