import type { Configuration } from '@foundation/ml';

import { checkWhole } from '../errors.ts';
import { bestOf } from '../outcome.ts';
import type { RunView, Strategy } from '../strategy.ts';
import { takeNeighbours } from './coordinate-ascent.ts';
import { takePromising, tpeDefaults } from './tpe.ts';
import { Untried } from './untried.ts';

/** How the portfolio begins. */
export interface PortfolioOptions {
  /** Uniform candidates before the others take over. @defaultValue 40 */
  readonly startCount?: number;
}

/** What the portfolio does unless told otherwise. */
export const portfolioDefaults: Required<PortfolioOptions> = { startCount: 40 };

/**
 * The default: after a uniform start, half of each round are untried neighbours of the best candidate so far,
 * the other half what the tree-structured Parzen estimator finds most promising. The first half finishes a
 * climb, the second gets away from a local optimum; where one half has nothing to try, the other fills in.
 *
 * @throws FoundationError `DSPEX_INVALID_OPTION` when `startCount` is not a positive whole number.
 */
export function portfolio(options: PortfolioOptions = {}): Strategy {
  const { startCount } = { ...portfolioDefaults, ...options };
  checkWhole('startCount', startCount, 1);
  return {
    name: 'portfolio',
    propose: (run, count) => proposePortfolio(run, { count, startCount }),
  };
}

function proposePortfolio<C extends Configuration>(
  run: RunView<C>,
  { count, startCount }: { readonly count: number; readonly startCount: number },
): readonly C[] {
  const untried = new Untried(run);
  const best = bestOf(run.space, run.history);
  untried.takeUniform(Math.min(count, startCount - run.history.length));
  const climbCount = untried.found.length + Math.ceil((count - untried.found.length) / 2);
  if (best !== undefined) takeNeighbours(untried, run, { of: best, count: climbCount });
  takePromising(untried, run, { count, drawCount: tpeDefaults.drawCount });
  return untried.found;
}
