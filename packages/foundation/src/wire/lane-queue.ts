import { bytesInParts, cutIntoParts, frameHeaderBytes, writeFrame } from './frame.ts';

/** Room for the frames of many turns; what was written out of it is never written again. */
const slabBytes = 65_536;

/** Bytes that leave together. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Called when nobody needs the bytes any more. */
  readonly onWritten?: () => void;
}

/** Frames of one lane, packed into few pieces. */
export class LaneQueue {
  /** Bytes that were ever put in, and taken out. */
  pushedBytes = 0;
  takenBytes = 0;
  readonly #bytesMax: number;
  readonly #full: Buffer[] = [];
  readonly #append = (kind: number, payload: Uint8Array): void => {
    const size = frameHeaderBytes + payload.length;
    if (this.#end + size > this.#slab.length) this.#renew();
    writeFrame(this.#slab, this.#end, { kind, payload });
    this.#end += size;
    this.pushedBytes += size;
  };
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.pushedBytes - this.takenBytes;
  }

  isFullFor(payloadBytes: number): boolean {
    return this.bytes > 0 && this.bytes + bytesInParts(payloadBytes) > this.#bytesMax;
  }

  push(kind: number, payload: Uint8Array): void {
    cutIntoParts(kind, payload, this.#append);
  }

  /** Whole frames, at most a slab of them. */
  take(): Piece | undefined {
    const bytes = this.#full.length > 0 ? this.#full.shift() : this.#cut();
    if (bytes === undefined) return undefined;
    this.takenBytes += bytes.length;
    return { bytes };
  }

  #renew(): void {
    const rest = this.#cut();
    if (rest !== undefined) this.#full.push(rest);
    this.#slab = Buffer.allocUnsafeSlow(slabBytes);
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): Buffer | undefined {
    if (this.#start === this.#end) return undefined;
    const piece = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return piece;
  }
}
