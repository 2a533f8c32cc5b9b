/**
 * One run at a time for each key. Whoever asks while one goes on shares the next one with all others who do: it begins
 * after all of them have asked, so that for each it is as good as one of its own.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<
    string,
    { readonly running: Promise<T>; next: Promise<T> | undefined }
  >();

  run(key: string, action: () => Promise<T>): Promise<T> {
    const at = this.#runs.get(key);
    if (at === undefined) return this.#begin(key, action);
    at.next ??= at.running.then(
      () => this.#begin(key, action),
      () => this.#begin(key, action),
    );
    return at.next;
  }

  #begin(key: string, action: () => Promise<T>): Promise<T> {
    const running = action();
    const at = { running, next: undefined };
    this.#runs.set(key, at);
    const end = (): void => {
      if (this.#runs.get(key) === at && at.next === undefined) this.#runs.delete(key);
    };
    running.then(end, end);
    return running;
  }
}
