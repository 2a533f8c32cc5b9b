import type { Outcome } from './goal.ts';
import type { Row } from './row.ts';
import { readable } from './statistics.ts';
import type { Measure, Suite } from './suite.ts';

const reference = 'foundation';

/**
 * The medians of all subjects side by side. Behind a peer's, how many times that is what the reference
 * reached: ×2.0 says that foundation is twice as good, whether the measure is a rate or a time.
 * Measures that have other peers than those before them begin another table.
 */
export function medianTable(suite: Suite, rows: readonly Row[]): string {
  return groupsOf(suite.measures, rows)
    .map((measures) => tableOf(suite, measures, rows))
    .join('\n\n');
}

function groupsOf(
  measures: readonly Measure[],
  rows: readonly Row[],
): readonly (readonly Measure[])[] {
  const groups: { readonly measures: Measure[]; readonly peers: Set<string> }[] = [];
  for (const measure of measures) {
    const found = rows.filter((row) => row.measure === measure.name);
    if (found.length === 0) continue;
    const peers = found.map(({ subject }) => subject).filter((name) => name !== reference);
    const last = groups.at(-1);
    if (last === undefined || (peers.length > 0 && !peers.some((peer) => last.peers.has(peer)))) {
      groups.push({ measures: [measure], peers: new Set(peers) });
    } else {
      last.measures.push(measure);
      for (const peer of peers) last.peers.add(peer);
    }
  }
  return groups.map((group) => group.measures);
}

function tableOf(suite: Suite, measures: readonly Measure[], rows: readonly Row[]): string {
  const of = ({ name }: Measure): readonly Row[] => rows.filter(({ measure }) => measure === name);
  const measured = new Set(measures.flatMap(of).map(({ subject }) => subject));
  const subjects = suite.subjects.map(({ name }) => name).filter((name) => measured.has(name));
  const lines = measures.map((measure) => [
    `${measure.name} (${measure.unit})`,
    ...cellsOf(subjects, of(measure), measure.better),
  ]);
  return aligned([['median', ...subjects], ...lines]);
}

function cellsOf(
  subjects: readonly string[],
  rows: readonly Row[],
  better: Measure['better'],
): readonly string[] {
  const median = (subject: string): number | undefined =>
    rows.find((row) => row.subject === subject)?.median;
  const own = median(reference);
  return subjects.map((subject) => {
    const value = median(subject);
    if (value === undefined) return '–';
    if (own === undefined || subject === reference) return readable(value);
    return `${readable(value)} ×${(better === 'higher' ? own / value : value / own).toPrecision(2)}`;
  });
}

/** All that was measured, one line a row. */
export function detailTable(rows: readonly Row[]): string {
  const lines = rows.map(({ measure, subject, median, min, max, unit, cpuUsPerOp, besides }) => [
    measure,
    subject,
    readable(median),
    `${readable(min)} … ${readable(max)}`,
    unit,
    cpuUsPerOp === null ? '–' : readable(cpuUsPerOp),
    Object.entries(besides)
      .map(([what, value]) => `${what} ${readable(value)}`)
      .join(', '),
  ]);
  const head = ['measure', 'subject', 'median', 'min … max', 'unit', 'CPU µs/op', 'besides'];
  return aligned([head, ...lines]);
}

/** What was to be reached, and whether it was. */
export function goalTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ measure, goal, value, ok }) => [
    measure,
    goal,
    value === null ? 'not measured' : readable(value),
    ok ? 'yes' : 'no',
  ]);
  return aligned([['measure', 'goal', 'measured', 'reached'], ...lines]);
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
