import { seededRandom } from '@foundation/core';
import type { Configuration } from '@foundation/ml';

import { byRank, type Measured } from '../outcome.ts';
import type { RunView, Strategy } from '../strategy.ts';
import { Untried } from './untried.ts';

/**
 * Climbs by changing one variable at a time. A climb begins with uniform candidates, as many as are asked
 * for; then the untried neighbours of its best are tried in random order, the best being chosen anew in each
 * round. When none is left, the best is a local optimum, and another climb begins.
 */
export function coordinateAscent(): Strategy {
  return {
    name: 'coordinate-ascent',
    propose(run, count) {
      const untried = new Untried(run);
      const top = topOfClimb(run);
      if (top === undefined) untried.takeUniform(count);
      else takeNeighbours(untried, run, { of: top, count });
      return untried.found;
    },
  };
}

/** Takes untried neighbours of an outcome, in random order, until `count` are found in all or none is left. */
export function takeNeighbours<C extends Configuration>(
  untried: Untried<C>,
  { space, seed, history }: RunView<C>,
  { of, count }: { readonly of: Measured<C>; readonly count: number },
): void {
  const random = seededRandom(`${seed}/neighbours/${history.length}`);
  const left = [...space.neighbours(of.configuration)];
  while (left.length > 0 && untried.found.length < count) {
    const [next] = left.splice(random.int(left.length), 1);
    if (next !== undefined) untried.take(next);
  }
}

/** The best of the climb in progress; `undefined` when the last one has reached its top. */
function topOfClimb<C extends Configuration>({
  space,
  history,
}: RunView<C>): Measured<C> | undefined {
  const compare = byRank(space);
  const tried = new Set<string>();
  let top: Measured<C> | undefined;
  let open = new Set<string>();
  for (const outcome of history) {
    const fingerprint = space.fingerprint(outcome.configuration);
    tried.add(fingerprint);
    open.delete(fingerprint);
    if (outcome.kind === 'measured' && (top === undefined || compare(outcome, top) < 0)) {
      const neighbours = space.neighbours(outcome.configuration);
      top = outcome;
      const near = neighbours.map((neighbour) => space.fingerprint(neighbour));
      open = new Set(near.filter((one) => !tried.has(one)));
    }
    if (open.size === 0) top = undefined;
  }
  return top;
}
