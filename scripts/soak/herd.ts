import type { Random } from '@foundation/core';

/** Some of what lives, to choose from; who has ended is found out by whoever asks it. */
export class Herd<Ref extends { readonly pid: unknown }> {
  readonly #max: number;
  #refs: Ref[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#refs.length >= this.#max;
  }

  add(ref: Ref): void {
    if (!this.isFull) this.#refs.push(ref);
  }

  /** Anyone; the name of a ref may lead nowhere at the moment. */
  any(dice: Random): Ref | undefined {
    return this.#refs[dice.int(this.#refs.length)];
  }

  /** Takes anyone out. */
  take(dice: Random): Ref | undefined {
    const at = dice.int(this.#refs.length);
    const ref = this.#refs[at];
    const last = this.#refs.pop();
    if (last !== undefined && last !== ref) this.#refs[at] = last;
    return ref;
  }

  forget(ref: Ref): void {
    const at = this.#refs.indexOf(ref);
    if (at >= 0) this.#refs.splice(at, 1);
  }

  clear(): void {
    this.#refs = [];
  }
}
