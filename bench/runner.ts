import { fileURLToPath } from 'node:url';

import { numberOf, startLineProcess, type LineProcess } from './line-process.ts';
import { startSpinner } from './spinner.ts';
import { summarize } from './statistics.ts';
import type { Measure, Subject } from './suite.ts';

/** One line of a bench table. */
export interface Row {
  readonly measure: string;
  readonly subject: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Median of the processor time per operation, in µs; null where it says nothing. */
  readonly cpuUsPerOp: number | null;
}

export interface MeasureResult {
  readonly rows: readonly Row[];
  /** Version of each subject that started. */
  readonly versions: ReadonlyMap<string, string>;
  /** Why a subject has no row. */
  readonly failures: ReadonlyMap<string, string>;
}

/** How long a subject may take to start, or for a round beyond its seconds, in milliseconds. */
const patienceMs = 60_000;
/** A warm-up lasts so many times as long as a round: cold code once made a peer look five times worse. */
const warmUpRounds = 3;
/** Subjects that are warmed up at a time. */
const warmUpConcurrency = 2;

/**
 * Measures subjects side by side: each in an OS process of its own, warmed up, then one round of each in
 * turn (A B C A B C …), so that whatever else the machine does falls on all alike.
 *
 * A subject that fails gets no row but a reason; the others go on.
 */
export async function runMeasure(
  measure: Measure,
  subjects: readonly Subject[],
  options: { readonly rounds: number; readonly seconds: number },
): Promise<MeasureResult> {
  await using stack = new AsyncDisposableStack();
  const lanes = subjects.map((subject) => new Lane(measure, subject));
  for (const lane of lanes) stack.use(lane);
  if (measure.spinner) stack.use(startSpinner());
  await warmUp(lanes, options.seconds * warmUpRounds);
  for (let round = 0; round < options.rounds; round++) {
    for (const lane of lanes) await lane.round(options.seconds);
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
  readonly #child: LineProcess;
  readonly #values: number[] = [];
  readonly #cpuUs: number[] = [];

  constructor(measure: Measure, subject: Subject) {
    this.subject = subject;
    this.#measure = measure;
    const program = fileURLToPath(new URL(`subjects/${subject.file}`, import.meta.url));
    const args = [...process.execArgv, program, measure.name];
    this.#child = startLineProcess(process.execPath, args);
  }

  async warmUp(seconds: number): Promise<void> {
    await this.#attempt(async () => {
      const ready = await this.#child.next(patienceMs);
      this.version = String(ready['version']);
      if (this.#measure.timed) await this.#ask(seconds);
    });
  }

  async round(seconds: number): Promise<void> {
    if (this.failure !== undefined) return;
    await this.#attempt(async () => {
      const answer = await this.#ask(seconds);
      this.#values.push(numberOf(answer, 'value'));
      if (answer['cpuUsPerOp'] !== null) this.#cpuUs.push(numberOf(answer, 'cpuUsPerOp'));
    });
  }

  row(): Row | undefined {
    if (this.failure !== undefined) return undefined;
    return {
      measure: this.#measure.name,
      subject: this.subject.name,
      ...summarize(this.#values),
      unit: this.#measure.unit,
      cpuUsPerOp: this.#cpuUs.length === 0 ? null : summarize(this.#cpuUs).median,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  async #ask(seconds: number): ReturnType<LineProcess['next']> {
    this.#child.send({ measure: this.#measure.name, seconds });
    const answer = await this.#child.next(seconds * 1_000 + patienceMs);
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
