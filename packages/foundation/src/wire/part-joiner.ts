import { release } from './release.ts';

/** Room for the first parts, in bytes. */
const firstBytes = 65_536;

/**
 * Puts the frames of one lane together that come in parts. Memory grows only with what arrived; each byte
 * is copied a bounded number of times.
 */
export class PartJoiner {
  readonly #frameBytesMax: number;
  #buffer: Buffer | undefined;
  #bytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get isEmpty(): boolean {
    return this.#buffer === undefined;
  }

  /** Bytes of the frame so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a part behind those before it; false when the frame becomes larger than the limit. */
  add(part: Buffer): boolean {
    const bytes = this.#bytes + part.length;
    if (bytes > this.#frameBytesMax) return false;
    const buffer = this.#buffer ?? Buffer.allocUnsafeSlow(firstBytes);
    this.#buffer = bytes > buffer.length ? this.#grow(buffer, bytes) : buffer;
    part.copy(this.#buffer, this.#bytes);
    this.#bytes = bytes;
    return true;
  }

  /** Gives `use` the frame, which is valid only during the call, and begins anew. */
  finish(use: (frame: Buffer) => void): void {
    const buffer = this.#buffer ?? Buffer.alloc(0);
    const frame = buffer.subarray(0, this.#bytes);
    this.#buffer = undefined;
    this.#bytes = 0;
    use(frame);
    release(buffer);
  }

  #grow(buffer: Buffer, bytes: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * buffer.length));
    buffer.copy(grown, 0, 0, this.#bytes);
    release(buffer);
    return grown;
  }
}
