import { type Parsed, parsed, shown, unparsed } from '../../parse.ts';

/** A part of a whole, such as `2/3`: compared exactly, never as a fraction in floating point. */
export type Ratio = `${number}/${number}`;

/** Reads a ratio from 0/1 to 1/1, and gives it back in lowest terms. */
export function parseRatio(field: string, value: unknown): Parsed<Ratio> {
  const [, part = '', whole = ''] =
    (typeof value === 'string' && /^(\d{1,9})\/(\d{1,9})$/.exec(value)) || [];
  if (part === '' || Number(whole) === 0 || Number(part) > Number(whole)) {
    return unparsed(`${field}: expected a part such as 2/3, got ${shown(value)}`);
  }
  const divisor = greatestDivisor(Number(part), Number(whole));
  const ratio: Ratio = `${Number(part) / divisor}/${Number(whole) / divisor}`;
  return parsed(ratio);
}

/** Part and whole of a ratio that has been read. */
export function termsOf(ratio: Ratio): readonly [part: number, whole: number] {
  const [part, whole] = ratio.split('/');
  return [Number(part), Number(whole)];
}

/** Whether `votes` are at least this part of `of`. */
export function isAtLeast(votes: number, ratio: Ratio, of: number): boolean {
  const [part, whole] = termsOf(ratio);
  return BigInt(votes) * BigInt(whole) >= BigInt(of) * BigInt(part);
}

function greatestDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestDivisor(right, left % right);
}
