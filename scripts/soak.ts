// Runs the processes of one node for minutes or days, at random, and proves that nothing is left behind:
// `npm run soak -- processes --minutes N`.
import { randomInt } from 'node:crypto';

import { soakArguments, usage, type SoakArguments } from './soak/arguments.ts';
import type { HeapVerdict } from './soak/growth.ts';
import { soak, type Progress, type SoakResult } from './soak/soak.ts';

/** Milliseconds in which npm may pass an interrupt on that has come already. */
const sameInterruptMs = 2_000;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('--help')) {
    console.log(usage);
    return 0;
  }
  const given = readArguments(words);
  if (given === undefined) return 2;
  const { minutes, seed, json } = given;
  console.error(`soak of processes: ${minutes} min, seed ${seed}`);
  const result = await soak({ minutes, seed, signal: interruption(), onProgress: tell });
  const isOk = result.problemCount === 0;
  if (!json) console.log(summary(result));
  const { problemCount: value, ...details } = result;
  const line = { goal: 'soak-processes', value, unit: 'problems', ok: isOk, seed, ...details };
  console.log(JSON.stringify(line));
  return isOk ? 0 : 1;
}

function readArguments(words: readonly string[]): SoakArguments | undefined {
  try {
    if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
    return soakArguments(words, () => String(randomInt(2 ** 32)));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return undefined;
  }
}

/** The first interrupt ends the soak in good order, the next one at once. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  let firstAt = Infinity;
  process.on('SIGINT', () => {
    if (performance.now() - firstAt > sameInterruptMs) process.exit(130);
    firstAt = Math.min(firstAt, performance.now());
    abort.abort();
  });
  return abort.signal;
}

function tell(progress: Progress): void {
  const { seconds, deedsPerSecond, processes, heapBytes, restarts, crashes, problems } = progress;
  console.error(
    `${seconds.toFixed(0).padStart(6)} s  ${deedsPerSecond.toFixed(0)} deeds/s  ${processes} processes  ` +
      `heap ${mebibytes(heapBytes)}  ${crashes} crashes  ${restarts} restarts  ${problems} problems`,
  );
}

function summary({ heap, threadHeap, ...result }: SoakResult): string {
  const { deeds, calls, processes, crashes, isInterrupted, problems, problemCount } = result;
  return [
    `${deeds} deeds, ${calls} calls, ${processes} processes, ${crashes} crashes`,
    ...(isInterrupted ? ['interrupted'] : []),
    heapLine('main thread', heap),
    heapLine('worker thread', threadHeap),
    ...problems.map((problem) => `problem: ${problem}`),
    problemCount === 0 ? 'nothing is left behind' : `${problemCount} problems`,
  ].join('\n');
}

function heapLine(
  name: string,
  { bytes, objects, samples, minutes, isLenient }: HeapVerdict,
): string {
  const grown = [bytes, objects].map(({ growth, standardError }) => `${growth} ± ${standardError}`);
  return (
    `${name}: ${mebibytes(bytes.last)}, ${objects.last} objects; in the last ${minutes.toFixed(1)} min ` +
    `${grown[0]} bytes and ${grown[1]} objects more, by ${samples} samples` +
    (isLenient ? ': too few, so the bounds are wide' : '')
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
