/** A message waiting in a mailbox; the queue runs through the messages themselves. */
export interface Queued {
  next: Queued | undefined;
}

/** First in, first out, without a bound of its own. An empty one costs four words. */
export class Mailbox<Item extends Queued> {
  #head: Item | undefined = undefined;
  #tail: Item | undefined = undefined;
  /** The last item known to be none that `removeOldest` looks for; all before it are none either. */
  #passed: Item | undefined = undefined;
  size = 0;

  /** The item that is next. */
  get first(): Item | undefined {
    return this.#head;
  }

  push(item: Item): void {
    if (this.#tail === undefined) this.#head = item;
    else this.#tail.next = item;
    this.#tail = item;
    this.size++;
  }

  /** Puts an item before all others. */
  unshift(item: Item): void {
    item.next = this.#head;
    this.#head = item;
    this.#tail ??= item;
    this.#passed = undefined;
    this.size++;
  }

  shift(): Item | undefined {
    const item = this.#head;
    if (item === undefined) return undefined;
    this.#head = item.next as Item | undefined;
    if (this.#head === undefined) this.#tail = undefined;
    if (this.#passed === item) this.#passed = undefined;
    item.next = undefined;
    this.size--;
    return item;
  }

  /** Puts all items of another mailbox before those here, in their order; the other is empty then. */
  prepend(other: Mailbox<Item>): void {
    if (other.#tail === undefined) return;
    other.#tail.next = this.#head;
    this.#head = other.#head;
    this.#tail ??= other.#tail;
    this.#passed = undefined;
    this.size += other.size;
    other.#head = undefined;
    other.#tail = undefined;
    other.#passed = undefined;
    other.size = 0;
  }

  /**
   * Removes the first item that `matches`, always the same question of a mailbox: what it has passed
   * over it does not look at again, so that a full mailbox costs no more than one that has room.
   */
  removeOldest(matches: (item: Item) => boolean): Item | undefined {
    for (;;) {
      const item = (this.#passed === undefined ? this.#head : this.#passed.next) as
        | Item
        | undefined;
      if (item === undefined) return undefined;
      if (matches(item)) return this.#cut(item);
      this.#passed = item;
    }
  }

  /** Takes out the item behind the last one passed. */
  #cut(item: Item): Item {
    const before = this.#passed;
    if (before === undefined) this.#head = item.next as Item | undefined;
    else before.next = item.next;
    if (this.#tail === item) this.#tail = before;
    item.next = undefined;
    this.size--;
    return item;
  }
}
