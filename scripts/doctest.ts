// Runs the examples in the documentation: `node scripts/doctest.ts [root]`.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './program.ts';
import { report, type Tally } from './tally.ts';

const documents = [
  '*.md',
  'docs/**/*.md',
  'packages/*/*.md',
  'examples/*/*.md',
  'packages/*/src/**/*.ts',
];
/** Where the blocks run, so that they find this repository's packages. Ignored by git. */
const workshop = 'examples/.doctest';

interface Block {
  /** File and line, for the report. */
  readonly name: string;
  readonly code: string;
}

/**
 * Runs every block of documents and doc comments that is marked as `ts` and nothing more; in it, a
 * line `expression; // => value` asserts. A block is a program: it must end by itself.
 */
export async function runDocumentation(root: string, timeoutMs: number = 30_000): Promise<Tally> {
  const blocks = globSync([...documents], { cwd: root, exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll(sep, '/'))
    .toSorted()
    .flatMap((path) => blocksOf(path, readFileSync(join(root, path), 'utf8')));
  const directory = join(root, workshop);
  mkdirSync(directory, { recursive: true });
  try {
    const entries = blocks.entries();
    const tally: [string, string | undefined][] = [];
    const work = async (): Promise<void> => {
      for (const [index, { name, code }] of entries) {
        const file = join(directory, `block-${index}.ts`);
        writeFileSync(file, code);
        tally.push([name, (await runProgram(file, timeoutMs)).failure]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    return tally;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function blocksOf(path: string, content: string): readonly Block[] {
  const text = path.endsWith('.ts') ? content.replaceAll(/^ *\* ?/gm, '') : content;
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    name: `${path}:${text.slice(0, match.index).split('\n').length}`,
    code: `import assert from 'node:assert/strict';\n${withAssertions(match[1] ?? '')}`,
  }));
}

function withAssertions(code: string): string {
  return code.replaceAll(/^( *)(\S.*?);? \/\/ => (.+)$/gm, '$1assert.deepEqual($2, $3);');
}

if (import.meta.main) {
  report(await runDocumentation(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))));
}
