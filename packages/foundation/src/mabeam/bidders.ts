import type { Amount } from './amount.ts';
import type { ParticipantHandlers } from './participant.ts';
import { isLimit, isWithin, type Limit } from './protocols/auction-terms.ts';
import { withinBudget } from './protocols/combinatorial/package-bidders.ts';
import { affordable } from './protocols/marginals.ts';
import type { Decline } from './question.ts';

/** What a lot is worth to a bidder (`buy`: what it costs it): an amount, or what its process makes of it. */
export type Worth<C> = Amount | ((ctx: C) => Amount);

/**
 * A bidder that says what is true of its value, question by question, so that the value may change between them.
 *
 * It bids its value in a sealed auction, and the least that counts in an outcry while that is within its
 * value; it stays in a clock, and accepts in a Dutch auction, at every price within its value. That is
 * best in a Vickrey auction, and in an English one up to an increment. In a first-price or a Dutch auction it gains nothing.
 */
export function truthful<C>(value: Worth<C>): ParticipantHandlers<C> {
  return {
    bid(ctx, { nextBid, side }) {
      const own = amountOf(value, ctx);
      if (nextBid === undefined) return own;
      return isWithin(side, nextBid, own) ? nextBid : { decline: 'more than it is worth' };
    },
    stay: (ctx, { price, side }) => isWithin(side, price, amountOf(value, ctx)),
    accept: (ctx, { price, side }) => isWithin(side, price, amountOf(value, ctx)),
  };
}

/**
 * A bidder that leaves it to the auctioneer to bid, stay or accept up to a maximum (`buy`: down to a minimum): one
 * answer for all prices on the way. In a sealed auction it bids the maximum.
 */
export function proxy<C>(max: Worth<C>): ParticipantHandlers<C> {
  const upToMax = (ctx: C): Limit => ({ limit: amountOf(max, ctx) });
  return {
    bid(ctx, { nextBid, side }) {
      const limit = amountOf(max, ctx);
      if (nextBid === undefined) return limit;
      return isWithin(side, nextBid, limit) ? { limit } : { decline: 'more than the maximum' };
    },
    stay: upToMax,
    accept: upToMax,
  };
}

/**
 * The same bidder, which never agrees to pay more than `limit`: bids and limits beyond it become the limit, a price
 * beyond it is refused; of several units it wants as many as it can pay at its own bids, or at the price that is called. Where
 * it would be paid (`buy`) nothing changes, nor do its orders in markets and its `answers` of other types.
 */
export function withBudget<C>(
  limit: Worth<C>,
  handlers: ParticipantHandlers<C>,
): ParticipantHandlers<C> {
  const { bid, stay, accept, marginals, quantity, packageBids } = handlers;
  return {
    ...handlers,
    ...(bid && {
      async bid(ctx, question, request) {
        const answer = await bid(ctx, question, request);
        if (question.side === 'buy') return answer;
        const budget = amountOf(limit, ctx);
        const least = question.nextBid ?? question.reserve ?? 0n;
        if (least > budget && !isDecline(answer)) return { decline: 'over budget' };
        return capped(answer, budget);
      },
    }),
    ...(stay && {
      async stay(ctx, question, request) {
        const answer = await stay(ctx, question, request);
        return question.side === 'buy'
          ? answer
          : within(answer, question.price, amountOf(limit, ctx));
      },
    }),
    ...(accept && {
      async accept(ctx, question, request) {
        const answer = await accept(ctx, question, request);
        return question.side === 'buy'
          ? answer
          : within(answer, question.price, amountOf(limit, ctx));
      },
    }),
    ...(marginals && {
      async marginals(ctx, question, request) {
        const answer = await marginals(ctx, question, request);
        if (question.side === 'buy' || 'decline' in answer) return answer;
        return affordable(answer, amountOf(limit, ctx));
      },
    }),
    ...(quantity && {
      async quantity(ctx, question, request) {
        const answer = await quantity(ctx, question, request);
        const { price, side } = question;
        if (side === 'buy' || typeof answer !== 'number' || price === 0n) return answer;
        return Math.min(answer, Number(amountOf(limit, ctx) / price));
      },
    }),
    ...(packageBids && {
      async packageBids(ctx, question, request) {
        const answer = await packageBids(ctx, question, request);
        if (question.side === 'buy' || 'decline' in answer) return answer;
        return withinBudget(answer, amountOf(limit, ctx));
      },
    }),
  };
}

function amountOf<C>(worth: Worth<C>, ctx: C): Amount {
  return typeof worth === 'function' ? worth(ctx) : worth;
}

/** A yes to a price beyond the budget is a no. */
function within(
  answer: boolean | Limit | Decline,
  price: Amount,
  budget: Amount,
): boolean | Limit | Decline {
  if (answer === true) return price <= budget;
  return typeof answer === 'boolean' || isDecline(answer) ? answer : cappedLimit(answer, budget);
}

function capped(answer: Amount | Limit | Decline, budget: Amount): Amount | Limit | Decline {
  if (typeof answer === 'bigint') return answer > budget ? budget : answer;
  return isDecline(answer) ? answer : cappedLimit(answer, budget);
}

function cappedLimit({ limit }: Limit, budget: Amount): Limit {
  return { limit: limit > budget ? budget : limit };
}

function isDecline(answer: Amount | boolean | Limit | Decline): answer is Decline {
  return typeof answer === 'object' && !isLimit(answer);
}
