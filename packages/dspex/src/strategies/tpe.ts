import type { Configuration } from '@foundation/ml';

import { checkWhole } from '../errors.ts';
import { byRank } from '../outcome.ts';
import type { RunView, Strategy } from '../strategy.ts';
import { fitParzen } from './parzen.ts';
import { Untried } from './untried.ts';

/** How the estimator begins, and how hard it looks. */
export interface TpeOptions {
  /** Uniform candidates before the model takes over. @defaultValue 10 */
  readonly startCount?: number;
  /** Draws from the good density, of which the most promising new one is proposed. @defaultValue 24 */
  readonly drawCount?: number;
}

/** What the estimator does unless told otherwise. */
export const tpeDefaults: Required<TpeOptions> = { startCount: 10, drawCount: 24 };

/**
 * Tree-structured Parzen estimator: proposes what is likely among the best tenth of the candidates (25 at
 * most) and unlikely among the rest. Variables are modelled jointly. Failed candidates, and those proposed
 * in the same round and not yet told (the constant liar), count among the rest.
 *
 * Source: Bergstra et al. 2011, in the multivariate form of Optuna's reference sampler.
 *
 * @throws FoundationError `DSPEX_INVALID_OPTION` when a count is not a positive whole number.
 */
export function tpe(options: TpeOptions = {}): Strategy {
  const { startCount, drawCount } = { ...tpeDefaults, ...options };
  checkWhole('startCount', startCount, 1);
  checkWhole('drawCount', drawCount, 1);
  return {
    name: 'tpe',
    propose(run, count) {
      const untried = new Untried(run);
      untried.takeUniform(Math.min(count, startCount - run.history.length));
      takePromising(untried, run, { count, drawCount });
      return untried.found;
    },
  };
}

/** Takes what the model finds most promising until `count` are found in all. */
export function takePromising<C extends Configuration>(
  untried: Untried<C>,
  run: RunView<C>,
  { count, drawCount }: { readonly count: number; readonly drawCount: number },
): void {
  const { space } = run;
  if (untried.found.length >= count) return;
  const { good, rest } = divide(run);
  const goodDensity = fitParzen(space.axes, good);
  while (untried.found.length < count) {
    const random = untried.random('tpe');
    const pending = untried.found.map((configuration) => space.encode(configuration));
    const restDensity = fitParzen(space.axes, [...rest, ...pending]);
    const drawn = untried.takeDrawn(() =>
      Array.from({ length: drawCount }, () => goodDensity.draw(random))
        .map((point) => ({
          point,
          promise: goodDensity.logDensity(point) - restDensity.logDensity(point),
        }))
        .toSorted((a, b) => b.promise - a.promise)
        .map(({ point }) => space.decode(point)),
    );
    if (!drawn) return;
  }
}

type Points = readonly (readonly number[])[];

/** The coordinates of the best tenth (25 at most) and of all others, both oldest first. */
function divide<C extends Configuration>(run: RunView<C>): { good: Points; rest: Points } {
  const { space, history } = run;
  const goodCount = Math.min(Math.ceil(history.length / 10), 25);
  const best = new Set(
    history
      .toSorted(byRank(space))
      .slice(0, goodCount)
      .filter(({ kind }) => kind === 'measured'),
  );
  const points = (outcomes: RunView<C>['history']): Points =>
    outcomes.map(({ configuration }) => space.encode(configuration));
  return {
    good: points(history.filter((outcome) => best.has(outcome))),
    rest: points(history.filter((outcome) => !best.has(outcome))),
  };
}
