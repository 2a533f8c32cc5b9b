import type { Amount } from '../amount.ts';
import { parseChoice, parseFields } from '../fields.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Answer, Protocol, PureEnv, Step } from '../protocol.ts';
import { worthOf } from './auction-terms.ts';
import { type ClockState, onTick, problemsOfClock, startClock } from './english-clock.ts';
import {
  onBids,
  type OutcryReply,
  type OutcryState,
  parseOutcryBid,
  problemsOfOutcry,
  startOutcry,
} from './english-outcry.ts';
import { type EnglishTerms, openingOf } from './english-terms.ts';
import {
  openAuctionDefaults,
  type OpenAuctionResult,
  type OpenAuctionSpec,
  openAuctionTraits,
  openAuctionFields,
} from './open-auction.ts';
import { parseStay, type StayReply } from './price-questions.ts';

const variants = ['clock', 'outcry'] as const;

/** An auction whose price moves against the bidders: up when selling, down when buying. */
export interface EnglishSpec extends OpenAuctionSpec {
  /**
   * `clock`: the price moves by itself, and each tick asks who stays (Japanese auction). `outcry`: bidders raise
   * each other's bids.
   *
   * @defaultValue `clock`
   */
  readonly variant?: (typeof variants)[number];
  /**
   * The first price. A better `reserve` (for the auctioneer) takes its place.
   *
   * @defaultValue the reserve, or 0 when selling; when buying, one of the two is needed
   */
  readonly start?: Amount;
}

/** Body of a reply: to `stay` of a clock, or to `get_bid` of an outcry. */
export type EnglishReply = StayReply | OutcryReply;

type EnglishState = ClockState | OutcryState;

/**
 * The price moves until one bidder is left, who gets the lot at that price (Milgrom and Weber 1982 describe the
 * clock). To stay up to one's value is best up to one increment, and the price is the second-best
 * value up to one increment.
 *
 * A bidder that answers with a `limit` is not asked again until the price is past it. What comes of it is
 * what would have come of asking at every tick, in as many rounds as limits are passed.
 */
export const englishAuction: Protocol<EnglishSpec, EnglishReply, EnglishState, OpenAuctionResult> =
  {
    name: 'auction.english',
    version: '1.0.0',
    // Two who leave at the same tick share a chance to pay the price before: shading may gain a part of a tick.
    traits: openAuctionTraits,
    parseSpec,
    parseReply: (type, body) => (type === 'stay' ? parseStay(body) : parseOutcryBid(body)),
    init(spec, roster) {
      const terms = termsOf(spec);
      return spec.variant === 'outcry' ? startOutcry(terms, roster) : startClock(terms, roster);
    },
    on: (state, { answers }, env) => advance(state, answers, env),
    verify(spec, { roster, result }) {
      if (result === undefined) return [];
      const members = new Set(roster);
      const stranger = result.bids.find(({ agent }) => !members.has(agent));
      const own = result.bids.find(({ agent }) => agent === result.winner);
      return [
        ...(stranger === undefined ? [] : [`${stranger.agent} has bid and is not in the roster`]),
        ...(own?.amount === result.price
          ? []
          : [`${result.winner} did not agree to ${result.price}`]),
        ...(spec.variant === 'outcry' ? problemsOfOutcry : problemsOfClock)(termsOf(spec), result),
      ];
    },
  };

function advance(
  state: EnglishState,
  answers: readonly Answer<EnglishReply>[],
  env: PureEnv,
): Step<EnglishState, OpenAuctionResult> {
  return state.kind === 'clock'
    ? onTick(state, answers.filter(isOfClock), env)
    : onBids(state, answers.filter(isOfOutcry), env);
}

function isOfClock(answer: Answer<EnglishReply>): answer is Answer<StayReply> {
  return answer.kind !== 'ok' || !('amount' in answer.body);
}

function isOfOutcry(answer: Answer<EnglishReply>): answer is Answer<OutcryReply> {
  return answer.kind !== 'ok' || !('stay' in answer.body);
}

function parseSpec(spec: unknown): Parsed<EnglishSpec> {
  const open = parseFields(spec, '{ lot, increment, … }', ({ variant = 'clock', ...given }) => ({
    ...openAuctionFields(given),
    variant: parseChoice('variant', variants, variant),
  }));
  return open.ok && openingOf(open.value) === undefined
    ? unparsed('start: expected a price to begin with when buying, got undefined')
    : open;
}

function termsOf(spec: EnglishSpec): EnglishTerms {
  const { lot, side, increment, roundMs, maxRounds } = { ...openAuctionDefaults, ...spec };
  return {
    lot,
    side,
    opening: openingOf({ ...spec, side }) ?? 0n,
    ladder: { direction: side === 'sell' ? 'up' : 'down', increment },
    roundMs,
    maxRounds,
    worth: worthOf(side),
  };
}
