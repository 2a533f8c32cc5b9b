import { frameTooLarge } from './frame.ts';

/** Size from which a buffer is given back after use. */
const keptBytesMax = 65_536;

/**
 * Puts the frames of one lane together that come in parts. Memory grows only with what arrived; each byte
 * is copied a bounded number of times.
 */
export class PartJoiner {
  readonly #frameBytesMax: number;
  #kept: Buffer = Buffer.alloc(0);
  #keptBytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /**
   * The frame that is complete with this part, if it is the last; valid until the next call.
   *
   * @throws FoundationError `FRAME_TOO_LARGE`.
   */
  add(part: Buffer, isLast: boolean): Buffer | undefined {
    if (isLast && this.#keptBytes === 0) return part;
    this.#keep(part);
    if (!isLast) return undefined;
    const frame = this.#kept.subarray(0, this.#keptBytes);
    this.#keptBytes = 0;
    if (this.#kept.length > keptBytesMax) this.#kept = Buffer.alloc(0);
    return frame;
  }

  #keep(part: Buffer): void {
    const needed = this.#keptBytes + part.length;
    if (needed > this.#frameBytesMax) throw frameTooLarge(needed, this.#frameBytesMax);
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length, keptBytesMax));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    part.copy(this.#kept, this.#keptBytes);
    this.#keptBytes = needed;
  }
}
