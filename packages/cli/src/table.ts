import { printable } from '@foundation/core/internal';

type Cell = string | number | undefined;

/** Rows of plain text under their titles, in columns; what is absent is a dash, what is no text its code. */
export function table<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => Cell>>,
): string {
  const titles = Object.keys(columns).map((title) => title.toUpperCase());
  const cells = rows.map((row) =>
    Object.values(columns).map((read) => printable(String(read(row) ?? '-'))),
  );
  const lines = [titles, ...cells];
  const widths = titles.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const print = (line: readonly string[]): string =>
    line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return lines.map((line) => print(line).trimEnd()).join('\n');
}
