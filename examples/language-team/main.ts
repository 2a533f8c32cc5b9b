import { isFoundationError } from '@foundation/core';

import { demoOptions, usage, type DemoOptions } from './arguments.ts';
import type { DemoResult } from './demo-result.ts';
import { runDemo } from './demo.ts';
import { silent, terminalProgress } from './progress.ts';
import { report } from './report.ts';

/** Reads the arguments; a wrong one ends the program with what is right. */
function readOptions(): DemoOptions | undefined {
  try {
    return demoOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** What `--json` promises, and nothing else. */
function published({ cheapest: _cheapest, story: _story, ...result }: DemoResult): object {
  return result;
}

const options = readOptions();
if (options !== undefined) {
  try {
    const result = await runDemo(options, options.json ? silent : terminalProgress(process.stdout));
    console.log(options.json ? JSON.stringify(published(result)) : report(result));
    if (result.lost > 0 || result.doubled > 0) process.exitCode = 1;
  } catch (error) {
    console.error(
      isFoundationError(error) ? `${error.code}: ${error.message}\n${error.hint ?? ''}` : error,
    );
    process.exitCode = 1;
  }
}
