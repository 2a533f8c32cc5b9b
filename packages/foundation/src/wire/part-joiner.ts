/** Buffers that are kept for the next frame, and the largest that is, in bytes. */
const keptMax = 4;
const keptBytesMax = 2 * 2 ** 20;
const firstBytes = 65_536;

/** Buffers in which frames are put together, for all links of a transport. */
export class JoinBuffers {
  readonly #kept: Buffer[] = [];

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(firstBytes);
  }

  give(buffer: Buffer): void {
    if (buffer.length <= keptBytesMax && this.#kept.length < keptMax) this.#kept.push(buffer);
  }
}

/**
 * Puts the frames of one lane together that come in parts. Memory grows only with what arrived; each byte
 * is copied a bounded number of times.
 */
export class PartJoiner {
  readonly #buffers: JoinBuffers;
  readonly #frameBytesMax: number;
  #buffer: Buffer | undefined;
  #bytes = 0;

  constructor(buffers: JoinBuffers, frameBytesMax: number) {
    this.#buffers = buffers;
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
    const buffer = this.#buffer ?? this.#buffers.take();
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
    this.#buffers.give(buffer);
  }

  #grow(buffer: Buffer, bytes: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * buffer.length));
    buffer.copy(grown, 0, 0, this.#bytes);
    return grown;
  }
}
