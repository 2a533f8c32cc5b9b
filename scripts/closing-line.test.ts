import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const closingLine = fileURLToPath(new URL('closing-line.ts', import.meta.url));
const config = `import { ClosingLine } from ${JSON.stringify(closingLine)};
export default { test: { globals: true, reporters: ['default', new ClosingLine()] } };`;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'foundation-closing-'));
  writeFileSync(join(root, 'vitest.config.ts'), config);
});
afterEach(() => rmSync(root, { recursive: true }));

/** The last line that a run of these test files prints, and how it ends. */
function run(...files: readonly string[]): {
  readonly line: string;
  readonly status: number | null;
} {
  for (const [index, file] of files.entries()) writeFileSync(join(root, `${index}.test.ts`), file);
  const { stdout, status } = spawnSync(process.execPath, [vitest, 'run'], {
    cwd: root,
    encoding: 'utf8',
  });
  return { line: stdout.trimEnd().split('\n').at(-1) ?? '', status };
}

describe('the last line of a test run', () => {
  it('counts what passed and what failed, and not what was skipped', () => {
    const file = `test('a', () => {}); test('b', () => {}); test.skip('c', () => {});
      test('d', () => expect(1).toBe(2));`;
    expect(run(file)).toEqual({ line: '2 passed, 1 failed', status: 1 });
    rmSync(join(root, '0.test.ts'));
    expect(run(`test('a', () => {});`)).toEqual({ line: '1 passed, 0 failed', status: 0 });
  });

  it('counts a file that cannot be loaded, and an error outside of all tests', () => {
    expect(
      run(
        `test('a', () => {});`,
        `throw new Error('not loaded');`,
        `test('b', () => void setTimeout(() => { throw new Error('stray'); }));
         test('c', () => new Promise((resolve) => setTimeout(resolve, 50)));`,
      ),
    ).toEqual({ line: '3 passed, 2 failed', status: 1 });
  });
});
