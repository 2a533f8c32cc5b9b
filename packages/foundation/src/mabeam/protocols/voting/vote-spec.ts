import type { AgentId } from '../../message.ts';
import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import { participantsMax } from '../../session-options.ts';
import { type BallotKind, ballotKinds, parseOptions, voteScoreMax } from './ballot.ts';
import { parseRatio, type Ratio, termsOf } from './ratio.ts';

const denominators = ['roster', 'replies', 'cast'] as const;

/**
 * Of what a part of the votes is taken, in weight: of the whole `roster`, silent members included; of the `replies`,
 * those that declined included; of the votes that were `cast`.
 */
export type Denominator = (typeof denominators)[number];

/** What is voted on. A rule refuses what it has no use for. */
export interface VoteSpec {
  /** What is to be decided, in 1 to 1,024 characters. Voters see it. */
  readonly question: string;
  /** Texts of 1 to 256 characters, at most 300, each once. */
  readonly options: readonly string[];
  /**
   * What votes weigh: whole numbers from 0, at most {@link voteWeightMax} in all.
   *
   * @defaultValue 1 for each member that is not named
   */
  readonly weights?: Readonly<Record<AgentId, number>>;
  /**
   * Largest part of the roster's weight that one member may have, such as `1/3`; its terms are at most 1,000. What
   * weighs more is cut so that the part holds after the cut, too.
   *
   * @defaultValue `1/1`
   */
  readonly cap?: Ratio;
  /** Majority, supermajority, unanimous, weighted. @defaultValue `roster` */
  readonly of?: Denominator;
  /** Supermajority: least part of the denominator. More than a half. @defaultValue `2/3` */
  readonly threshold?: Ratio;
  /** Weighted: least weight that decides. @defaultValue more than half of the denominator */
  readonly quota?: number;
  /** Borda, Copeland, Condorcet, Schulze, minimax, IRV: on which ballots. @defaultValue `ranking` */
  readonly ballot?: BallotKind;
  /** With score ballots: largest score, from 1 to {@link voteScoreMax}. @defaultValue 10 */
  readonly scoreMax?: number;
  /** Committees: how many are elected. */
  readonly seats?: number;
}

/** Most weight that all votes may have together. So tallies are exact. */
export const voteWeightMax = 1_000_000_000;

/** What a rule needs to know, and what it allows. */
export interface SpecForm {
  /** The first unless the spec says another. */
  readonly ballots: readonly BallotKind[];
  readonly fields: readonly (keyof VoteSpec)[];
}

/** Fields of every vote. */
const common: readonly (keyof VoteSpec)[] = ['question', 'options', 'weights', 'cap'];

