// Runs each example that says what it prints and compares: `node scripts/run-examples.ts [NAME …]`.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './program.ts';
import { report, type Tally } from './tally.ts';

interface Choice {
  /** Only these. @defaultValue all */
  readonly names?: readonly string[];
  /** Milliseconds that one may take. @defaultValue 60_000 */
  readonly timeoutMs?: number;
}

/**
 * Runs every `examples/<name>/main.ts` beside which there is an `expected.txt`, one after another. A name
 * of which there is no such example has failed.
 */
export async function runExamples(
  root: string,
  { names = [], timeoutMs = 60_000 }: Choice = {},
): Promise<Tally> {
  const found = globSync('examples/*/expected.txt', { cwd: root }).toSorted();
  const known = found.map((path) => basename(dirname(path)));
  const tally: [string, string | undefined][] = names
    .filter((name) => !known.includes(name))
    .map((name) => [name, `no such example; there are ${known.join(', ')}`]);
  for (const path of found) {
    if (names.length > 0 && !names.includes(basename(dirname(path)))) continue;
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
  const here = fileURLToPath(new URL('..', import.meta.url));
  report(await runExamples(here, { names: process.argv.slice(2) }));
}
