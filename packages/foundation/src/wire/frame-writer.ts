import type { Lane } from '../cluster/transport.ts';
import { BulkQueue } from './bulk-queue.ts';
import {
  creditEveryBytes,
  creditKind,
  creditLanes,
  encodeCredit,
  windowBytes,
  type Credit,
  type CreditLane,
} from './credit.ts';
import { encodeFrame, frameBytesMaxDefault, frameTooLarge } from './frame.ts';
import { LaneQueue, type Piece } from './lane-queue.ts';

/** Kind byte of a lane's frames. */
export const laneKinds = { control: 0, normal: 1, bulk: 2 } as const satisfies Record<Lane, number>;

/** Lanes by kind byte, in the order in which they leave. */
export const lanes: readonly Lane[] = ['control', 'normal', 'bulk'];

export interface FrameWriterOptions {
  /** Takes a piece for good. False: no more, please, until `resume` is called. */
  readonly write: (piece: Piece) => boolean;
  /** Largest payload of a frame, in bytes. The bulk lane may hold back as much. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
  /**
   * Bytes that the normal lane may hold back for a slow peer; control frames have a quarter of it for
   * themselves. A lane that is empty takes any frame.
   *
   * @defaultValue 4 MiB
   */
  readonly queuedBytesMax?: number;
  /** Runs `flush` at the end of the turn. @defaultValue after all promise jobs of this turn */
  readonly schedule?: (flush: () => void) => void;
}

/** Bytes of the normal lane after which a piece of the bulk lane has its turn, if one waits. */
const normalRunBytesMax = 262_144;

/**
 * Gathers the frames of a turn of the event loop and writes them together: control before normal before
 * bulk, each lane in order. While the sink is full, or the peer has not handled what is on its way, frames
 * wait here, where urgent ones can overtake.
 */
export class FrameWriter {
  readonly #write: (piece: Piece) => boolean;
  readonly #schedule: (flush: () => void) => void;
  readonly #frameBytesMax: number;
  readonly #control: LaneQueue;
  readonly #normal: LaneQueue;
  readonly #bulk: BulkQueue;
  /** Bytes that may still be written. */
  readonly #credit: Record<CreditLane, number> = { ...windowBytes };
  /** Bytes of the peer's that were handled and that it has not been told of. */
  readonly #owed: Record<CreditLane, number> = { normal: 0, bulk: 0 };
  readonly #flush = (): void => this.flush();
  /** Bytes of the normal lane since a piece of the bulk lane had its turn. */
  #normalRunBytes = 0;
  #last: Uint8Array | undefined;
  #isOwing = false;
  #isScheduled = false;
  #isBlocked = false;

  constructor(options: FrameWriterOptions) {
    const queuedBytesMax = options.queuedBytesMax ?? 4 * 2 ** 20;
    this.#write = options.write;
    this.#schedule = options.schedule ?? afterTurn;
    this.#frameBytesMax = options.frameBytesMax ?? frameBytesMaxDefault;
    this.#control = new LaneQueue(queuedBytesMax / 4);
    this.#normal = new LaneQueue(queuedBytesMax);
    this.#bulk = new BulkQueue(Math.max(queuedBytesMax, this.#frameBytesMax));
  }

  /** Bytes not yet written. */
  get queuedBytes(): number {
    const lastBytes = this.#last?.length ?? 0;
    return this.#control.bytes + this.#normal.bytes + this.#bulk.bytes + lastBytes;
  }

