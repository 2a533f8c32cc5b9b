import { isDeepStrictEqual } from 'node:util';

import { parseFields, parseMs, parseText, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { type Parsed } from '../parse.ts';
import type { Claim, SilenceCause } from '../protocol.ts';
import { type Issues, isRange, type Offer, offerOn, parseIssues } from './negotiation-issues.ts';

/** Most rounds of one negotiation. */
export const concessionRoundsMax = 1_000;

/** What is negotiated. */
export interface MonotonicConcessionSpec {
  /** Name of what is negotiated, up to 256 characters. */
  readonly subject: string;
  readonly issues: Issues;
  /** The deadline of the negotiation, 1 to {@link concessionRoundsMax}. @defaultValue 100 */
  readonly rounds?: number;
  /** Milliseconds for each round. @defaultValue 1000 */
  readonly roundMs?: number;
}

/** An offer, and in which round it was made. */
export interface ConcededOffer {
  readonly round: number;
  readonly by: AgentId;
  readonly offer: Offer;
}

/**
 * Why there is no agreement. `conflict`: nobody moved. `rounds`: they are used up. `ended`: somebody ended it, or declined.
 * `impossible`: somebody took a concession back, or offered what is none of the issues' values. Otherwise it was out of
 * touch.
 */
export type ConcessionFailure = 'conflict' | 'rounds' | 'ended' | 'impossible' | SilenceCause;

/** Who broke it off. */
export interface ConcessionBreakdown {
  readonly round: number;
  readonly cause: ConcessionFailure;
  /** Empty where all are at fault. */
  readonly by: readonly AgentId[];
}

/** How a negotiation ended. */
export interface MonotonicConcessionResult {
  readonly subject: string;
  readonly agreement?: ConcededOffer;
  readonly breakdown?: ConcessionBreakdown;
  /** Every offer, round by round in the order of the roster. */
  readonly offers: readonly ConcededOffer[];
  readonly rounds: number;
}

/**
 * Whether an offer takes nothing back: it was not made before, and where all is about one amount it goes on the way that
 * was taken. What it is worth to whom only they know.
 */
// oxlint-disable-next-line max-params -- about what, after which, which
export function isConcession(issues: Issues, before: readonly Offer[], given: Offer): boolean {
  const offer = offerOn(issues, given);
  if (offer === undefined || before.some((each) => isDeepStrictEqual(each, offer))) return false;
  const [[name, issue] = [''], ...others] = Object.entries(issues);
  if (issue === undefined || !isRange(issue) || others.length > 0) return true;
  const [first, last, now] = [before[0]?.[name], before.at(-1)?.[name], offer[name]];
  if (first === undefined || last === undefined || now === undefined || first === last) return true;
  return first < last ? now > last : now < last;
}

/** That it ended in one way, with an offer that stood, and that nobody took anything back. */
export function concessionProblems(
  { issues, rounds: roundsAtMost = 100 }: MonotonicConcessionSpec,
  { status, result, roster }: Claim<MonotonicConcessionResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { agreement, breakdown, offers, rounds } = result;
  const problems: string[] = [];
  if ((status === 'decided') !== (agreement !== undefined)) {
    problems.push(`\`${status}\` is not how it ended`);
  }
  if ((status === 'no_deal') !== (breakdown !== undefined)) {
    problems.push('it has to end with an agreement or with a breakdown');
  }
  for (const [index, { by, offer, round }] of offers.entries()) {
    const before = offers.slice(0, index).filter((each) => each.by === by);
    const own = before.map((each) => each.offer);
    if (!roster.includes(by) || !isConcession(issues, own, offer)) {
      problems.push(`the offer of ${by} in round ${round} is none`);
    }
  }
  if (rounds > roundsAtMost || offers.some(({ round }) => round > rounds)) {
    problems.push(`there were not ${rounds} rounds`);
  }
  const last = offers.findLast(({ by }) => by === agreement?.by);
  if (agreement !== undefined && !isDeepStrictEqual(agreement, last)) {
    problems.push('the agreement did not stand');
  }
  return problems;
}

export function parseConcessionSpec(spec: unknown): Parsed<MonotonicConcessionSpec> {
  return parseFields(
    spec,
    '{ subject, issues }',
    ({ subject, issues, rounds = 100, roundMs = 1_000 }) => ({
      subject: parseText('subject', subject),
      issues: parseIssues('issues', issues),
      rounds: parseWhole('rounds', rounds, { max: concessionRoundsMax }),
      roundMs: parseMs('roundMs', roundMs),
    }),
  );
}
