import { isWithin } from './auction-terms.ts';
import type { OutcryReply } from './english-outcry.ts';
import { type StayReply, stayQuestion } from './price-questions.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';
import { bidQuestion } from './sealed-bid-auction.ts';

/** Scripted bidders of an English auction, by name; each takes its greatest price (`buy`: its least). */
export const readyReplies = {
  /** `stay`: stays at every tick up to a price. */
  stayUpTo: answering<StayReply>([stayQuestion], (argument) => {
    const limit = readyAmount('stayUpTo', argument);
    return (request) => {
      const { price, side } = understood(stayQuestion, request);
      return { stay: isWithin(side, price, limit) };
    };
  }),
  /** `get_bid`: bids the least that counts, up to an amount. What it says beyond counts as no raise. */
  bidUpTo: answering<OutcryReply>([bidQuestion], (argument) => {
    const limit = readyAmount('bidUpTo', argument);
    return (request) => {
      const { nextBid, side } = understood(bidQuestion, request);
      return { amount: nextBid !== undefined && isWithin(side, nextBid, limit) ? nextBid : limit };
    };
  }),
} as const;
