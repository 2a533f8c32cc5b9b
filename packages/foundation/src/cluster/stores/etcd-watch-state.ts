/** One change of a key. `isGone`: it was deleted. */
interface KeyChange {
  readonly key: string;
  readonly revision: number;
  readonly isGone: boolean;
}

/**
 * What a watch has told. A stream that is opened again tells some changes a second time, and values that are
 * fetched may be ahead of it. Whatever comes, each change is told once, and the versions told of a key only grow.
 */
export class WatchState {
  readonly #told = new Map<string, number>();
  #next = 0;

  /** The revision from which on changes are still to come. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes in the versions of all keys at a revision.
   *
   * @returns keys whose newest value is to be fetched, and those that are to be told gone
   */
  listed(
    found: ReadonlyMap<string, number>,
    revision: number,
  ): { readonly newer: readonly string[]; readonly gone: readonly string[] } {
    this.#next = revision + 1;
    const newer = [...found].filter(([key, version]) => version > (this.#told.get(key) ?? 0));
    const gone = [...this.#told.keys()].filter((key) => !found.has(key));
    for (const key of gone) this.#told.delete(key);
    return { newer: newer.map(([key]) => key), gone };
  }

  /** Takes in a value. @returns whether it is to be told */
  fetched(key: string, version: number): boolean {
    if (version <= (this.#told.get(key) ?? 0)) return false;
    this.#told.set(key, version);
    return true;
  }

  /** Takes in a change. @returns whether it is to be told */
  changed({ key, revision, isGone }: KeyChange): boolean {
    if (revision < this.#next) return false;
    this.#next = revision;
    if (!isGone) return this.fetched(key, revision);
    return revision > (this.#told.get(key) ?? Infinity) && this.#told.delete(key);
  }

  /** All changes of a revision are in. */
  finished(revision: number): void {
    this.#next = Math.max(this.#next, revision + 1);
  }
}
