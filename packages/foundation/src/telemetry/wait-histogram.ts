/** Buckets for each doubling of the time. */
const bucketsPerDoubling = 4;
/** The shortest time told apart from none, in milliseconds. */
const finestMs = 0.001;

/** How long things took, in buckets that grow by 19 %: small, however many there were. */
export class WaitHistogram {
  readonly #counts: number[] = [];
  count = 0;

  add(ms: number): void {
    const bucket = ms <= finestMs ? 0 : Math.ceil(Math.log2(ms / finestMs) * bucketsPerDoubling);
    while (this.#counts.length <= bucket) this.#counts.push(0);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count++;
  }

  /** The time that a share of all took at most, rounded up to its bucket; undefined where there were none. */
  quantileMs(share: number): number | undefined {
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return finestMs * 2 ** (bucket / bucketsPerDoubling);
    }
    return undefined;
  }
}
