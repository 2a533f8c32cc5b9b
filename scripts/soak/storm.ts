import { setImmediate as nextTurn } from 'node:timers/promises';

import { seededRandom, type Random } from '@foundation/core';

import { increment } from './books.ts';
import { lives } from './lives.ts';
import { messages } from './messages.ts';
import { relations } from './relations.ts';
import type { Deed, World } from './world.ts';

const playerCount = 48;
const weighted = [...lives, ...messages, ...relations];
const total = weighted.reduce((sum, [weight]) => sum + weight, 0);

/** Does random deeds, several at a time, until it is told that time is over. */
export class Storm {
  readonly #world: World;
  readonly #players: readonly Random[];

  /** Each player has its own dice: the same seed gives the same deeds, in an order that only time knows. */
  constructor(world: World, seed: string) {
    this.#world = world;
    this.#players = Array.from({ length: playerCount }, (_, index) =>
      seededRandom(`${seed} player ${index}`),
    );
  }

  async rage(isOver: () => boolean): Promise<void> {
    await Promise.all(this.#players.map((dice) => this.#play(dice, isOver)));
  }

  async #play(dice: Random, isOver: () => boolean): Promise<void> {
    const { books } = this.#world;
    while (!isOver()) {
      const { name, deed } = pick(dice);
      increment(books.deeds, name);
      try {
        await deed(this.#world, dice);
      } catch (error) {
        books.problem(`the deed "${name}" failed: ${String(error)}`);
      }
      // Deeds that need no time would leave none to timers.
      await nextTurn();
    }
  }
}

function pick(dice: Random): { readonly name: string; readonly deed: Deed } {
  let left = dice.next() * total;
  for (const [weight, name, deed] of weighted) {
    left -= weight;
    if (left < 0) return { name, deed };
  }
  throw new Error('the weights do not add up');
}
