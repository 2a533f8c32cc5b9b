// Whether the checks would find anything: each bug that is planted must be caught, and where none is, nothing:
// `npm run planted -- [--seed S]`.
import { runGoals, type Goal } from './goals/goal-program.ts';
import { plantedKinds } from './planted/kinds.ts';

const least = 24;
/** Tries to catch a bug. One that is caught is mostly caught by the first few. */
const tries = 5_000;
/** Tries in which a check must not find anything where there is nothing. */
const controlTries = 50;

const planted: Goal = async ({ report, seed, progress }) => {
  let caught = 0;
  let total = 0;
  let alarms = 0;
  for (const kind of plantedKinds) {
    const { what, flaws } = kind;
    if (await kind.finds(undefined, controlTries, seed)) {
      alarms++;
      progress(`${what} has no bug, and the check finds one`);
    }
    for (const flaw of flaws) {
      const isCaught = await kind.finds(flaw, tries, seed);
      total++;
      if (isCaught) caught++;
      progress(`${isCaught ? 'caught' : 'MISSED'}: ${what} ${flaw}`);
    }
  }
  report.tell({
    goal: 'G19 power of the suite, planted bugs caught',
    value: caught,
    limit: `all of ${total}, which are >= ${least}`,
    ok: caught === total && total >= least && alarms === 0,
    seed,
  });
};

process.exitCode = await runGoals({ name: 'planted', goals: { planted } }, process.argv.slice(2));
