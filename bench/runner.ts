import { fileURLToPath } from 'node:url';

import { startLineProcess, type LineProcess, type Message } from './line-process.ts';
import { parseRound, type Round } from './round.ts';
import type { Row } from './row.ts';
import { startSpinner } from './spinner.ts';
import { summarize } from './statistics.ts';
import type { Measure, Subject } from './suite.ts';

export interface MeasureResult {
  readonly rows: readonly Row[];
  /** Version of each subject that started. */
  readonly versions: ReadonlyMap<string, string>;
  /** Why a subject has no row. */
  readonly failures: ReadonlyMap<string, string>;
}

/** How long a subject may take to start, in milliseconds. */
const startMs = 60_000;
/** How long a round may take beyond its seconds, in milliseconds. */
const graceMs = 120_000;
/** A warm-up lasts so many times as long as a round: cold code once made a peer look five times worse. */
const warmUpRounds = 3;
/** Subjects that are warmed up at a time. */
const warmUpConcurrency = 2;

/** How many rounds of which length are asked for. */
export interface Asked {
  readonly rounds: number;
  readonly seconds: number;
}

/** How many are measured in each life of a subject, and how many lives it has. */
export interface Schedule extends Asked {
  readonly lives: number;
}

/** The rounds of a measure, from those that were asked for. */
export function scheduleOf({ once, slices = 1 }: Measure, { rounds, seconds }: Asked): Schedule {
  if (once === true) return { lives: 1, rounds: 1, seconds };
  if (slices === 1) return { lives: 1, rounds, seconds };
  return { lives: rounds, rounds: slices, seconds: seconds / slices };
}

/**
 * Measures subjects side by side: each in an OS process of its own, warmed up, then one round of each in
 * turn (A B C A B C …), so that whatever else the machine does falls on all alike.
 *
 * A subject that fails gets no row but a reason; the others go on.
 */
export async function runMeasure(
  measure: Measure,
  subjects: readonly Subject[],
  asked: Asked,
): Promise<MeasureResult> {
  const { lives, rounds, seconds } = scheduleOf(measure, asked);
  await using stack = new AsyncDisposableStack();
  const lanes = subjects.map((subject) => new Lane(measure, subject));
  for (const lane of lanes) stack.use(lane);
  if (measure.spinner) stack.use(startSpinner());
  for (let life = 0; life < lives; life++) {
    if (life > 0) await Promise.all(lanes.map((lane) => lane.beginAnew()));
    await warmUp(lanes, asked.seconds * warmUpRounds);
    for (let round = 0; round < rounds; round++) {
      for (const lane of lanes) await lane.round(seconds);
    }
  }
  return {
    rows: lanes.flatMap((lane) => lane.row() ?? []),
    versions: new Map(lanes.map(({ subject, version }) => [subject.name, version])),
    failures: new Map(
      lanes.flatMap(({ subject, failure }) =>
        failure === undefined ? [] : [[subject.name, failure]],
      ),
    ),
  };
}

async function warmUp(lanes: readonly Lane[], seconds: number): Promise<void> {
  const waiting = [...lanes];
  const drain = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      await lane.warmUp(seconds);
    }
  };
  await Promise.all(Array.from({ length: warmUpConcurrency }, drain));
}

/** One subject under one measure: its process and what its rounds gave. */
class Lane implements AsyncDisposable {
  readonly subject: Subject;
  version = '';
  failure: string | undefined;
  readonly #measure: Measure;
  #child: LineProcess;
  readonly #rounds: Required<Round>[] = [];

  constructor(measure: Measure, subject: Subject) {
    this.subject = subject;
    this.#measure = measure;
    this.#child = this.#start();
  }

  #start(): LineProcess {
    const { name, nodeFlags = [] } = this.#measure;
    const program = fileURLToPath(new URL(`subjects/${this.subject.file}`, import.meta.url));
    return startLineProcess(process.execPath, [...process.execArgv, ...nodeFlags, program, name]);
  }

  /** The same program in another process. */
  async beginAnew(): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    this.#child = this.#start();
  }

  async warmUp(seconds: number): Promise<void> {
    if (this.failure !== undefined) return;
    await this.#attempt(async () => {
      const ready = await this.#child.next(startMs);
      this.version = String(ready['version']);
      if (this.#measure.timed) await this.#ask(seconds);
    });
  }

  async round(seconds: number): Promise<void> {
    if (this.failure !== undefined) return;
    await this.#attempt(async () => {
      this.#rounds.push(parseRound(await this.#ask(seconds)));
    });
  }

  row(): Row | undefined {
    if (this.failure !== undefined) return undefined;
    const values = this.#rounds.map(({ value }) => value);
    return {
      measure: this.#measure.name,
      subject: this.subject.name,
      ...summarize(values),
      unit: this.#measure.unit,
      cpuUsPerOp: medianOf(this.#rounds.flatMap(({ cpuUsPerOp }) => cpuUsPerOp ?? [])),
      rounds: values,
      besides: mediansOf(this.#rounds.map(({ besides }) => besides)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  async #ask(seconds: number): Promise<Message> {
    this.#child.send({ measure: this.#measure.name, seconds });
    const answer = await this.#child.next(seconds * 1_000 + graceMs);
    if (typeof answer['error'] === 'string') throw new Error(answer['error']);
    return answer;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${this.subject.name} failed: ${this.failure}\n`);
    }
  }
}

function medianOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : summarize(values).median;
}

function mediansOf(records: readonly Required<Round>['besides'][]): Row['besides'] {
  const byKey = Object.groupBy(
    records.flatMap((record) => Object.entries(record)),
    ([key]) => key,
  );
  return Object.fromEntries(
    Object.entries(byKey).map(([key, entries = []]) => [
      key,
      summarize(entries.map(([, value]) => value)).median,
    ]),
  );
}
