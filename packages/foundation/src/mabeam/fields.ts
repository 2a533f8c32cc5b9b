import {
  isOneOf,
  isRecord,
  meant,
  type Parsed,
  parsed,
  problemsOf,
  shown,
  unparsed,
} from './parse.ts';

/** What is read when all is well. */
type ValueOf<P> = Extract<P, { readonly ok: true }> extends { readonly value: infer T } ? T : never;
type OptionalIn<Fields> = {
  [Name in keyof Fields]: undefined extends ValueOf<Fields[Name]> ? Name : never;
}[keyof Fields];

/** What the fields of an object are read as; undefined where one may be missing. */
export type FieldsOf<T> = { readonly [Name in keyof T]-?: Parsed<T[Name]> };

/** An object of what the fields of another were read as; what may be undefined may be missing. */
export type ReadFields<Fields> = {
  readonly [Name in Exclude<keyof Fields, OptionalIn<Fields>>]: ValueOf<Fields[Name]>;
} & {
  readonly [Name in OptionalIn<Fields>]?: Exclude<ValueOf<Fields[Name]>, undefined>;
};

/**
 * Reads each field of an object on its own, and tells everything that is wrong with it at once. The fields that `read`
 * returns are all that are known. One that is read as undefined is left out.
 *
 * @param form - What it should look like, such as `{ lot, reserve? }`.
 */
// oxlint-disable-next-line max-params -- what, what it should be, how
export function parseFields<Fields extends Readonly<Record<string, Parsed<unknown>>>>(
  value: unknown,
  form: string,
  read: (given: Readonly<Record<string, unknown>>) => Fields,
): Parsed<ReadFields<Fields>> {
  if (!isRecord(value)) return unparsed(`expected ${form}, got ${shown(value)}`);
  const fields = Object.entries(read(value));
  const known = fields.map(([name]) => name);
  const problems = Object.keys(value)
    .filter((name) => !known.includes(name))
    .slice(0, unknownMax)
    .map((name) => `unknown field ${shown(name)}${meant(name, known)}`);
  const values: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    if (!field.ok) problems.push(...problemsOf(field));
    else if (field.value !== undefined) values[name] = field.value;
  }
  if (problems.length > 0) return allUnparsed(problems);
  // It has the fields of which it was made.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return parsed(values as ReadFields<Fields>);
}

/** Unknown fields that are named at most. */
const unknownMax = 10;

function allUnparsed(problems: readonly string[]): Parsed<never> {
  const reason = problems.join('; ');
  return problems.length === 1 ? unparsed(reason) : { ok: false, reason, problems };
}

/** A text of 1 to `charsMax` characters. */
// oxlint-disable-next-line max-params -- which field, what, at most how long
export function parseText(field: string, value: unknown, charsMax = 256): Parsed<string> {
  return typeof value === 'string' && value.length > 0 && value.length <= charsMax
    ? parsed(value)
    : unparsed(`${field}: expected a text of 1 to ${charsMax} characters, got ${shown(value)}`);
}

/** One of some words. */
// oxlint-disable-next-line max-params -- which field, of which words, what
export function parseChoice<const T extends string>(
  field: string,
  options: readonly T[],
  value: unknown,
): Parsed<T> {
  if (isOneOf(options, value)) return parsed(value);
  const words = options.length > 2 ? `one of ${options.join(', ')}` : options.join(' or ');
  return unparsed(`${field}: expected ${words}, got ${shown(value)}${meant(value, options)}`);
}

/** The same, for what may be missing. */
export function oneOf<const T extends string>(
  options: readonly T[],
): (field: string, value: unknown) => Parsed<T> {
  return (field, value) => parseChoice(field, options, value);
}

/** A whole number within bounds, which are from 1 unless they say otherwise. */
// oxlint-disable-next-line max-params -- which field, what, within what
export function parseWhole(
  field: string,
  value: unknown,
  { min = 1, max }: { readonly min?: number; readonly max: number },
): Parsed<number> {
  const isWithin = typeof value === 'number' && Number.isInteger(value) && value >= min;
  return isWithin && value <= max
    ? parsed(value)
    : unparsed(`${field}: expected a whole number from ${min} to ${max}, got ${shown(value)}`);
}

/** Whole milliseconds that a timer can wait, from 1. */
export function parseMs(field: string, value: unknown): Parsed<number> {
  const isWithin = typeof value === 'number' && Number.isInteger(value) && value >= 1;
  return isWithin && value < 2 ** 31
    ? parsed(value)
    : unparsed(`${field}: expected whole milliseconds from 1, got ${shown(value)}`);
}

/** Milliseconds that a timer can wait, also parts of one. */
export function parseTime(field: string, value: unknown): Parsed<number> {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
    ? parsed(value)
    : unparsed(`${field}: expected more than 0, below 2147483648, got ${shown(value)}`);
}

/** What may be missing. */
export function parseOptional<T>(
  field: string,
  value: unknown,
  read: (field: string, value: unknown) => Parsed<T>,
): Parsed<T | undefined> {
  return value === undefined ? parsed(undefined) : read(field, value);
}

/** What is given, and the default of what is not. */
export function orDefaults<Defaults extends object>(
  given: Readonly<Record<string, unknown>>,
  defaults: Defaults,
): { readonly [Name in keyof Defaults]: unknown } {
  const defined = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(defined) };
}
