import { FoundationError } from '../errors.ts';

/**
 * A frame is 4 bytes of payload length (big-endian), 1 byte of kind, and the payload. One that is longer than
 * `partBytesMax` goes in parts, which are frames of their own: all but the last have `partFlag` in their kind.
 */
export const frameHeaderBytes = 5;

/** Largest payload of a part, in bytes: with its header it fills one record of TLS. */
export const partBytesMax = 16_384 - frameHeaderBytes;

/** Bit in the kind of a part that others follow. */
export const partFlag = 8;

/** Largest payload of a frame unless configured, in bytes. */
export const frameBytesMaxDefault = 16 * 2 ** 20;

/** Size from which a reassembly buffer is given back after use. */
const keptBytesMax = 65_536;

/** One frame as bytes of its own. */
export function encodeFrame(kind: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(kind, payload.length), payload]);
}

/** What stands before a payload. */
export function frameHeader(kind: number, payloadBytes: number): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderBytes);
  header.writeUInt32BE(payloadBytes);
  header[4] = kind;
  return header;
}

/** Writes a frame at `at`; the room must be there. */
export function writeFrame(
  target: Buffer,
  at: number,
  frame: { readonly kind: number; readonly payload: Uint8Array },
): void {
  target.writeUInt32BE(frame.payload.length, at);
  target[at + 4] = frame.kind;
  target.set(frame.payload, at + frameHeaderBytes);
}

/** Bytes that a payload takes with the headers of its parts. */
export function bytesInParts(payloadBytes: number): number {
  return payloadBytes + frameHeaderBytes * Math.max(1, Math.ceil(payloadBytes / partBytesMax));
}

/** Gives `put` the parts of a frame in their order; most frames are their only part. */
export function cutIntoParts(
  kind: number,
  payload: Uint8Array,
  put: (kind: number, part: Uint8Array) => void,
): void {
  let at = 0;
  for (; payload.length - at > partBytesMax; at += partBytesMax) {
    put(kind | partFlag, payload.subarray(at, at + partBytesMax));
  }
  put(kind, at === 0 ? payload : payload.subarray(at));
}

/** Refuses a frame past the limit. */
export function frameTooLarge(bytes: number, frameBytesMax: number): FoundationError {
  return new FoundationError(
    'FRAME_TOO_LARGE',
    `a frame of ${bytes} bytes, where ${frameBytesMax} are allowed`,
    { hint: 'Send large data in parts.', details: { bytes, frameBytesMax } },
  );
}

/** How far the frames of a stream have come. */
export interface Arrival {
  /** Complete ones, of those that did not lie within one chunk. */
  readonly frames: number;
  /** Bytes of one that is not complete. */
  readonly unfinishedBytes: number;
}

/**
 * Cuts a stream of chunks into frames. Frames that lie within one chunk are not copied; of a frame that
 * spans several, each byte is copied a bounded number of times, and memory grows only with what arrived,
 * never with what a header claims.
 */
export class FrameReader {
  /** Largest payload accepted, in bytes. May change between frames. */
  frameBytesMax: number;
  /** What `push` threw when the stream broke the limit. */
  failure: FoundationError | undefined;
  #kept: Buffer = Buffer.alloc(0);
  #keptBytes = 0;
  #completed = 0;

  constructor(frameBytesMax: number = frameBytesMaxDefault) {
    this.frameBytesMax = frameBytesMax;
  }

  get arrival(): Arrival {
    return { frames: this.#completed, unfinishedBytes: this.#keptBytes };
  }

  /**
   * Tells `onFrame` each frame that is complete now. Payloads are valid only during the call.
   *
   * @throws FoundationError `FRAME_TOO_LARGE`, kept as `failure`, as soon as a header announces too
   * much; the reader is of no use afterwards. And whatever `onFrame` throws.
   */
  push(chunk: Buffer, onFrame: (kind: number, payload: Buffer) => void): void {
    let at = this.#keptBytes === 0 ? 0 : this.#complete(chunk, onFrame);
    while (chunk.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + this.#payloadBytes(chunk, at);
      if (end > chunk.length) break;
      onFrame(chunk[at + 4] ?? 0, chunk.subarray(at + frameHeaderBytes, end));
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length);
  }

  /** Goes on with the frame whose beginning was kept. Returns where the next one begins in `chunk`. */
  #complete(chunk: Buffer, onFrame: (kind: number, payload: Buffer) => void): number {
    const headerEnd = Math.min(Math.max(frameHeaderBytes - this.#keptBytes, 0), chunk.length);
    this.#keep(chunk, 0, headerEnd);
    if (this.#keptBytes < frameHeaderBytes) return chunk.length;
    const total = frameHeaderBytes + this.#payloadBytes(this.#kept, 0);
    const end = Math.min(headerEnd + total - this.#keptBytes, chunk.length);
    this.#keep(chunk, headerEnd, end);
    if (this.#keptBytes < total) return chunk.length;
    const frame = this.#kept.subarray(0, total);
    this.#keptBytes = 0;
    this.#completed++;
    if (this.#kept.length > keptBytesMax) this.#kept = Buffer.alloc(0);
    onFrame(frame[4] ?? 0, frame.subarray(frameHeaderBytes));
    return end;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const needed = this.#keptBytes + to - from;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length, 1_024));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptBytes, from, to);
    this.#keptBytes = needed;
    if (needed >= frameHeaderBytes) this.#payloadBytes(this.#kept, 0);
  }

  #payloadBytes(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at);
    if (length <= this.frameBytesMax) return length;
    this.failure = frameTooLarge(length, this.frameBytesMax);
    throw this.failure;
  }
}
