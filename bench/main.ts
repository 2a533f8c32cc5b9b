import { cpus, release, totalmem } from 'node:os';

import { parseArguments, usage, UsageError, type BenchArguments } from './arguments.ts';
import { outcomes, type Outcome } from './goal.ts';
import { installPeers } from './peers.ts';
import type { Row } from './row.ts';
import { runMeasure } from './runner.ts';
import type { Measure, Subject, Suite } from './suite.ts';
import { basics } from './suites/basics.ts';
import { cluster } from './suites/cluster.ts';
import { coordination } from './suites/coordination.ts';
import { processes } from './suites/processes.ts';
import { detailTable, goalTable, medianTable } from './table.ts';

const suites: readonly Suite[] = [basics, processes, cluster, coordination];

/** What a suite gave; `--json` prints exactly this. */
interface Report {
  readonly suite: string;
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly node: string;
    readonly rounds: number;
    readonly seconds: number;
    /** Version of each subject, or why it is absent. */
    readonly subjects: Readonly<Record<string, string>>;
  };
  readonly rows: readonly Row[];
  readonly goals: readonly Outcome[];
}

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  try {
    const given = parseArguments(words, suites);
    if (given === undefined) console.log([usage, ...suites.map(contentsOf)].join('\n\n'));
    let isComplete = true;
    for (const suite of given?.suites ?? []) {
      if (given !== undefined) isComplete = (await runSuite(suite, given)) && isComplete;
    }
    return isComplete ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
}

/** Runs and prints a suite; false when foundation itself failed somewhere. */
async function runSuite(suite: Suite, given: BenchArguments): Promise<boolean> {
  const subjects = suite.subjects.filter(({ name }) => isWanted(name, given.subjects));
  const measures = suite.measures.filter(({ name }) => isWanted(name, given.measures));
  const absent = installPeers(subjects);
  const present = subjects.filter(({ name }) => !absent.has(name));
  const described = new Map([...absent].map(([name, why]) => [name, `absent: ${why}`]));
  const failures: string[] = [];
  const rows: Row[] = [];
  for (const measure of measures) {
    const able = present.filter((subject) => subject.measures.includes(measure.name));
    progress(measure, able);
    const result = await runMeasure(measure, able, given);
    rows.push(...result.rows);
    for (const [name, version] of result.versions) if (version !== '') described.set(name, version);
    for (const [name, why] of result.failures) {
      failures.push(name);
      const version = described.get(name);
      const isAbsent = version === undefined || version.startsWith('absent');
      const reason = essence(why);
      described.set(
        name,
        isAbsent ? `absent: ${reason}` : `${version}; ${measure.name}: ${reason}`,
      );
    }
  }
  const goals = outcomes(suite.goals, rows);
  const report = { suite: suite.name, machine: machineOf(given, described), rows, goals };
  print(suite, report, given.json);
  return !failures.includes('foundation');
}

function print(suite: Suite, report: Report, isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(report));
    return;
  }
  const { subjects, ...machine } = report.machine;
  console.log(`\n${medianTable(suite, report.rows)}`);
  console.log('×n: foundation is n times as good as this peer\n');
  console.log(`${detailTable(report.rows)}\n`);
  if (report.goals.length > 0) console.log(`${goalTable(report.goals)}\n`);
  for (const [name, version] of Object.entries(subjects)) console.log(`${name}: ${version}`);
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key} ${value}`)
      .join(' · '),
  );
}

function machineOf(
  { rounds, seconds }: BenchArguments,
  described: ReadonlyMap<string, string>,
): Report['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    rounds,
    seconds,
    subjects: Object.fromEntries(described),
  };
}

/** The line of a failure that says what happened. */
function essence(why: string): string {
  const lines = why.split('\n');
  return lines.find((line) => /^\S*Error\b/u.test(line)) ?? lines[0] ?? why;
}

/** What can be chosen in a suite. */
function contentsOf({ name, measures, subjects }: Suite): string {
  return `${name}\n  measures  ${namesOf(measures)}\n  subjects  ${namesOf(subjects)}`;
}

function namesOf(items: readonly { readonly name: string }[]): string {
  return items.map((each) => each.name).join(', ');
}

function progress({ name }: Measure, subjects: readonly Subject[]): void {
  console.error(`${name}: ${subjects.map((subject) => subject.name).join(', ')}`);
}

function isWanted(name: string, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.includes(name);
}
