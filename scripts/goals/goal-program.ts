import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { GoalReport } from './goal-line.ts';

/** One run of some goals. */
export interface GoalRun {
  readonly report: GoalReport;
  /** Of all that is left to chance. */
  readonly seed: string;
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
    console.error(
      `${chosen}\n\nnpm run ${name} -- [NAME …] [--seed S]   NAME: ${Object.keys(goals).join(', ')}`,
    );
    return 2;
  }
  if (hindrance !== undefined) {
    console.error(`skipped: ${hindrance}`);
    return process.env['CI'] === 'true' ? 1 : 0;
  }
  const report = new GoalReport();
  const { seed } = chosen;
  let isBroken = false;
  for (const each of chosen.names) {
    const progress = (text: string): void => console.error(`${each}: ${text}`);
    progress(`seed ${seed}`);
    try {
      await goals[each]?.({ report, seed, progress });
    } catch (error) {
      isBroken = true;
      progress(
        `broken off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    if (isBroken || report.exitCode === 1)
      progress(`again: npm run ${name} -- ${each} --seed ${seed}`);
  }
  return isBroken ? 1 : report.exitCode;
}

interface Choice {
  readonly names: readonly string[];
  readonly seed: string;
}

/** What to run, or what is wrong with the arguments. */
function choose(words: readonly string[], known: readonly string[]): Choice | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { seed: { type: 'string' } },
    });
    const unknown = positionals.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `there is no ${unknown.join(', ')}`;
    return {
      names: positionals.length === 0 ? known : positionals,
      seed: values.seed ?? String(randomInt(2 ** 32)),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