  /**
   * Copies a frame into its lane.
   *
   * @param to - Number of the receiver: while a frame to it waits on the bulk lane, one on the normal
   * lane joins it there.
   * @returns false when the lane is full.
   * @throws FoundationError `FRAME_TOO_LARGE`.
   */
  send(lane: Lane, payload: Uint8Array, to?: number): boolean {
    if (payload.length > this.#frameBytesMax) {
      throw frameTooLarge(payload.length, this.#frameBytesMax);
    }
    const isBulk = lane === 'bulk' || (lane === 'normal' && this.#mustFollow(to));
    const isTaken = isBulk ? this.#pushBulk(payload, to) : this.#push(lane, payload);
    if (isTaken) this.#soon();
    return isTaken;
  }

  /** The peer has handled so much, and may be sent as much. */
  grant({ lane, bytes }: Credit): void {
    this.#credit[lane] = Math.min(this.#credit[lane] + bytes, windowBytes[lane]);
    this.flush();
  }

  /** So much of the peer's was handled here; it is told before it runs out of credit. */
  handled(lane: Lane, bytes: number): void {
    if (lane === 'control') return;
    this.#owed[lane] += bytes;
    if (this.#owed[lane] < creditEveryBytes[lane]) return;
    this.#isOwing = true;
    this.#soon();
  }

  /** Puts a last frame behind everything that waits, whatever the bounds, and flushes. */
  finish(kind: number, payload: Uint8Array): void {
    this.#last = encodeFrame(kind, payload);
    this.flush();
  }

  /** Writes until nothing waits that may leave, or the sink is full. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#isBlocked) return;
    if (this.#isOwing) this.#giveCredit();
    while (!this.#isBlocked) {
      const piece = this.#next() ?? this.#takeLast();
      if (piece === undefined) return;
      this.#isBlocked = !this.#write(piece);
    }
  }

  /** The sink has room again. */
  resume(): void {
    this.#isBlocked = false;
    this.flush();
  }

  #mustFollow(to: number | undefined): boolean {
    return to !== undefined && this.#bulk.holds(to);
  }

  #push(lane: 'control' | 'normal', payload: Uint8Array): boolean {
    const queue = lane === 'normal' ? this.#normal : this.#control;
    if (queue.isFullFor(payload.length)) return false;
    queue.push(laneKinds[lane], payload);
    return true;
  }

  #pushBulk(payload: Uint8Array, to: number | undefined): boolean {
    if (this.#bulk.isFullFor(payload.length)) return false;
    const afterBytes = to === undefined ? 0 : this.#normal.pushedBytes;
    this.#bulk.push(laneKinds.bulk, payload, { to, afterBytes });
    return true;
  }

  #soon(): void {
    if (this.#isScheduled || this.#isBlocked) return;
    this.#isScheduled = true;
    this.#schedule(this.#flush);
  }

  /** Control first; then normal, which leaves bulk a fifth while both have something. */
  #next(): Piece | undefined {
    const urgent = this.#control.take();
    if (urgent !== undefined) return urgent;
    const piece = this.#normalRunBytes < normalRunBytesMax ? this.#takeNormal() : undefined;
    if (piece !== undefined) return piece;
    this.#normalRunBytes = 0;
    return this.#takeBulk() ?? this.#takeNormal();
  }

  #takeNormal(): Piece | undefined {
    if (this.#credit.normal <= 0) return undefined;
    const piece = this.#normal.take();
    if (piece === undefined) return undefined;
    this.#credit.normal -= piece.bytes.length;
    this.#normalRunBytes += piece.bytes.length;
    return piece;
  }

  #takeBulk(): Piece | undefined {
    if (this.#credit.bulk <= 0) return undefined;
    const piece = this.#bulk.take(this.#normal.takenBytes);
    if (piece !== undefined) this.#credit.bulk -= piece.bytes.length;
    return piece;
  }

  #takeLast(): Piece | undefined {
    const bytes = this.#last;
    if (bytes === undefined || this.queuedBytes > bytes.length) return undefined;
    this.#last = undefined;
    return { bytes };
  }

  #giveCredit(): void {
    this.#isOwing = false;
    for (const lane of creditLanes) {
      const bytes = this.#owed[lane];
      if (bytes < creditEveryBytes[lane]) continue;
      this.#owed[lane] = 0;
      const credit = { lane, bytes: Math.min(bytes, windowBytes[lane]) };
      this.#control.push(creditKind, encodeCredit(credit));
    }
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
