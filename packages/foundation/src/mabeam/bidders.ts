import { isFoundationError } from '../errors.ts';
import type { Amount } from './amount.ts';
import type { Ledger } from './ledger.ts';
import type { AgentId, CoordinationRequest, SessionId } from './message.ts';
import type { ParticipantHandlers } from './participant.ts';
import { isLimit, isWithin, type Limit } from './protocols/auction-terms.ts';
import { mostPayable, withinBudget } from './protocols/combinatorial/package-bidders.ts';
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

/** An account from which a bidder pays: what it agrees to pay is set aside there before it says so. */
export interface LedgerBudget {
  readonly ledger: Pick<Ledger, 'balance' | 'reservation' | 'reserve' | 'raise'>;
  readonly account: string;
}

/** The key under which an agent sets aside what it may have to pay for a session: settle or release it afterwards. */
export function bidReservation(session: SessionId, agent: AgentId): string {
  return `bid ${session} ${agent}`;
}

/**
 * The same bidder, which never agrees to pay more than `budget`: bids and limits beyond it become the budget, a price
 * beyond it is refused; of several units it wants as many as it can pay at its own bids, or at the price that is called. Where
 * it would be paid (`buy`) nothing changes, nor do its orders in markets and its `answers` of other types.
 *
 * Of an account of a ledger, the budget is what is available there, and what the agent agrees to pay is set aside in it,
 * under {@link bidReservation}, before the answer is given. When the session is over, settle that or release it.
 */
export function withBudget<C>(
  budget: Worth<C> | LedgerBudget,
  handlers: ParticipantHandlers<C>,
): ParticipantHandlers<C> {
  const purse = purseOf(budget);
  const { bid, stay, accept, marginals, quantity, packageBids } = handlers;
  return {
    ...handlers,
    ...(bid && {
      async bid(ctx, question, request) {
        const answer = await bid(ctx, question, request);
        if (question.side === 'buy' || isDecline(answer)) return answer;
        const least = question.nextBid ?? question.reserve ?? 0n;
        return paid({ purse, ctx, request }, (left) => {
          const given = capped(answer, left);
          const pays = typeof given === 'bigint' ? given : given.limit;
          return least > left ? undefined : { given, pays };
        });
      },
    }),
    ...(stay && {
      async stay(ctx, question, request) {
        const answer = await stay(ctx, question, request);
        if (question.side === 'buy') return answer;
        return within(answer, question.price, { purse, ctx, request });
      },
    }),
    ...(accept && {
      async accept(ctx, question, request) {
        const answer = await accept(ctx, question, request);
        if (question.side === 'buy') return answer;
        return within(answer, question.price, { purse, ctx, request });
      },
    }),
    ...(marginals && {
      async marginals(ctx, question, request) {
        const answer = await marginals(ctx, question, request);
        if (question.side === 'buy' || 'decline' in answer) return answer;
        return paid({ purse, ctx, request }, (left) => {
          const given = affordable(answer, left);
          return { given, pays: given.reduce((sum, each) => sum + each, 0n) };
        });
      },
    }),
    ...(quantity && {
      async quantity(ctx, question, request) {
        const answer = await quantity(ctx, question, request);
        const { price, side } = question;
        if (side === 'buy' || typeof answer !== 'number' || price === 0n) return answer;
        return paid({ purse, ctx, request }, (left) => {
          const given = Math.min(answer, Number(left / price));
          return { given, pays: BigInt(given) * price };
        });
      },
    }),
    ...(packageBids && {
      async packageBids(ctx, question, request) {
        const answer = await packageBids(ctx, question, request);
        if (question.side === 'buy' || 'decline' in answer) return answer;
        return paid({ purse, ctx, request }, (left) => {
          const given = withinBudget(answer, left);
          return { given, pays: mostPayable(given) };
        });
      },
    }),
  };
}

const overBudget = { decline: 'over budget' } as const;

/** Times that a bidder looks again at what is left, when others have set it aside meanwhile. */
const looksMax = 16;

/** What a bidder gives that can pay for it: `choose` says what that is and costs with so much left, if anything. */
async function paid<C, G>(
  { purse, ctx, request }: Paying<C>,
  choose: (left: Amount) => { readonly given: G; readonly pays: Amount } | undefined,
): Promise<G | typeof overBudget> {
  for (let look = 0; look < looksMax; look++) {
    const choice = choose(await purse.left(ctx, request));
    if (choice === undefined) return overBudget;
    if (await purse.setAside(choice.pays, request)) return choice.given;
  }
  return overBudget;
}

/** Who pays, from what, when asked what. */
interface Paying<C> {
  readonly purse: Purse<C>;
  readonly ctx: C;
  readonly request: CoordinationRequest;
}

/** Where a bidder pays from. */
interface Purse<C> {
  left(ctx: C, request: CoordinationRequest): Amount | Promise<Amount>;
  /** Whether the amount is there to be paid. */
  setAside(amount: Amount, request: CoordinationRequest): boolean | Promise<boolean>;
}

function purseOf<C>(budget: Worth<C> | LedgerBudget): Purse<C> {
  if (typeof budget === 'object') return accountPurse(budget);
  return { left: (ctx) => amountOf(budget, ctx), setAside: () => true };
}

function accountPurse<C>({ ledger, account }: LedgerBudget): Purse<C> {
  return {
    async left(_ctx, request) {
      try {
        const own = await ledger.reservation(keyOf(request));
        if (own !== undefined && own.status !== 'held') return 0n;
        return (await ledger.balance(account)).available + (own?.amount ?? 0n);
      } catch (error) {
        // What cannot be asked for at the moment is not there.
        if (isFoundationError(error) && error.retryable) return 0n;
        throw error;
      }
    },
    async setAside(amount, request) {
      const key = keyOf(request);
      try {
        const own = await ledger.reservation(key);
        await (own === undefined
          ? ledger.reserve(account, amount, { key })
          : ledger.raise(key, amount));
        return true;
      } catch (error) {
        // Another bidder of the same account was faster, or nobody can tell.
        if (isFoundationError(error)) return false;
        throw error;
      }
    },
  };
}

function keyOf({ session, to }: CoordinationRequest): string {
  return bidReservation(session, to);
}

/** A yes to a price beyond the budget is a no. */
async function within<C>(
  answer: boolean | Limit | Decline,
  price: Amount,
  asked: Paying<C>,
): Promise<boolean | Limit | Decline> {
  if (answer === false || (answer !== true && isDecline(answer))) return answer;
  const { purse, ctx, request } = asked;
  const left = await purse.left(ctx, request);
  const given = answer === true ? price <= left : cappedLimit(answer, left);
  if (given === false) return false;
  const pays = given === true ? price : given.limit;
  return (await purse.setAside(pays, request)) ? given : false;
}

function amountOf<C>(worth: Worth<C>, ctx: C): Amount {
  return typeof worth === 'function' ? worth(ctx) : worth;
}

function capped(answer: Amount | Limit, budget: Amount): Amount | Limit {
  if (typeof answer === 'bigint') return answer > budget ? budget : answer;
  return cappedLimit(answer, budget);
}

function cappedLimit({ limit }: Limit, budget: Amount): Limit {
  return { limit: limit > budget ? budget : limit };
}

function isDecline(answer: Amount | boolean | Limit | Decline): answer is Decline {
  return typeof answer === 'object' && !isLimit(answer);
}