/** Reads a spec, and fills in the defaults of what the rule looks at. */
export function parseVoteSpec(value: unknown, { ballots, fields }: SpecForm): Parsed<VoteSpec> {
  if (!isRecord(value)) return unparsed(`expected { question, options, … }, got ${shown(value)}`);
  const extra = unknownField(value, [...common, ...fields]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const { question } = value;
  if (typeof question !== 'string' || question.length === 0 || question.length > 1_024) {
    return unparsed(`question: expected a text of 1 to 1024 characters, got ${shown(question)}`);
  }
  const options = parseOptions('options', value['options']);
  if (!options.ok) return options;
  if (options.value.length === 0) return unparsed('options: expected at least one');
  const weights = parseWeights(value['weights']);
  if (!weights.ok) return weights;
  const cap = parseCap(value['cap']);
  if (!cap.ok) return cap;
  const terms = parseTerms(value, { ballots, fields });
  if (!terms.ok) return terms;
  const seats = fields.includes('seats')
    ? parseSeats(value['seats'], options.value.length)
    : parsed({});
  if (!seats.ok) return seats;
  const main = { question, options: options.value };
  return parsed({ ...main, ...weights.value, ...cap.value, ...terms.value, ...seats.value });
}

type Terms = Pick<VoteSpec, 'of' | 'threshold' | 'quota' | 'ballot' | 'scoreMax'>;

function parseTerms(
  value: Readonly<Record<string, unknown>>,
  { ballots, fields }: SpecForm,
): Parsed<Terms> {
  const { of = 'roster', quota, ballot = ballots[0] } = value;
  if (!isOneOf(denominators, of)) {
    return unparsed(`of: expected ${denominators.join(', ')}, got ${shown(of)}`);
  }
  const threshold = parseRatio('threshold', value['threshold'] ?? '2/3');
  if (!threshold.ok) return threshold;
  const [part, whole] = termsOf(threshold.value);
  if (part * 2 <= whole) {
    return unparsed(`threshold: expected more than a half, got ${shown(value['threshold'])}`);
  }
  if (quota !== undefined && !isWhole(quota, 1, voteWeightMax)) {
    return unparsed(`quota: expected a whole weight from 1, got ${shown(quota)}`);
  }
  if (!isOneOf(ballotKinds, ballot) || !ballots.includes(ballot)) {
    return unparsed(`ballot: expected ${ballots.join(' or ')}, got ${shown(ballot)}`);
  }
  const { scoreMax = 10 } = value;
  if (!isWhole(scoreMax, 1, voteScoreMax)) {
    return unparsed(
      `scoreMax: expected a whole number from 1 to ${voteScoreMax}, got ${shown(scoreMax)}`,
    );
  }
  return parsed({
    ...(fields.includes('of') ? { of } : {}),
    ...(fields.includes('threshold') ? { threshold: threshold.value } : {}),
    ...(quota === undefined ? {} : { quota }),
    ...(fields.includes('ballot') ? { ballot } : {}),
    ...(fields.includes('scoreMax') ? { scoreMax } : {}),
  });
}

function parseWeights(value: unknown): Parsed<Pick<VoteSpec, 'weights'>> {
  if (value === undefined) return parsed({});
  if (!isRecord(value)) return unparsed(`weights: expected { id: weight }, got ${shown(value)}`);
  const entries = Object.entries(value);
  if (entries.length > participantsMax) {
    return unparsed(`weights: expected at most ${participantsMax}, got ${entries.length}`);
  }
  const weights: [AgentId, number][] = [];
  let sum = 0;
  for (const [id, weight] of entries) {
    const read = wholeOf(weight);
    if (!isWhole(read, 0, voteWeightMax)) {
      return unparsed(`weights: expected a whole number for ${shown(id)}, got ${shown(weight)}`);
    }
    sum += read;
    weights.push([id, read]);
  }
  return sum > voteWeightMax
    ? unparsed(`weights: expected at most ${voteWeightMax} in all, got ${sum}`)
    : parsed({ weights: Object.fromEntries(weights) });
}

/** Decimal strings and bigints are weights, too, as they are amounts. */
function wholeOf(value: unknown): unknown {
  const isText = typeof value === 'string' && /^\d{1,10}$/.test(value);
  return isText || typeof value === 'bigint' ? Number(value) : value;
}

function parseCap(value: unknown): Parsed<Pick<VoteSpec, 'cap'>> {
  if (value === undefined) return parsed({});
  const cap = parseRatio('cap', value);
  if (!cap.ok) return cap;
  const [part, whole] = termsOf(cap.value);
  return part === 0 || whole > 1_000
    ? unparsed(`cap: expected more than nothing, in terms of at most 1000, got ${shown(value)}`)
    : parsed({ cap: cap.value });
}

function parseSeats(value: unknown, most: number): Parsed<Pick<VoteSpec, 'seats'>> {
  return isWhole(value, 1, most)
    ? parsed({ seats: value })
    : unparsed(`seats: expected a whole number from 1 to ${most}, got ${shown(value)}`);
}

/** Whether a value is a whole number from `least` to `most`. */
// oxlint-disable-next-line max-params -- what, and between what
export function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
