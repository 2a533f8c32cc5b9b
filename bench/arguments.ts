import type { Suite } from './suite.ts';

/** What the command line asks for. */
export interface BenchArguments {
  readonly suites: readonly Suite[];
  /** Measured rounds of each subject. @defaultValue 5 */
  readonly rounds: number;
  /** Length of a round, in seconds; rounds of cluster measures end by themselves. @defaultValue 1 */
  readonly seconds: number;
  /** Only these subjects; undefined for all. */
  readonly subjects: readonly string[] | undefined;
  /** Only these measures; undefined for all. */
  readonly measures: readonly string[] | undefined;
  /** One JSON object on stdout instead of tables. */
  readonly json: boolean;
}

/** The command line cannot be understood; the message says why and what may be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `usage: npm run bench -- [SUITE …] [options]

Measures side by side with peers, which it installs first. Without a suite: all of them.

  --rounds N         measured rounds of each subject (default 5)
  --seconds S        length of a round in seconds (default 1)
  --subjects a,b     only these subjects
  --measures x,y     only these measures
  --json             print one JSON object (a suite must be the only one) and nothing else`;

const options = ['--rounds', '--seconds', '--subjects', '--measures', '--json', '--help'] as const;

/**
 * Reads the command line.
 *
 * @returns undefined when help is asked for.
 * @throws UsageError on an unknown word or a bad value.
 */
export function parseArguments(
  words: readonly string[],
  known: readonly Suite[],
): BenchArguments | undefined {
  const given = new Map<string, string>();
  const suites: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const [word = '', inline] = (words[index] ?? '').split('=', 2);
    if (!word.startsWith('-')) {
      suites.push(mustBeOneOf('suite', word, known.map(nameOf)));
      continue;
    }
    const option = mustBeOneOf('option', word, options);
    const value = isFlag(option) ? 'yes' : (inline ?? words[++index]);
    if (value === undefined) throw new UsageError(`option \`${option}\` needs a value`);
    given.set(option, value);
  }
  if (given.has('--help')) return undefined;
  return resolve(given, suites.length === 0 ? known : known.filter((s) => suites.includes(s.name)));
}

function resolve(given: ReadonlyMap<string, string>, suites: readonly Suite[]): BenchArguments {
  const json = given.has('--json');
  if (json && suites.length > 1) throw new UsageError('`--json` prints one suite: name it');
  return {
    suites,
    rounds: positive(given, '--rounds', 5),
    seconds: positive(given, '--seconds', 1),
    subjects: list(
      given,
      '--subjects',
      suites.flatMap((s) => s.subjects.map(nameOf)),
    ),
    measures: list(
      given,
      '--measures',
      suites.flatMap((s) => s.measures.map(nameOf)),
    ),
    json,
  };
}

function positive(given: ReadonlyMap<string, string>, option: string, otherwise: number): number {
  const text = given.get(option);
  if (text === undefined) return otherwise;
  const value = Number(text);
  const isFit = value > 0 && Number.isFinite(value);
  if (!isFit || (option === '--rounds' && !Number.isInteger(value))) {
    throw new UsageError(`expected ${option} to be a positive number, got: '${text}'`);
  }
  return value;
}

function list(
  given: ReadonlyMap<string, string>,
  option: '--subjects' | '--measures',
  known: readonly string[],
): readonly string[] | undefined {
  const what = option === '--subjects' ? 'subject' : 'measure';
  return given
    .get(option)
    ?.split(',')
    .map((name) => mustBeOneOf(what, name.trim(), known));
}

function mustBeOneOf<Name extends string>(
  what: string,
  word: string,
  known: readonly Name[],
): Name {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  const close = closest(word, known);
  const advice = close === undefined ? `one of: ${known.join(', ')}` : `did you mean \`${close}\`?`;
  throw new UsageError(`unknown ${what} \`${word}\`, ${advice}`);
}

/** The known word that needs the fewest edits to be this one, unless that is more than half of it. */
function closest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, edits: editsBetween(word, name) }))
    .filter(({ name, edits }) => edits <= name.length / 2)
    .toSorted((a, b) => a.edits - b.edits);
  return ranked[0]?.name;
}

/** Levenshtein's distance, row by row. */
function editsBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

function isFlag(option: string): boolean {
  return option === '--json' || option === '--help';
}

function nameOf(named: { readonly name: string }): string {
  return named.name;
}
