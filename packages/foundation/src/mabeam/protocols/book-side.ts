import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type { OrderSide } from './orders.ts';

/** An order that waits in a book. */
export interface RestingOrder {
  readonly id: number;
  readonly agent: AgentId;
  readonly side: OrderSide;
  readonly limit: Amount;
  /** Units that have not been traded yet; above 0. */
  readonly left: number;
}

/** All that rests at one price. */
export interface DepthLevel {
  readonly price: Amount;
  readonly units: number;
}

/** An order in the queue of its price. */
export interface Entry extends RestingOrder {
  readonly level: Level;
  left: number;
  before?: Entry | undefined;
  after?: Entry | undefined;
}

/** A price, and who waits at it. */
interface Level {
  readonly price: Amount;
  units: number;
  first?: Entry | undefined;
  last?: Entry | undefined;
}

/** Most prices of a page. */
const pageMax = 512;

/** Orders of one side: a queue for each price, and the prices in order. */
export class BookSide {
  readonly #isBuy: boolean;
  /**
   * Worst price first, so that the best one is taken off without moving the others. In pages, so that a new price moves
   * a few others and not all of them.
   */
  readonly #pages: Level[][] = [];
  readonly #byPrice = new Map<Amount, Level>();

  constructor(side: OrderSide) {
    this.#isBuy = side === 'buy';
  }

  /** The oldest order at the best price. */
  get first(): Entry | undefined {
    return this.#pages.at(-1)?.at(-1)?.first;
  }

  /** Puts an order behind all others of its price. */
  add(order: Omit<RestingOrder, 'left'>, left: number): Entry {
    const level = this.#byPrice.get(order.limit) ?? this.#open(order.limit);
    const entry: Entry = { ...order, left, level, before: level.last };
    if (level.last === undefined) level.first = entry;
    else level.last.after = entry;
    level.last = entry;
    level.units += left;
    return entry;
  }

  /** Takes fewer units than are left of it. */
  fill(entry: Entry, units: number): void {
    entry.left -= units;
    entry.level.units -= units;
  }

  remove(entry: Entry): void {
    const { after, before, level } = entry;
    if (before === undefined) level.first = after;
    else before.after = after;
    if (after === undefined) level.last = before;
    else after.before = before;
    level.units -= entry.left;
    if (level.first === undefined) this.#close(level);
  }

  /** Best first. */
  depth(levelsMax: number): readonly DepthLevel[] {
    const levels: DepthLevel[] = [];
    for (const page of this.#pages.toReversed()) {
      for (const { price, units } of page.toReversed()) {
        if (levels.length === levelsMax) return levels;
        levels.push({ price, units });
      }
    }
    return levels;
  }

  #open(price: Amount): Level {
    const level: Level = { price, units: 0 };
    this.#byPrice.set(price, level);
    const at = this.#pageOf(price);
    const page = this.#pages[at];
    if (page === undefined) this.#pages.push([level]);
    else {
      page.splice(this.#placeIn(page, price), 0, level);
      if (page.length > pageMax) this.#pages.splice(at + 1, 0, page.splice(pageMax / 2));
    }
    return level;
  }

  #close({ price }: Level): void {
    this.#byPrice.delete(price);
    const at = this.#pageOf(price);
    const page = this.#pages[at] ?? [];
    page.splice(this.#placeIn(page, price), 1);
    if (page.length === 0) this.#pages.splice(at, 1);
  }

  /** The last page that begins before a price or with it; the first if there is none. */
  #pageOf(price: Amount): number {
    let [low, high] = [0, this.#pages.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const begin = this.#pages[middle]?.[0]?.price ?? price;
      if (this.#isBefore(price, begin)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /** Where a price is in a page, or would be. */
  #placeIn(page: readonly Level[], price: Amount): number {
    let [low, high] = [0, page.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(page[middle]?.price ?? price, price)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a price is worse than another one. */
  #isBefore(price: Amount, other: Amount): boolean {
    return this.#isBuy ? price < other : price > other;
  }
}
