/** Something that is due. */
export interface Due {
  readonly atMs: number;
  /** Drawn by chance: orders what is due at the same moment. */
  readonly tie: number;
}

/** A binary heap: the earliest comes out first. */
export class EventHeap<Item extends Due> {
  readonly #items: Item[] = [];

  get next(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    let hole = this.#items.length;
    this.#items.push(item);
    while (hole > 0) {
      const parent = (hole - 1) >>> 1;
      const above = this.#items[parent];
      if (above === undefined || !isEarlier(item, above)) break;
      this.#items[hole] = above;
      hole = parent;
    }
    this.#items[hole] = item;
  }

  pop(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: Item): void {
    let hole = 0;
    for (;;) {
      const [child, below] = this.#earlierChild(hole);
      if (below === undefined || !isEarlier(below, item)) break;
      this.#items[hole] = below;
      hole = child;
    }
    this.#items[hole] = item;
  }

  #earlierChild(parent: number): readonly [number, Item | undefined] {
    const left = 2 * parent + 1;
    const [a, b] = [this.#items[left], this.#items[left + 1]];
    return a !== undefined && b !== undefined && isEarlier(b, a) ? [left + 1, b] : [left, a];
  }
}

function isEarlier(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}
