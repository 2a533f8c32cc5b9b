import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../../parse.ts';

/** What a voter says. Options that it does not name come last, or have nothing. */
export type Ballot =
  /** One option. */
  | { readonly single: string }
  /** Every option that will do. */
  | { readonly approve: readonly string[] }
  /** Options from best to worst; those in one list are equals. Those left out are equals behind all others. */
  | { readonly ranking: readonly (string | readonly string[])[] }
  /** A whole number for each option. Those left out have 0. */
  | { readonly scores: Readonly<Record<string, number>> };

/** What kind of ballot is asked for. */
export type BallotKind = (typeof ballotKinds)[number];

export const ballotKinds = ['single', 'approval', 'ranking', 'score'] as const;

/** Most options of a vote. */
export const voteOptionsMax = 300;
/** Largest score that one option can be given. */
export const voteScoreMax = 1_000;

const fieldOf = {
  single: 'single',
  approval: 'approve',
  ranking: 'ranking',
  score: 'scores',
} as const satisfies Readonly<Record<BallotKind, string>>;

/** Which kind a ballot is of. */
export function kindOf(ballot: Ballot): BallotKind {
  if ('single' in ballot) return 'single';
  if ('approve' in ballot) return 'approval';
  return 'ranking' in ballot ? 'ranking' : 'score';
}

/** Reads a ballot of one of `kinds`. Whether its options are those of the vote is seen when votes are counted. */
export function parseBallot(value: unknown, kinds: readonly BallotKind[]): Parsed<Ballot> {
  const fields = kinds.map((kind) => fieldOf[kind]);
  const expected = fields.map((field) => `{ ${field} }`).join(' or ');
  if (!isRecord(value)) return unparsed(`expected ${expected}, got ${shown(value)}`);
  const extra = unknownField(value, fields);
  if (extra !== undefined) return unparsed(`expected ${expected}, got the field ${shown(extra)}`);
  const kind = kinds.find((each) => value[fieldOf[each]] !== undefined);
  if (kind === undefined) return unparsed(`expected ${expected}, got neither`);
  if (Object.keys(value).length > 1) return unparsed(`expected ${expected}, got several`);
  return readers[kind](value[fieldOf[kind]]);
}

const readers: Readonly<Record<BallotKind, (value: unknown) => Parsed<Ballot>>> = {
  single: (value) =>
    isOption(value) ? parsed({ single: value }) : unparsed(notOption('single', value)),
  approval(value) {
    const approve = parseOptions('approve', value);
    return approve.ok ? parsed({ approve: approve.value }) : approve;
  },
  ranking: parseRanking,
  score: parseScores,
};

/** Reads a list of distinct options. */
export function parseOptions(field: string, value: unknown): Parsed<readonly string[]> {
  if (!Array.isArray(value) || value.length > voteOptionsMax) {
    return unparsed(`${field}: expected at most ${voteOptionsMax} options, got ${shown(value)}`);
  }
  const options: string[] = [];
  for (const option of value) {
    if (!isOption(option)) return unparsed(notOption(field, option));
    options.push(option);
  }
  return noneTwice(field, options);
}

function parseRanking(value: unknown): Parsed<Ballot> {
  if (!Array.isArray(value) || value.length > voteOptionsMax) {
    return unparsed(`ranking: expected at most ${voteOptionsMax} places, got ${shown(value)}`);
  }
  const ranking: (string | readonly string[])[] = [];
  for (const place of value) {
    if (isOption(place)) {
      ranking.push(place);
      continue;
    }
    const equals = parseOptions('ranking', place);
    if (!equals.ok) return equals;
    ranking.push(equals.value);
  }
  const distinct = noneTwice('ranking', ranking.flat());
  return distinct.ok ? parsed({ ranking }) : distinct;
}

function parseScores(value: unknown): Parsed<Ballot> {
  if (!isRecord(value)) return unparsed(`scores: expected { option: score }, got ${shown(value)}`);
  const scores: [string, number][] = [];
  for (const [option, score] of Object.entries(value)) {
    if (scores.length === voteOptionsMax) {
      return unparsed(`scores: expected at most ${voteOptionsMax} options`);
    }
    if (
      typeof score !== 'number' ||
      !Number.isInteger(score) ||
      score < 0 ||
      score > voteScoreMax
    ) {
      return unparsed(
        `scores: expected a whole number from 0 to ${voteScoreMax} for ${shown(option)}, got ${shown(score)}`,
      );
    }
    scores.push([option, score]);
  }
  return parsed({ scores: Object.fromEntries(scores) });
}

function noneTwice(field: string, options: readonly string[]): Parsed<readonly string[]> {
  const seen = new Set<string>();
  for (const option of options) {
    if (seen.has(option)) return unparsed(`${field}: ${shown(option)} stands there twice`);
    seen.add(option);
  }
  return parsed(options);
}

/** Whether a value can name an option: a text of 1 to 256 characters. */
function isOption(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function notOption(field: string, value: unknown): string {
  return `${field}: expected an option, a text of 1 to 256 characters, got ${shown(value)}`;
}
