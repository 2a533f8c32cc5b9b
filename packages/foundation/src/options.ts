import { inspect } from 'node:util';

import { FoundationError } from './errors.ts';

/** Refuses names that are not known, all at once, with the likely spelling. */
export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new FoundationError('INVALID_OPTION', `${what}: expected options, got: ${shown(given)}`, {
      hint: `Give an object. Known are: ${known.join(', ')}.`,
    });
  }
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  const messages = unknown.map((key) => {
    const meant = closest(key, known);
    return `unknown option \`${key}\`${meant === undefined ? '' : `, did you mean \`${meant}\`?`}`;
  });
  throw new FoundationError('INVALID_OPTION', `${what}: ${messages.join('; ')}`, {
    hint: `Known are: ${known.join(', ')}.`,
    details: { unknown },
  });
}

/** What a number must be; bounds are inclusive unless they say otherwise. */
export interface NumberRule {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  /** Whether it must be whole, and so small that no other whole number is taken for it: below 2 ** 53. */
  readonly integer?: boolean;
  /** Whether Infinity means "no limit". @defaultValue false */
  readonly endless?: boolean;
}

/**
 * Refuses what is no number as the rule says: NaN, texts, fractions, negative limits.
 *
 * @param given - One option by its name.
 * @throws FoundationError `INVALID_OPTION` with the option and the offending value.
 */
export function checkNumber(
  who: string,
  given: Readonly<Record<string, unknown>>,
  rule: NumberRule,
): void {
  for (const [option, value] of Object.entries(given)) {
    if (isNumber(value, rule)) continue;
    const isVast = rule.integer === true && Number.isInteger(value) && !Number.isSafeInteger(value);
    const broken = isVast ? { max: Number.MAX_SAFE_INTEGER, ...rule } : rule;
    throw invalidOption(who, { [option]: value }, inWords(broken));
  }
}

/**
 * Refuses what is none of the values that are allowed, or missing.
 *
 * @param given - One option by its name.
 * @throws FoundationError `INVALID_OPTION` with the option and the offending value.
 */
export function checkChoice(
  who: string,
  given: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): void {
  if (Object.values(given).every((value) => allowed.some((each) => each === value))) return;
  const words = allowed.map((each) => `'${each}'`);
  const last = words.pop() ?? '';
  throw invalidOption(who, given, [words.join(', '), last].filter(Boolean).join(' or '));
}

/**
 * An option that is not what it must be.
 *
 * @param given - One option by its name.
 */
export function invalidOption(
  who: string,
  given: Readonly<Record<string, unknown>>,
  expected: string,
): FoundationError {
  const [[option, value] = ['', undefined]] = Object.entries(given);
  return new FoundationError(
    'INVALID_OPTION',
    `${who}: expected \`${option}\` to be ${expected}, got: ${shown(value)}`,
    {
      hint: `Give ${expected}. Nothing has changed.`,
      details: { option, value: typeof value === 'number' ? value : shown(value) },
    },
  );
}

/** Options with their defaults; one that is given as `undefined` is not given. */
export function withDefaults<Options extends object>(
  defaults: Options,
  given: { readonly [Key in keyof Options]?: Options[Key] | undefined },
): Options {
  const known = Object.entries(given).filter(
    ([key, value]) => Object.hasOwn(defaults, key) && value !== undefined,
  );
  return { ...defaults, ...Object.fromEntries(known) };
}

/** Whether a value is a number as the rule says. */
export function isNumber(value: unknown, rule: NumberRule): boolean {
  const { min = -Infinity, above = -Infinity, max = Infinity, integer, endless = false } = rule;
  if (typeof value !== 'number' || !(value >= min && value <= max)) return false;
  if (!(value > above)) return false;
  if (!Number.isFinite(value)) return endless && value > 0;
  return integer !== true || Number.isSafeInteger(value);
}

/** What a rule asks for: `a whole number of at least 1, or Infinity`. */
export function inWords({ min, above, max, integer, endless }: NumberRule): string {
  const bounds = [
    min === undefined ? undefined : `of at least ${min}`,
    above === undefined ? undefined : `above ${above}`,
    max === undefined ? undefined : `of at most ${max}`,
  ].filter((bound) => bound !== undefined);
  const kind = integer === true ? 'a whole number' : 'a number';
  return `${[kind, bounds.join(' and ')].filter(Boolean).join(' ')}${endless === true ? ', or Infinity' : ''}`;
}

/** A value as errors show it. */
export function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}

const shownCharsMax = 200;

/** The known word that is nearest to a misspelt one, if any is near. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked = known
    .map((candidate) => ({
      candidate,
      steps: editDistance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ steps }) => steps <= limit)
    .toSorted((a, b) => a.steps - b.steps);
  return ranked[0]?.candidate;
}

/**
 * Fewest insertions, deletions, replacements and swaps of neighbours between two words. Source: optimal
 * string alignment, after Damerau 1964 and Wagner and Fischer 1974.
 */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  let above: readonly number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (above[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    above = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
