import { closest } from '../options.ts';

/** What a parse function makes of an unknown value. `reason` names the field and what stood there. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly reason: string;
      /** Where several things are wrong: each of them. `reason` has them all. */
      readonly problems?: readonly string[];
    };

/** Says yes, with the value that may be trusted from now on. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** Says no, and why. */
export function unparsed(reason: string): Parsed<never> {
  return { ok: false, reason };
}

/** All that is wrong with a value. */
export function problemsOf({ reason, problems = [reason] }: Refused): readonly string[] {
  return problems;
}

type Refused = Extract<Parsed<never>, { readonly ok: false }>;

/** Whether a value is an object with fields, rather than an array or a primitive. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is one of `options`. */
export function isOneOf<const T extends string>(options: readonly T[], value: unknown): value is T {
  return options.some((option) => option === value);
}

/** The first field of `value` that is not in `known`, so that a misspelt one is not passed over. */
export function unknownField(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
): string | undefined {
  return Object.keys(value).find((key) => !known.includes(key));
}

/** A value in at most 80 characters, for messages and records. Never runs code of the value. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clipped(value, 60));
  if (typeof value === 'bigint') return clipped(`${value}n`, 80);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol'
    ? `a ${typeof value}`
    : String(value);
}

/** At most `charsMax` characters of a text. */
export function clipped(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}

/** The likely spelling, as the end of a sentence. */
export function meant(value: unknown, known: readonly string[]): string {
  const near = typeof value === 'string' && value.length <= 64 ? closest(value, known) : undefined;
  return near === undefined ? '' : `, did you mean ${shown(near)}?`;
}
