import { type Parsed, parsed, shown, unparsed } from './parse.ts';

/**
 * Whole minor units (cents, tokens, milliseconds): money and prices are never fractions.
 * A `bigint` in Foundation's codec; transports that speak JSON carry it as a decimal string.
 */
export type Amount = bigint;

/** Largest amount: what a signed 64-bit integer holds. Anything larger is refused. */
export const amountMax: Amount = 2n ** 63n - 1n;

/** Whether a value is an amount: a bigint from 0 to {@link amountMax}. */
export function isAmount(value: unknown): value is Amount {
  return typeof value === 'bigint' && value >= 0n && value <= amountMax;
}

/** Reads an amount: a bigint, or a decimal string without sign or leading zeros. */
export function parseAmount(field: string, value: unknown): Parsed<Amount> {
  const amount =
    typeof value === 'string' && /^(?:0|[1-9]\d{0,18})$/.test(value) ? BigInt(value) : value;
  if (isAmount(amount)) return parsed(amount);
  const meant = Number.isSafeInteger(value)
    ? `; write ${String(value)}n, in JSON "${String(value)}"`
    : '';
  return unparsed(
    `${field}: expected a whole amount from 0 to ${amountMax}, got ${shown(value)}${meant}`,
  );
}
