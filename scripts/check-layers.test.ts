import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { layerBreaches } from './check-layers.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'foundation-layers-'));
  plant('package.json', { name: 'root', devDependencies: { vitest: '1' } });
  plant('packages/foundation/package.json', {
    name: '@foundation/core',
    dependencies: { msgpackr: '1' },
    devDependencies: { '@foundation/testing': '1' },
  });
  plant('packages/agents/package.json', {
    name: '@foundation/agents',
    dependencies: { '@foundation/core': '1' },
  });
});
afterEach(() => rmSync(root, { recursive: true }));

/** Writes a file, or a manifest. */
function plant(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(root, path), text);
}

/** The only breach after a file was added. */
function breachOf(path: string, source: string): readonly string[] {
  plant(path, source);
  return layerBreaches(root);
}

describe('the layers', () => {
  it('are kept in this repository', () => {
    expect(layerBreaches(fileURLToPath(new URL('..', import.meta.url)))).toEqual([]);
  });

  it('allow what is declared, what is below and what tests may use', () => {
    plant('packages/agents/src/a.ts', `import { x } from '@foundation/core/mabeam';\n`);
    plant(
      'packages/agents/src/b.ts',
      `import {\n  type X,\n  y,\n} from './a.ts';\nimport 'node:fs';\n`,
    );
    plant('packages/foundation/src/node.ts', `import { m } from './mabeam/index.ts';\n`);
    plant('packages/foundation/src/mabeam/index.ts', `export { pack } from 'msgpackr';\n`);
    plant(
      'packages/foundation/src/a.test.ts',
      `import { it } from 'vitest';\nimport { kit } from '@foundation/testing';\n`,
    );
    expect(layerBreaches(root)).toEqual([]);
  });

  it('refuse a declared dependency that is not below', () => {
    const dependencies = { '@foundation/core': '1', '@foundation/ml': '1' };
    plant('packages/agents/package.json', { name: '@foundation/agents', dependencies });
    expect(layerBreaches(root)).toEqual([
      'packages/agents declares @foundation/ml, which is not below it',
    ]);
  });

  it('refuse the test kit as a dependency of a product', () => {
    const dependencies = { '@foundation/testing': '1' };
    plant('packages/agents/package.json', { name: '@foundation/agents', dependencies });
    expect(layerBreaches(root)).toEqual([
      'packages/agents declares @foundation/testing, which is not below it',
    ]);
  });

  it('refuse a package that has no layer', () => {
    plant('packages/stray/package.json', { name: '@foundation/stray' });
    expect(layerBreaches(root)).toEqual([
      'packages/stray is @foundation/stray, which has no layer',
    ]);
  });
});

describe('an import', () => {
  it.each([
    ['import', `import { a } from '@foundation/ml';\n`],
    ['import of types', `import type { A } from '@foundation/ml';\n`],
    ['import over several lines', `import {\n  a,\n  type B,\n} from '@foundation/ml';\n`],
    ['import for its effects', `import '@foundation/ml';\n`],
    ['export', `export { a } from '@foundation/ml/internal';\n`],
    ['import at run time', `const ml = await import('@foundation/ml');\n`],
  ])('of an undeclared package is found as an %s', (_kind, source) => {
    expect(breachOf('packages/agents/src/a.ts', source)).toEqual([
      'packages/agents/src/a.ts imports @foundation/ml, which its package does not declare',
    ]);
  });

  it('of an undeclared package is found in a test, too', () => {
    const source = `import { a } from '@foundation/ml';\n`;
    expect(breachOf('packages/agents/test/a.test.ts', source)).toEqual([
      'packages/agents/test/a.test.ts imports @foundation/ml, which its package does not declare',
    ]);
  });

  it('of what only tests may use is refused in source', () => {
    expect(breachOf('packages/foundation/src/a.ts', `import { it } from 'vitest';\n`)).toEqual([
      'packages/foundation/src/a.ts imports vitest, which its package does not declare',
    ]);
  });

  it("of another package's file is refused", () => {
    const source = `import { a } from '../../foundation/src/node.ts';\n`;
    expect(breachOf('packages/agents/src/a.test.ts', source)).toEqual([
      'packages/agents/src/a.test.ts imports ../../foundation/src/node.ts, which is in another package',
    ]);
  });

  it('of mabeam is refused in the core, except in the node', () => {
    const source = `import { m } from '../mabeam/index.ts';\n`;
    expect(breachOf('packages/foundation/src/cluster/a.ts', source)).toEqual([
      'packages/foundation/src/cluster/a.ts imports ../mabeam/index.ts, but the core does not know mabeam',
    ]);
  });

  it('of Node is refused in a pure file', () => {
    const source = `import { setTimeout } from 'node:timers';\n`;
    expect(breachOf('packages/foundation/src/a-state.ts', source)).toEqual([
      'packages/foundation/src/a-state.ts imports node:timers, but a *-state.ts file is pure',
    ]);
  });
});
