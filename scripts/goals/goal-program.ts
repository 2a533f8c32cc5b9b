import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { GoalReport } from './goal-line.ts';

/** One run of some goals. */
export interface GoalRun {
  readonly report: GoalReport;
  /** Of all that is left to chance. */
  readonly seed: string;
  /** How many seeds to try, where it was said. */
  readonly seeds: number | undefined;
  /** Says how it goes, on stderr. */
  readonly progress: (text: string) => void;
}

/** Finds out what one or several goals have come to, and tells the report. */
export type Goal = (run: GoalRun) => Promise<void>;

/** A program that prints one line a goal. */
export interface GoalProgram {
  /** As in `npm run chaos`. */
  readonly name: string;
  readonly goals: Readonly<Record<string, Goal>>;
  /** Why nothing can be run here; nothing is run then, and that is a failure in CI only. */
  readonly hindrance?: string | undefined;
}

/**
 * Runs the goals that the arguments name, one after another; all when they name none.
 *
 * @returns the exit code: 0 when all that was run has kept to its limit, 2 when the arguments are wrong.
 */
export async function runGoals(
  { name, goals, hindrance }: GoalProgram,
  words: readonly string[],
): Promise<0 | 1 | 2> {
  const chosen = choose(words, Object.keys(goals));
  if (typeof chosen === 'string') {
    const usage = `npm run ${name} -- [NAME …] [--seed S] [--seeds N]`;
    console.error(`${chosen}\n\n${usage}\n  NAME  ${Object.keys(goals).join(', ')}`);
    return 2;
  }
  if (hindrance !== undefined) {
    console.error(`skipped: ${hindrance}`);
    return process.env['CI'] === 'true' ? 1 : 0;
  }
  let exitCode: 0 | 1 = 0;
  for (const each of chosen.names) {
    if (!(await reached(each, goals, chosen))) {
      const seeds = chosen.seeds === undefined ? '' : ` --seeds ${chosen.seeds}`;
      console.error(`${each}: again by npm run ${name} -- ${each} --seed ${chosen.seed}${seeds}`);
      exitCode = 1;
    }
  }
  return exitCode;
}

/** Whether what goes by a name has told something, and all of it was well. */
async function reached(
  name: string,
  goals: Readonly<Record<string, Goal>>,
  { seed, seeds }: Choice,
): Promise<boolean> {
  const report = new GoalReport();
  const progress = (text: string): void => console.error(`${name}: ${text}`);
  progress(`seed ${seed}`);
  try {
    await goals[name]?.({ report, seed, seeds, progress });
    return report.exitCode === 0;
  } catch (error) {
    progress(
      `broken off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return false;
  }
}

interface Choice {
  readonly names: readonly string[];
  readonly seed: string;
  readonly seeds: number | undefined;
}

/** What to run, or what is wrong with the arguments. */
function choose(words: readonly string[], known: readonly string[]): Choice | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { seed: { type: 'string' }, seeds: { type: 'string' } },
    });
    const unknown = positionals.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `there is no ${unknown.join(', ')}`;
    const seeds = values.seeds === undefined ? undefined : Number(values.seeds);
    if (seeds !== undefined && !(Number.isInteger(seeds) && seeds > 0)) {
      return `--seeds ${values.seeds}: expected a whole number above 0`;
    }
    const names = positionals.length === 0 ? known : positionals;
    return { names, seed: values.seed ?? String(randomInt(2 ** 32)), seeds };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
