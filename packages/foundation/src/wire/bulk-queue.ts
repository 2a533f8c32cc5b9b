import { bytesInParts, cutIntoParts, frameHeaderBytes, partBytesMax, writeFrame } from './frame.ts';
import type { Piece } from './lane-queue.ts';
import { release } from './release.ts';

/** Most that leaves at a time: whole parts. */
const pieceBytes = 4 * (frameHeaderBytes + partBytesMax);

/** A frame, cut into parts, of which some may have left. */
interface Waiting {
  readonly bytes: Buffer;
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
 * because they have the same receiver. Each has a buffer of its own.
 */
export class BulkQueue {
  readonly #bytesMax: number;
  readonly #frames: Waiting[] = [];
  /** Where the last frame to a receiver ends, the earliest first. */
  readonly #ends = new Map<number, number>();
  #pushedBytes = 0;
  #takenBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
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

  push(kind: number, payload: Uint8Array, { to, afterBytes }: Turn): void {
    const bytes = Buffer.allocUnsafeSlow(bytesInParts(payload.length));
    let end = 0;
    cutIntoParts(kind, payload, (partKind, part) => {
      writeFrame(bytes, end, { kind: partKind, payload: part });
      end += frameHeaderBytes + part.length;
    });
    this.#frames.push({ bytes, at: 0, afterBytes });
    this.#pushedBytes += bytes.length;
    if (to === undefined) return;
    this.#ends.delete(to);
    this.#ends.set(to, this.#pushedBytes);
  }

  /** Whole parts of the first frame, unless what must go before it has not left. */
  take(normalTakenBytes: number): Piece | undefined {
    const [first] = this.#frames;
    if (first === undefined || first.afterBytes > normalTakenBytes) return undefined;
    const bytes = first.bytes.subarray(first.at, first.at + pieceBytes);
    first.at += bytes.length;
    this.#takenBytes += bytes.length;
    for (const [to, end] of this.#ends) {
      if (end > this.#takenBytes) break;
      this.#ends.delete(to);
    }
    if (first.at < first.bytes.length) return { bytes };
    this.#frames.shift();
    return { bytes, onWritten: () => release(first.bytes) };
  }
}
