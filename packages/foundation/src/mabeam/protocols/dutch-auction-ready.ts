import { isWithin } from './auction-terms.ts';
import { type AcceptReply, acceptQuestion } from './price-questions.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';

/** Scripted bidders of a Dutch auction, by name. */
export const readyReplies = {
  /** `accept`: accepts the first price that is at an amount or better. */
  acceptAt: answering<AcceptReply>([acceptQuestion], (argument) => {
    const limit = readyAmount('acceptAt', argument);
    return (request) => {
      const { price, side } = understood(acceptQuestion, request);
      return { accept: isWithin(side, price, limit) };
    };
  }),
} as const;
