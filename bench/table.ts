import type { Row } from './runner.ts';
import { readable } from './statistics.ts';
import type { Suite } from './suite.ts';

const reference = 'foundation';

/**
 * The medians of all subjects side by side. Behind a peer's, how many times that is what the reference
 * reached: ×2.0 says that foundation is twice as good, whether the measure is a rate or a time.
 */
export function medianTable(suite: Suite, rows: readonly Row[]): string {
  const subjects = suite.subjects
    .map(({ name }) => name)
    .filter((name) => rows.some((row) => row.subject === name));
  const lines = suite.measures.flatMap(({ name, unit, better }) => {
    const found = rows.filter(({ measure }) => measure === name);
    if (found.length === 0) return [];
    const median = (subject: string): number | undefined =>
      found.find((row) => row.subject === subject)?.median;
    const own = median(reference);
    const cells = subjects.map((subject) => {
      const value = median(subject);
      if (value === undefined) return '–';
      if (own === undefined || subject === reference) return readable(value);
      return `${readable(value)} ×${(better === 'higher' ? own / value : value / own).toPrecision(2)}`;
    });
    return [[`${name} (${unit})`, ...cells]];
  });
  return aligned([['median', ...subjects], ...lines]);
}

/** All that was measured, one line a row. */
export function detailTable(rows: readonly Row[]): string {
  const lines = rows.map(({ measure, subject, median, min, max, unit, cpuUsPerOp }) => [
    measure,
    subject,
    readable(median),
    `${readable(min)} … ${readable(max)}`,
    unit,
    cpuUsPerOp === null ? '–' : readable(cpuUsPerOp),
  ]);
  return aligned([['measure', 'subject', 'median', 'min … max', 'unit', 'CPU µs/op'], ...lines]);
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
