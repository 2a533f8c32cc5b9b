import { type Amount, amountMax, parseAmount } from '../amount.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';

/** By how much a price moves in one tick: always the same, or more at higher prices. */
export type Increment = Amount | readonly IncrementRow[];

/** From this price on (`from` included), a tick is `by`. */
export interface IncrementRow {
  readonly from: Amount;
  readonly by: Amount;
}

/** Most rows of a table. */
const incrementRowsMax = 100;

/** The prices of an auction whose price moves by ticks. */
export interface Ladder {
  readonly direction: 'up' | 'down';
  readonly increment: Increment;
}

/** The next price; undefined when there is none, as amounts end at 0 and at their greatest. */
export function tickAfter(ladder: Ladder, price: Amount): Amount | undefined {
  return tickReaching(ladder, price, ladder.direction === 'up' ? price + 1n : price - 1n)?.price;
}

/** A price of a ladder, and the one before it. */
export interface Tick {
  readonly price: Amount;
  readonly previous: Amount;
}

/**
 * The first tick behind `from` that is at `target` or past it; undefined when there is none. It takes as
 * many steps as the table has rows, however many ticks lie between.
 */
export function tickReaching(ladder: Ladder, from: Amount, target: Amount): Tick | undefined {
  const isUp = ladder.direction === 'up';
  let price = from;
  while (isUp ? price < amountMax : price > 0n) {
    const { by, end } = stretchAt(ladder, price);
    const distance = isUp ? min(target, end) - price : price - max(target, end);
    const ticks = max(1n, (distance + by - 1n) / by);
    const step = isUp ? by : -by;
    price += ticks * step;
    if (isUp ? price >= target : price <= target) {
      const isThere = price >= 0n && price <= amountMax;
      return isThere ? { price, previous: price - step } : undefined;
    }
  }
  return undefined;
}

/** The tick that starts at `price`, and where another row of the table begins to hold. */
function stretchAt(
  { direction, increment }: Ladder,
  price: Amount,
): { readonly by: Amount; readonly end: Amount } {
  const isUp = direction === 'up';
  if (typeof increment === 'bigint') return { by: increment, end: isUp ? amountMax + 1n : -1n };
  const index = increment.findLastIndex(({ from }) => from <= price);
  const { from = 0n, by = 1n } = increment[index] ?? {};
  return { by, end: isUp ? (increment[index + 1]?.from ?? amountMax + 1n) : from - 1n };
}

/** Reads an amount from 1, or a table whose rows rise from 0. */
export function parseIncrement(value: unknown): Parsed<Increment> {
  if (!Array.isArray(value)) return parseStep('increment', value);
  if (value.length === 0 || value.length > incrementRowsMax) {
    return unparsed(`increment: expected 1 to ${incrementRowsMax} rows, got ${value.length}`);
  }
  const rows: IncrementRow[] = [];
  for (const [index, row] of value.entries()) {
    const read = parseRow(`increment[${index}]`, row);
    if (!read.ok) return read;
    const before = rows.at(-1)?.from;
    const rises = before === undefined ? read.value.from === 0n : read.value.from > before;
    if (!rises) {
      return unparsed(
        `increment[${index}].from: expected ${before === undefined ? '0' : `more than ${before}`}, got ${read.value.from}`,
      );
    }
    rows.push(read.value);
  }
  return parsed(rows);
}

function parseRow(field: string, row: unknown): Parsed<IncrementRow> {
  if (!isRecord(row)) return unparsed(`${field}: expected { from, by }, got ${shown(row)}`);
  const from = parseAmount(`${field}.from`, row['from']);
  if (!from.ok) return from;
  const by = parseStep(`${field}.by`, row['by']);
  return by.ok ? parsed({ from: from.value, by: by.value }) : by;
}

function parseStep(field: string, value: unknown): Parsed<Amount> {
  const step = parseAmount(field, value);
  return step.ok && step.value === 0n ? unparsed(`${field}: expected at least 1, got 0`) : step;
}

function min(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
