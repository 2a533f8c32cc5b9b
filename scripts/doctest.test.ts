import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runDocumentation } from './doctest.ts';

let root: string;

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'foundation-doctest-'))));
afterEach(() => rmSync(root, { recursive: true }));

function plant(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function block(code: string, mark = 'ts'): string {
  return `Some text.\n\n\`\`\`${mark}\n${code}\n\`\`\`\n`;
}

describe('an example in the documentation', () => {
  it('passes when what it claims is so, in a document and in a doc comment', async () => {
    plant('README.md', block('const two: number = 1 + 1;\ntwo; // => 2'));
    const comment = block('Math.max(1, 2); // => 2').replaceAll(/^/gm, ' * ');
    plant('packages/a/src/a.ts', `/**\n${comment}\n */\nexport const a = 1;\n`);
    expect(await runDocumentation(root)).toHaveLength(2);
    expect(await runDocumentation(root)).toEqual(
      expect.arrayContaining([
        ['README.md:3', undefined],
        ['packages/a/src/a.ts:4', undefined],
      ]),
    );
  });

  it('fails when it claims something wrong', async () => {
    plant('docs/guide/a.md', block('await Promise.resolve([1]); // => [2]'));
    expect(await runDocumentation(root)).toEqual([
      ['docs/guide/a.md:3', expect.stringContaining('Expected values to be strictly deep-equal')],
    ]);
  });

  it('fails when it throws', async () => {
    plant('README.md', block(`throw new Error('broken');`));
    expect(await runDocumentation(root)).toEqual([
      ['README.md:3', expect.stringMatching(/ended with 1[^]*broken/)],
    ]);
  });

  it('fails when it does not end', async () => {
    plant('README.md', block('setInterval(() => {}, 1_000);'));
    expect(await runDocumentation(root, 500)).toEqual([
      ['README.md:3', 'did not end within 0.5 s'],
    ]);
  });

  it('is left alone when it is marked so, or is not TypeScript', async () => {
    plant('README.md', block('nonsense(', 'ts no-run') + block('nonsense(', 'sh'));
    expect(await runDocumentation(root)).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    plant('README.md', block('1; // => 1'));
    await runDocumentation(root);
    expect(existsSync(join(root, 'examples/.doctest'))).toBe(false);
  });
});
