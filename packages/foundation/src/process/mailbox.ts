/** A message waiting in a mailbox; the queue runs through the messages themselves. */
export interface Queued {
  next: Queued | undefined;
}

/** First in, first out, without a bound of its own. An empty one costs three words. */
export class Mailbox<Item extends Queued> {
  #head: Item | undefined = undefined;
  #tail: Item | undefined = undefined;
  size = 0;

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
    this.size++;
  }

  shift(): Item | undefined {
    const item = this.#head;
    if (item === undefined) return undefined;
    this.#head = item.next as Item | undefined;
    if (this.#head === undefined) this.#tail = undefined;
    item.next = undefined;
    this.size--;
    return item;
  }

  /** Removes the first item that `matches`. */
  remove(matches: (item: Item) => boolean): Item | undefined {
    let previous: Item | undefined;
    for (let item = this.#head; item !== undefined; item = item.next as Item | undefined) {
      if (matches(item)) {
        if (previous === undefined) this.#head = item.next as Item | undefined;
        else previous.next = item.next;
        if (this.#tail === item) this.#tail = previous;
        item.next = undefined;
        this.size--;
        return item;
      }
      previous = item;
    }
    return undefined;
  }
}
