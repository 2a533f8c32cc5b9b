import { calm } from './calm.ts';
import { judge, type HeapVerdict, type Sample } from './growth.ts';
import { Storm } from './storm.ts';
import { leftOver, surroundings } from './surroundings.ts';
import { startWorld, type World } from './world.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: string;
  /** Ends the soak early, in good order. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly seconds: number;
  readonly deedsPerSecond: number;
  readonly processes: number;
  readonly heapBytes: number;
  readonly restarts: number;
  readonly crashes: number;
  readonly problems: number;
}

export interface SoakResult {
  readonly minutes: number;
  readonly isInterrupted: boolean;
  readonly deeds: number;
  readonly deedsPerSecond: number;
  /** Calls, all of which have settled once. */
  readonly calls: number;
  readonly answered: number;
  /** Calls that failed as they may, by error code. */
  readonly failed: Readonly<Record<string, number>>;
  readonly processes: number;
  readonly crashes: number;
  readonly restarts: number;
  readonly quarantines: number;
  readonly overflows: number;
  readonly heap: HeapVerdict;
  readonly threadHeap: HeapVerdict;
  readonly problemCount: number;
  /** The first of them. */
  readonly problems: readonly string[];
}

/** Milliseconds between two lines of progress. */
const progressMs = 3_000;
/** Milliseconds that a storm lasts: a share of all, within bounds. A calm follows each, with a sample of the heap. */
const storm = { share: 1 / 40, minMs: 1_000, maxMs: 20_000 };

/** Random deeds for a while, with a rest now and then at which everything must add up. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const before = surroundings();
  const world = await startWorld(options.seed);
  const run = new Run(world, options);
  await run.untilTheEnd();
  world.witness[Symbol.dispose]();
  await world.node.stop();
  const { books, node } = world;
  for (const each of await leftOver(before)) books.problem(`left over: ${each}`);
  books.expectEqual('registrations after the end', node.registry.all().length, 0);
  if (node.events.isHeard('spawn')) books.problem('a listener is left over');
  return run.result();
}

class Run {
  readonly #world: World;
  readonly #options: SoakOptions;
  readonly #beganAt = performance.now();
  readonly #heap: Sample[] = [];
  readonly #threadHeap: Sample[] = [];

  constructor(world: World, options: SoakOptions) {
    this.#world = world;
    this.#options = options;
  }

  get #elapsedMs(): number {
    return performance.now() - this.#beganAt;
  }

  async untilTheEnd(): Promise<void> {
    const { minutes, seed, signal, onProgress } = this.#options;
    const wholeMs = minutes * 60_000;
    const eachMs = Math.min(storm.maxMs, Math.max(storm.minMs, wholeMs * storm.share));
    const raging = new Storm(this.#world, seed);
    const telling = setInterval(() => onProgress(this.#progress()), progressMs);
    try {
      while (this.#elapsedMs < wholeMs && !signal.aborted) {
        const overAt = performance.now() + eachMs;
        await raging.rage(() => performance.now() > overAt || signal.aborted);
        await this.#rest();
      }
    } catch (error) {
      this.#world.books.problem(`the soak broke off: ${String(error)}`);
    } finally {
      clearInterval(telling);
    }
  }

  async #rest(): Promise<void> {
    await calm(this.#world);
    const [main, , inThread] = this.#world.anchors;
    const minutes = this.#elapsedMs / 60_000;
    this.#heap.push({ minutes, ...(await main.ref.heap()) });
    this.#threadHeap.push({ minutes, ...(await inThread.ref.heap()) });
  }

  #progress(): Progress {
    const { books, witness } = this.#world;
    const seconds = this.#elapsedMs / 1_000;
    return {
      seconds,
      deedsPerSecond: books.deedCount / seconds,
      processes: witness.living,
      heapBytes: process.memoryUsage().heapUsed,
      restarts: witness.restarts,
      crashes: witness.crashes,
      problems: books.problemCount,
    };
  }

  result(): SoakResult {
    const { books, witness } = this.#world;
    const heap = judge(this.#heap);
    const threadHeap = judge(this.#threadHeap);
    for (const [name, { bytes, objects }] of Object.entries({ heap, threadHeap })) {
      if (!bytes.isSteady) books.problem(`${name} grows: ${bytes.growth} bytes`);
      if (!objects.isSteady) books.problem(`${name} grows: ${objects.growth} objects`);
    }
    const { deedsPerSecond, seconds } = this.#progress();
    return {
      minutes: seconds / 60,
      isInterrupted: this.#options.signal.aborted,
      deeds: books.deedCount,
      deedsPerSecond,
      calls: books.made,
      answered: books.answered,
      failed: Object.fromEntries(books.failures),
      processes: witness.spawned,
      crashes: witness.crashes,
      restarts: witness.restarts,
      quarantines: witness.quarantines,
      overflows: witness.overflows,
      heap,
      threadHeap,
      problemCount: books.problemCount,
      problems: books.problems,
    };
  }
}
