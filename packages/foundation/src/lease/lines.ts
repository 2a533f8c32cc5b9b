/** The place of one who waits in a line; left when it is disposed of. */
export interface Place extends Disposable {
  /** Resolves when nobody is before it any more. */
  readonly turn: Promise<void>;
  /** Makes `turn` fail, unless it has come. */
  giveUp(error: unknown): void;
}

/** Lines of those who wait, one for each name: whoever came first is first. */
export class Lines {
  readonly #lines = new Map<string, Set<PromiseWithResolvers<void>>>();

  /** Takes the last place in a line. */
  join(name: string): Place {
    const line = this.#lines.get(name) ?? new Set();
    const place = Promise.withResolvers<void>();
    // Nobody may wait for it any more when it fails.
    place.promise.catch(() => {});
    this.#lines.set(name, line.add(place));
    if (line.size === 1) place.resolve();
    return {
      turn: place.promise,
      giveUp: place.reject,
      [Symbol.dispose]: () => {
        line.delete(place);
        const [first] = line;
        first?.resolve();
        if (line.size === 0) this.#lines.delete(name);
      },
    };
  }
}
