import type { Reporter, TestModule } from 'vitest/node';

import { closingLine } from './tally.ts';

/**
 * Ends a test run with one plain line that programs can read. A file that could not be loaded and an
 * error outside of all tests count as failures.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      const failedBefore = failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
      }
      if (module.state() === 'failed' && failed === failedBefore) failed++;
    }
    console.log(closingLine(passed, failed));
  }
}
