import { solveWithHighs } from '../src/mabeam/highs/highs-job.ts';
import { loadHighs } from '../src/mabeam/highs/load-highs.ts';
import type { Solver } from '../src/mabeam/solver.ts';

/** HiGHS in this thread: it answers at once, so that sessions in simulated time do not run into their deadlines. */
export async function highsHere(): Promise<Solver> {
  const highs = await loadHighs();
  return {
    solve: (job, { budgetMs }) => Promise.resolve(solveWithHighs(highs, job, { budgetMs })),
  };
}
