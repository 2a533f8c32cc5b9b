import type { Lane } from '../cluster/transport.ts';
import { frameBytesMaxDefault, frameHeaderBytes, frameTooLarge, writeFrame } from './frame.ts';

/** Kind byte of a lane's frames. */
export const laneKinds = { control: 0, normal: 1, bulk: 2 } as const satisfies Record<Lane, number>;

/** Lanes by kind byte, in the order in which they leave. */
export const lanes: readonly Lane[] = ['control', 'normal', 'bulk'];

export interface FrameWriterOptions {
  /** Takes bytes for good. False: no more, please, until `resume` is called. */
  readonly write: (bytes: Uint8Array) => boolean;
  /** Largest payload of a frame, in bytes. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
  /**
   * Bytes that the normal lane, and the bulk lane, may hold back for a slow peer; control frames have
   * a quarter of it for themselves. A lane that is empty takes any frame.
   *
   * @defaultValue 4 MiB
   */
  readonly queuedBytesMax?: number;
  /** Runs `flush` at the end of the turn. @defaultValue after all promise jobs of this turn */
  readonly schedule?: (flush: () => void) => void;
}

/**
 * Gathers the frames of a turn of the event loop and writes them together: control before normal before
 * bulk, each lane in order. While the sink is full frames wait here, where urgent ones can overtake.
 */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => boolean;
  readonly #schedule: (flush: () => void) => void;
  readonly #frameBytesMax: number;
  readonly #queues: Record<Lane, LaneQueue>;
  readonly #flush = (): void => this.flush();
  #scheduled = false;
  #blocked = false;

  constructor(options: FrameWriterOptions) {
    const queuedBytesMax = options.queuedBytesMax ?? 4 * 2 ** 20;
    this.#write = options.write;
    this.#schedule = options.schedule ?? afterTurn;
    this.#frameBytesMax = options.frameBytesMax ?? frameBytesMaxDefault;
    this.#queues = {
      control: new LaneQueue(queuedBytesMax / 4),
      normal: new LaneQueue(queuedBytesMax),
      bulk: new LaneQueue(queuedBytesMax),
    };
  }

  /** Bytes not yet written. */
  get queuedBytes(): number {
    const { control, normal, bulk } = this.#queues;
    return control.bytes + normal.bytes + bulk.bytes;
  }

  /**
   * Copies a frame into its lane.
   *
   * @returns false when the lane is full.
   * @throws FoundationError `FRAME_TOO_LARGE`.
   */
  send(lane: Lane, payload: Uint8Array): boolean {
    if (payload.length > this.#frameBytesMax) {
      throw frameTooLarge(payload.length, this.#frameBytesMax);
    }
    const queue = this.#queues[lane];
    if (queue.isFullFor(payload.length)) return false;
    queue.push(laneKinds[lane], payload);
    if (!this.#scheduled && !this.#blocked) {
      this.#scheduled = true;
      this.#schedule(this.#flush);
    }
    return true;
  }

  /** Puts a last frame behind everything that waits, whatever the bounds, and flushes. */
  finish(kind: number, payload: Uint8Array): void {
    this.#queues.bulk.push(kind, payload);
    this.flush();
  }

  /** Writes until nothing waits or the sink is full. */
  flush(): void {
    this.#scheduled = false;
    const { control, normal, bulk } = this.#queues;
    while (!this.#blocked) {
      const bytes = control.take() ?? normal.take() ?? bulk.take();
      if (bytes === undefined) return;
      this.#blocked = !this.#write(bytes);
    }
  }

  /** The sink has room again. */
  resume(): void {
    this.#blocked = false;
    this.flush();
  }
}

/**
 * Runs `flush` when the callback at hand and all promise jobs that follow from it have run: a reply leaves
 * some 10 µs earlier than with `setImmediate`, and 64 replies that settle together still leave together.
 */
function afterTurn(flush: () => void): void {
  void settled.then(() => process.nextTick(flush));
}

// A promise job costs a fraction of `queueMicrotask`, which makes an async resource each time.
const settled = Promise.resolve();

/** Room for the frames of many turns; what was written out of it is never written again. */
const slabBytes = 65_536;

/** Frames of one lane, packed into few large pieces. */
class LaneQueue {
  readonly #bytesMax: number;
  readonly #full: Buffer[] = [];
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  isFullFor(payloadBytes: number): boolean {
    return this.bytes > 0 && this.bytes + frameHeaderBytes + payloadBytes > this.#bytesMax;
  }

  push(kind: number, payload: Uint8Array): void {
    const size = frameHeaderBytes + payload.length;
    if (this.#end + size > this.#slab.length) this.#renew(size);
    writeFrame(this.#slab, this.#end, { kind, payload });
    this.#end += size;
    this.bytes += size;
  }

  take(): Buffer | undefined {
    const piece = this.#full.shift() ?? this.#cut();
    if (piece !== undefined) this.bytes -= piece.length;
    return piece;
  }

  #renew(size: number): void {
    const rest = this.#cut();
    if (rest !== undefined) this.#full.push(rest);
    this.#use(Buffer.allocUnsafeSlow(Math.max(slabBytes, size)));
  }

  #use(slab: Buffer): void {
    this.#slab = slab;
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): Buffer | undefined {
    if (this.#start === this.#end) return undefined;
    const piece = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#slab.length > slabBytes) this.#use(Buffer.alloc(0));
    return piece;
  }
}
