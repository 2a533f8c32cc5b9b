import { type Amount, isAmount, parseAmount } from './amount.ts';
import {
  type CoordinationReply,
  type CoordinationRequest,
  parseRequest,
  type ReplyStatus,
} from './message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unparsed } from './parse.ts';
import type { AuctionSide } from './protocols/sealed-bid-auction.ts';

/** What a bidder is asked. */
export interface BidQuestion {
  readonly lot: string;
  /** `sell`: bid what you would pay. `buy`: bid what it would cost you. */
  readonly side: AuctionSide;
  /** Counts from 1. */
  readonly round: number;
  /** Of auctions whose price moves from round to round. */
  readonly currentPrice?: Amount;
  /** Least price when selling, greatest when buying. */
  readonly reserve?: Amount;
}

/** An amount, or why there is none. */
export type BidAnswer = Amount | { readonly decline: string };

/** What a participant can do, each by one handler; `C` is the context of its process. */
export interface ParticipantHandlers<C> {
  /** Makes a bid. An error it throws is the process's own crash. */
  readonly bid?: (ctx: C, question: BidQuestion) => BidAnswer | Promise<BidAnswer>;
}

/** Answers coordination requests. */
export type ParticipantHandler<C> = (
  ctx: C,
  request: unknown,
) => CoordinationReply | Promise<CoordinationReply>;

/**
 * Makes the one handler that answers coordination requests of every protocol. What it has no
 * handler for, and what is no request, it answers with `not_understood`.
 */
export function participant<C>(handlers: ParticipantHandlers<C>): ParticipantHandler<C> {
  const { bid } = handlers;
  return (ctx, value) => {
    const read = parseRequest(value);
    if (!read.ok) return misunderstood(value, read.reason);
    const request = read.value;
    if (request.type !== 'get_bid' || bid === undefined) {
      return replyTo(request, 'not_understood', {
        reason: `no handler for ${shown(request.type)}`,
      });
    }
    const question = parseQuestion(request);
    if (!question.ok) return replyTo(request, 'not_understood', { reason: question.reason });
    const answer = bid(ctx, question.value);
    return answer instanceof Promise
      ? answer.then((settled) => replyWithBid(request, settled))
      : replyWithBid(request, answer);
  };
}

function parseQuestion({ body, round }: CoordinationRequest): Parsed<BidQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { lot, side }, got ${shown(body)}`);
  const { lot, side } = body;
  if (typeof lot !== 'string') return unparsed(`body.lot: expected a text, got ${shown(lot)}`);
  if (!isOneOf(['sell', 'buy'], side)) {
    return unparsed(`body.side: expected sell or buy, got ${shown(side)}`);
  }
  const reserve = optionalAmount('body.reserve', body['reserve']);
  if (!reserve.ok) return reserve;
  const currentPrice = optionalAmount('body.currentPrice', body['currentPrice']);
  if (!currentPrice.ok) return currentPrice;
  return parsed({
    lot,
    side,
    round,
    ...(reserve.value === undefined ? {} : { reserve: reserve.value }),
    ...(currentPrice.value === undefined ? {} : { currentPrice: currentPrice.value }),
  });
}

function optionalAmount(field: string, value: unknown): Parsed<Amount | undefined> {
  return value === undefined ? parsed(undefined) : parseAmount(field, value);
}

function replyWithBid(request: CoordinationRequest, answer: BidAnswer): CoordinationReply {
  if (isAmount(answer)) return replyTo(request, 'ok', { body: { amount: answer } });
  if (isRecord(answer) && typeof answer.decline === 'string') {
    return replyTo(request, 'decline', { reason: answer.decline });
  }
  return replyTo(request, 'error', { reason: `the bid was ${shown(answer)}, not an amount` });
}

function replyTo(
  {
    session,
    round,
    nonce,
    to: from,
  }: Pick<CoordinationRequest, 'session' | 'round' | 'nonce' | 'to'>,
  status: ReplyStatus,
  content: { readonly body?: unknown; readonly reason?: string },
): CoordinationReply {
  return {
    kind: 'mabeam.coordination.reply',
    v: 1,
    session,
    round,
    nonce,
    from,
    status,
    ...content,
  };
}

/** Quotes what can be quoted, so that the sender may still recognize its request. */
function misunderstood(value: unknown, reason: string): CoordinationReply {
  const fields = isRecord(value) ? value : {};
  const textAt = (key: string): string => {
    const field = fields[key];
    return typeof field === 'string' ? field : '';
  };
  const quoted = { session: textAt('session'), round: 0, nonce: textAt('nonce'), to: textAt('to') };
  return replyTo(quoted, 'not_understood', { reason });
}
