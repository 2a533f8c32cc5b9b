import { rumoursMax, type Rumour } from './swim-message.ts';

/**
 * How often a rumour is told by each node, and so much more often for each power of ten of nodes. When
 * each of n nodes tells k others at random, it misses one with probability e⁻ᵏ.
 */
const tellingsFactor = 4;

/**
 * What a node has heard and passes on with its messages: the newest of each node, the least told first,
 * each a bounded number of times (SWIM; Das, Gupta, Motivala 2002, §4.1).
 */
export class RumoursState {
  readonly #waiting = new Map<string, { readonly rumour: Rumour; tellings: number }>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Takes the place of what was known of the same node. */
  add(rumour: Rumour): void {
    this.#waiting.delete(rumour.about.node);
    this.#waiting.set(rumour.about.node, { rumour, tellings: 0 });
  }

  /**
   * What goes with the next message.
   *
   * @param nodes - How many are in the cluster.
   * @param first - What this receiver must hear in any case.
   */
  next(nodes: number, first: readonly Rumour[] = []): readonly Rumour[] {
    const tellingsMax = Math.ceil(tellingsFactor * (1 + Math.log10(nodes)));
    const chosen = [...this.#waiting.values()]
      .filter(({ rumour }) => !first.some(({ about }) => about.node === rumour.about.node))
      .toSorted((a, b) => a.tellings - b.tellings)
      .slice(0, rumoursMax - first.length);
    for (const each of chosen) {
      each.tellings++;
      if (each.tellings >= tellingsMax) this.#waiting.delete(each.rumour.about.node);
    }
    return [...first, ...chosen.map(({ rumour }) => rumour)];
  }
}
