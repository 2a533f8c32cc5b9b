import { parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import { type BidReply, bidQuestion } from './sealed-bid-auction.ts';

/** Bidders for scripts, by name. */
export const readyReplies = {
  /** `get_bid`: bids what it is worth to it (what it costs it), unless the reserve rules that out. */
  truthful: (argument: unknown) => {
    const value = parseAmount('truthful', argument);
    if (!value.ok) throw new Error(value.reason);
    const amount = value.value;
    return (request: CoordinationRequest): BidReply | undefined => {
      const question = bidQuestion.parse(request);
      if (!question.ok) return undefined;
      const { side, reserve = amount } = question.value;
      const isWithin = side === 'sell' ? amount >= reserve : amount <= reserve;
      return isWithin ? { amount } : undefined;
    };
  },
};
