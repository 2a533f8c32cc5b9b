import { bytesInParts, frameHeader, frameHeaderBytes, partBytesMax, partFlag } from './frame.ts';

/** Most parts that leave at a time. */
const partsMax = 4;

/** A frame, of which some parts may have left. */
interface Waiting {
  readonly payload: Uint8Array;
  /** Where the next part begins. */
  at: number;
  /** So much of the normal lane must have left before. */
  readonly afterBytes: number;
}

/** For whom a frame is, and what was there before it. */
export interface Turn {
  /** Number of the receiver, if the order with others to it counts. */
  readonly to: number | undefined;
  /** So much of the normal lane leaves first. */
  readonly afterBytes: number;
}

/**
 * The bulk lane: large frames, that leave piece by piece, and those that must not overtake one of them
 * because they have the same receiver. Frames are not copied.
 */
export class BulkQueue {
  readonly #kind: number;
  readonly #bytesMax: number;
  /** Header of every part that others follow. */
  readonly #partHeader: Buffer;
  readonly #frames: Waiting[] = [];
  /** Where the last frame to a receiver ends, the earliest first. */
  readonly #ends = new Map<number, number>();
  #pushedBytes = 0;
  #takenBytes = 0;

  constructor(kind: number, bytesMax: number) {
    this.#kind = kind;
    this.#bytesMax = bytesMax;
    this.#partHeader = frameHeader(kind | partFlag, partBytesMax);
  }

  get bytes(): number {
    return this.#pushedBytes - this.#takenBytes;
  }

  /** Whether a frame to a receiver has not left yet. */
  holds(to: number): boolean {
    return this.#ends.has(to);
  }

  isFullFor(payloadBytes: number): boolean {
    return this.bytes > 0 && this.bytes + bytesInParts(payloadBytes) > this.#bytesMax;
  }

  push(payload: Uint8Array, { to, afterBytes }: Turn): void {
    this.#frames.push({ payload, at: 0, afterBytes });
    this.#pushedBytes += bytesInParts(payload.length);
    if (to === undefined) return;
    this.#ends.delete(to);
    this.#ends.set(to, this.#pushedBytes);
  }

  /** Some parts of the first frame, unless what must go before it has not left. */
  take(normalTakenBytes: number): readonly Uint8Array[] | undefined {
    const [first] = this.#frames;
    if (first === undefined || first.afterBytes > normalTakenBytes) return undefined;
    const pieces: Uint8Array[] = [];
    for (let part = 0; part < partsMax && this.#frames[0] === first; part++) {
      pieces.push(...this.#cut(first));
    }
    for (const [to, end] of this.#ends) {
      if (end > this.#takenBytes) break;
      this.#ends.delete(to);
    }
    return pieces;
  }

  /** Header and content of the next part; with the last one the frame has gone. */
  #cut(frame: Waiting): readonly Uint8Array[] {
    const { payload, at } = frame;
    const length = Math.min(payload.length - at, partBytesMax);
    this.#takenBytes += frameHeaderBytes + length;
    frame.at += length;
    const part = payload.subarray(at, frame.at);
    if (frame.at < payload.length) return [this.#partHeader, part];
    this.#frames.shift();
    return [frameHeader(this.#kind, length), part];
  }
}
