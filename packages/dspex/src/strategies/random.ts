import type { Strategy } from '../strategy.ts';
import { Untried } from './untried.ts';

/** Draws every candidate uniformly from what has not been tried yet. */
export function randomSearch(): Strategy {
  return {
    name: 'random',
    propose(run, count) {
      const untried = new Untried(run);
      untried.takeUniform(count);
      return untried.found;
    },
  };
}
