/** Items in a fixed order, smallest first. Inserting costs O(log n) comparisons and one move of memory; taking the first O(1). */
export class ReadyQueue<T> {
  readonly #compare: (a: T, b: T) => number;
  /** Largest first, so that the next item is at the cheap end. */
  readonly #items: T[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && this.#compare(other, item) > 0) low = middle + 1;
      else high = middle;
    }
    this.#items.splice(low, 0, item);
  }

  /** Takes the first item out. */
  shift(): T | undefined {
    return this.#items.pop();
  }
}
