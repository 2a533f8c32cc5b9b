/** Passes the newest of what is put in to one who iterates; what was not taken in time is skipped. */
export class Newest<T> {
  #value: { readonly value: T } | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  get isEmpty(): boolean {
    return this.#value === undefined;
  }

  put(value: T): void {
    this.#value = { value };
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    while (!this.#isEnded) {
      const next = this.#value;
      this.#value = undefined;
      if (next !== undefined) yield next.value;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
