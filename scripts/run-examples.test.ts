import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runExamples } from './run-examples.ts';

let root: string;

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'foundation-examples-'))));
afterEach(() => rmSync(root, { recursive: true }));

function plant(name: string, program: string, expected?: string): void {
  const directory = join(root, 'examples', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'main.ts'), program);
  if (expected !== undefined) writeFileSync(join(directory, 'expected.txt'), expected);
}

describe('an example', () => {
  it('passes when it prints what is expected', async () => {
    plant('a', `console.log('one');\nconsole.log('two');\n`, 'one\ntwo\n');
    expect(await runExamples(root)).toEqual([['examples/a/main.ts', undefined]]);
  });

  it('fails with the first line that is not expected', async () => {
    plant('a', `console.log('one');\nconsole.log('three');\n`, 'one\ntwo\n');
    expect(await runExamples(root)).toEqual([
      ['examples/a/main.ts', 'line 2 should be\n  two\nbut is\n  three'],
    ]);
  });

  it('fails when it prints all that is expected and then breaks', async () => {
    plant('a', `console.log('one');\nprocess.exitCode = 3;\n`, 'one\n');
    expect(await runExamples(root)).toEqual([['examples/a/main.ts', 'ended with 3']]);
  });

  it('is ended with all that it has started when it takes too long', async () => {
    const program = `import { spawn } from 'node:child_process';
      spawn('sleep', ['100'], { stdio: 'inherit' });\n`;
    plant('a', program, '');
    expect(await runExamples(root, { timeoutMs: 500 })).toEqual([
      ['examples/a/main.ts', 'did not end within 0.5 s'],
    ]);
  });

  it('is run alone when it is named; a name without one has failed', async () => {
    plant('a', `console.log('one');\n`, 'one\n');
    plant('b', `throw new Error('not run');\n`, '');
    expect(await runExamples(root, { names: ['a', 'c'] })).toEqual([
      ['c', 'no such example; there are a, b'],
      ['examples/a/main.ts', undefined],
    ]);
  });

  it('is not run when nobody says what it prints', async () => {
    plant('a', `throw new Error('not run');\n`);
    expect(await runExamples(root)).toEqual([]);
  });
});
