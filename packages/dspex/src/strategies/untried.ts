import { seededRandom, type Random } from '@foundation/core';
import type { Configuration } from '@foundation/ml';

import type { RunView } from '../strategy.ts';

/** How many batches of draws may hold nothing new before a uniform draw takes their place. */
const batchesMax = 10;

/** Collects configurations that a run has not tried yet, without repeats. */
export class Untried<C extends Configuration> {
  readonly found: C[] = [];
  readonly #run: RunView<C>;
  readonly #taken: Set<string>;

  constructor(run: RunView<C>) {
    const { space, history } = run;
    this.#run = run;
    this.#taken = new Set(history.map(({ configuration }) => space.fingerprint(configuration)));
  }

  /** The stream of chance for the next candidate. */
  random(purpose: string): Random {
    const index = this.#run.history.length + this.found.length;
    return seededRandom(`${this.#run.seed}/${purpose}/${index}`);
  }

  /** Takes a configuration unless it was tried or taken before. */
  take(configuration: C): boolean {
    const fingerprint = this.#run.space.fingerprint(configuration);
    if (this.#taken.has(fingerprint)) return false;
    this.#taken.add(fingerprint);
    this.found.push(configuration);
    return true;
  }

  /** Takes the first new one of a limited number of batches, else a uniform one; false when none is left. */
  takeDrawn(drawBatch: () => readonly C[]): boolean {
    for (let batch = 0; batch < batchesMax; batch++) {
      if (drawBatch().some((configuration) => this.take(configuration))) return true;
    }
    return this.#takeAny();
  }

  /** Takes uniformly drawn ones until `count` are found in all, or none is left. */
  takeUniform(count: number): void {
    while (this.found.length < count && this.#takeAny());
  }

  /** Draws again while most are untried; once half of a space is used up, chooses among what is left. */
  #takeAny(): boolean {
    const { space } = this.#run;
    const random = this.random('uniform');
    if (this.#taken.size < Number(space.cardinality) / 2) {
      while (!this.take(space.sample(random)));
      return true;
    }
    const left = [...space.enumerate()].filter((one) => !this.#taken.has(space.fingerprint(one)));
    const chosen = left[random.int(left.length)];
    return chosen !== undefined && this.take(chosen);
  }
}
