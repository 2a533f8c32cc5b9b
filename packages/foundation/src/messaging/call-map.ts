/** Entries of nobody. */
const fillers = 64;

/**
 * Calls by number. A `Map` that gains and loses its only entry, as with one call after the other, is made anew
 * each time, so that this one is never empty: numbers of calls are not negative.
 */
export class CallMap<Call> {
  readonly #calls = new Map<number, Call | undefined>(
    Array.from({ length: fillers }, (_, index) => [-1 - index, undefined]),
  );

  get size(): number {
    return this.#calls.size - fillers;
  }

  get(id: number): Call | undefined {
    return this.#calls.get(id);
  }

  set(id: number, call: Call): void {
    this.#calls.set(id, call);
  }

  delete(id: number): void {
    this.#calls.delete(id);
  }

  *values(): Generator<Call> {
    for (const call of this.#calls.values()) if (call !== undefined) yield call;
  }
}
