// Runs each example that says what it prints and compares: `node scripts/run-examples.ts [root]`.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './program.ts';
import { report, type Tally } from './tally.ts';

/** Runs every `examples/<name>/main.ts` beside which there is an `expected.txt`, one after another. */
export async function runExamples(root: string, timeoutMs: number = 60_000): Promise<Tally> {
  const tally: [string, string | undefined][] = [];
  for (const path of globSync('examples/*/expected.txt', { cwd: root }).toSorted()) {
    const program = join(dirname(path), 'main.ts');
    const { stdout, failure } = await runProgram(join(root, program), timeoutMs);
    const expected = readFileSync(join(root, path), 'utf8');
    tally.push([program, failure ?? difference(expected, stdout)]);
  }
  return tally;
}

/** The first line that differs. */
function difference(expected: string, printed: string): string | undefined {
  const wanted = expected.trimEnd().split('\n');
  const got = printed.trimEnd().split('\n');
  const length = Math.max(wanted.length, got.length);
  const line = Array.from({ length }).findIndex((_, index) => wanted[index] !== got[index]);
  if (line === -1) return undefined;
  return `line ${line + 1} should be\n  ${wanted[line] ?? '(no line)'}\nbut is\n  ${got[line] ?? '(no line)'}`;
}

if (import.meta.main) {
  report(await runExamples(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))));
}
