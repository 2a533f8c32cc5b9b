import { type FieldsOf, parseChoice, parseFields, parseText, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import { participantsMax } from '../../session-options.ts';
import { type BallotKind, parseOptions, voteScoreMax } from './ballot.ts';
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

/** Reads a spec, and fills in the defaults of what the rule looks at. */
export function parseVoteSpec(value: unknown, form: SpecForm): Parsed<VoteSpec> {
  return parseFields(value, '{ question, options, … }', (given) => voteFields(given, form));
}

/** Fields of every vote. */
type Common = 'question' | 'options' | 'weights' | 'cap';

/** Reads those fields of a spec that the rule looks at. */
export function voteFields(
  given: Readonly<Record<string, unknown>>,
  { ballots, fields }: SpecForm,
): FieldsOf<Pick<VoteSpec, Common>> & Partial<FieldsOf<VoteSpec>> {
  const options = parseSomeOptions(given['options']);
  const { of = 'roster', threshold = '2/3', quota, ballot = ballots[0], scoreMax = 10 } = given;
  const terms: FieldsOf<VoteSpec> = {
    question: parseText('question', given['question'], 1_024),
    options,
    weights: parseWeights(given['weights']),
    cap: parseCap(given['cap']),
    of: parseChoice('of', denominators, of),
    threshold: parseThreshold(threshold),
    quota:
      quota === undefined || isWhole(quota, 1, voteWeightMax)
        ? parsed(quota)
        : unparsed(`quota: expected a whole weight from 1, got ${shown(quota)}`),
    ballot: parseChoice('ballot', ballots, ballot),
    scoreMax: parseWhole('scoreMax', scoreMax, { max: voteScoreMax }),
    seats: options.ok
      ? parseWhole('seats', given['seats'], { max: options.value.length })
      : parsed(undefined),
  };
  const { question, weights, cap } = terms;
  const own = Object.entries(terms).filter(([name]) => fields.some((field) => field === name));
  return { question, options, weights, cap, ...Object.fromEntries(own) };
}

function parseSomeOptions(value: unknown): Parsed<readonly string[]> {
  const options = parseOptions('options', value);
  return options.ok && options.value.length === 0
    ? unparsed('options: expected at least one')
    : options;
}

function parseThreshold(value: unknown): Parsed<Ratio> {
  const threshold = parseRatio('threshold', value);
  if (!threshold.ok) return threshold;
  const [part, whole] = termsOf(threshold.value);
  return part * 2 <= whole
    ? unparsed(`threshold: expected more than a half, got ${shown(value)}`)
    : threshold;
}

function parseWeights(value: unknown): Parsed<VoteSpec['weights']> {
  if (value === undefined) return parsed(undefined);
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
    : parsed(Object.fromEntries(weights));
}

/** Decimal strings and bigints are weights, too, as they are amounts. */
function wholeOf(value: unknown): unknown {
  const isText = typeof value === 'string' && /^\d{1,10}$/.test(value);
  return isText || typeof value === 'bigint' ? Number(value) : value;
}

function parseCap(value: unknown): Parsed<Ratio | undefined> {
  if (value === undefined) return parsed(undefined);
  const cap = parseRatio('cap', value);
  if (!cap.ok) return cap;
  const [part, whole] = termsOf(cap.value);
  return part === 0 || whole > 1_000
    ? unparsed(`cap: expected more than nothing, in terms of at most 1000, got ${shown(value)}`)
    : cap;
}

/** Whether a value is a whole number from `least` to `most`. */
// oxlint-disable-next-line max-params -- what, and between what
export function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
