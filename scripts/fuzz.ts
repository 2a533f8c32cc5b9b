// Reads bad inputs with everything that reads bytes from outside: `npm run fuzz -- [DECODER …] [--seed S] [--seeds N]`,
// N inputs each; one input again: `npm run fuzz -- --again DECODER BASE64`.
import { availableParallelism } from 'node:os';

import type { Decoder } from './fuzz/decoder.ts';
import { decoders } from './fuzz/decoders.ts';
import { memory } from './fuzz/memory.ts';
import { ReadingThreads } from './fuzz/reading-threads.ts';
import { read, verdictOf } from './fuzz/reading.ts';
import { runGoals, type Goal } from './goals/goal-program.ts';

const inputsDefault = 200_000;

const [again, name, input = ''] = process.argv.slice(2);
if (again === '--again') {
  const decoder = decoders.find((each) => each.name === name);
  console.error(decoder === undefined ? `there is no ${name}` : readAgain(decoder, input));
} else {
  await using threads = new ReadingThreads(Math.min(2, availableParallelism()));
  const readings = decoders.map(({ name: each }) => [each, reading(each, threads)] as const);
  process.exitCode = await runGoals(
    { name: 'fuzz', goals: { ...Object.fromEntries(readings), memory } },
    process.argv.slice(2),
  );
}

function reading(decoder: string, threads: ReadingThreads): Goal {
  return async ({ report, seed, seeds, progress }) => {
    const result = await threads.read(decoder, { inputs: seeds ?? inputsDefault, seed });
    const { inputs, accepted, slowestMs, harms } = result;
    const share = ((100 * accepted) / inputs).toFixed(0);
    progress(`${inputs} inputs, ${share} % taken, slowest ${slowestMs.toFixed(1)} ms`);
    for (const { what, input: bytes } of harms) {
      progress(`${what}\n  again: npm run fuzz -- --again ${decoder} ${bytes}`);
    }
    report.tell({ ...verdictOf(decoder, result), seed });
  };
}

function readAgain(decoder: Decoder, base64: string): string {
  const began = performance.now();
  const outcome = read(decoder, Buffer.from(base64, 'base64'));
  return `${outcome}, in ${(performance.now() - began).toFixed(1)} ms`;
}
