import type { Random } from '../../random.ts';

/**
 * Whom a node probes next: each of the others once a round, in an order drawn anew for each round, so that
 * no node waits longer than two rounds (SWIM §4.3). Whoever is to be looked at soon gets every second turn,
 * so that the others get theirs.
 */
export class ProbeOrderState {
  readonly #random: Random;
  readonly #all = new Set<string>();
  readonly #soon = new Set<string>();
  #round: string[] = [];
  #wasSoon = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A new node takes any place in the round. */
  add(node: string): void {
    if (this.#all.has(node)) return;
    this.#all.add(node);
    this.#round.splice(this.#random.int(this.#round.length + 1), 0, node);
  }

  remove(node: string): void {
    this.#all.delete(node);
    this.#soon.delete(node);
    this.#round = this.#round.filter((each) => each !== node);
  }

  /** Is to be looked at soon. */
  prefer(node: string): void {
    if (this.#all.has(node)) this.#soon.add(node);
  }

  next(): string | undefined {
    const [urgent] = this.#soon;
    this.#wasSoon = urgent !== undefined && !this.#wasSoon;
    if (urgent !== undefined && this.#wasSoon) {
      this.#soon.delete(urgent);
      return urgent;
    }
    if (this.#round.length === 0) this.#round = shuffled([...this.#all], this.#random);
    const next = this.#round.pop();
    if (next !== undefined) this.#soon.delete(next);
    return next;
  }
}

/** Some of a list, each with the same probability. */
export function draw<T>(items: readonly T[], count: number, random: Random): readonly T[] {
  return shuffled(items, random).slice(0, count);
}

/** Each item takes any place among those before it: all orders have the same probability. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const all: T[] = [];
  for (const item of items) all.splice(random.int(all.length + 1), 0, item);
  return all;
}
