import { defaultExclude, defineConfig } from 'vitest/config';

import { ClosingLine } from './scripts/closing-line.ts';

/** Tests of what a program has once, such as its listener to rejections: they need a thread of their own. */
const ofTheProgram = ['packages/foundation/src/process/floating-rejections.test.ts'];

const conditions = ['@foundation/source', 'module', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    maxWorkers: 2,
    reporters: ['default', new ClosingLine()],
    execArgv: ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: [...ofTheProgram, ...defaultExclude],
          pool: 'threads',
          // Nothing keeps state in a module, so files may share a thread: modules are loaded once, not 190 times.
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ofTheProgram, pool: 'threads', testTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: [
            'packages/*/test/**/*.test.ts',
            'examples/*/*.test.ts',
            'bench/*.test.ts',
            'scripts/*.test.ts',
          ],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
