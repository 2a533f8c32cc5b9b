import type { Random } from '@foundation/core';

/** What happens to frames on their way from one host to another. Nothing, by default. */
export interface PathConditions {
  /** Nothing passes. @defaultValue false */
  readonly isCut?: boolean;
  /** Share of frames that are lost, from 0 to 1. @defaultValue 0 */
  readonly lossRatio?: number;
  /** Milliseconds that each frame takes longer. @defaultValue 0 */
  readonly delayMs?: number;
  /** Up to so many milliseconds more, drawn for each frame; their order is kept. @defaultValue 0 */
  readonly jitterMs?: number;
  /** Share of frames that arrive twice, from 0 to 1. @defaultValue 0 */
  readonly duplicateRatio?: number;
  /** Share of frames, from 0 to 1, that are held back for 10 ms more, so that others overtake them. @defaultValue 0 */
  readonly reorderRatio?: number;
  /** What does not fit waits; what would wait for longer than half a second is lost. @defaultValue Infinity */
  readonly bytesPerSecond?: number;
}

/** How many frames a path was given, and what became of them. */
export interface PathTraffic {
  readonly sent: number;
  /** Kept off by a cut. */
  readonly cut: number;
  readonly lost: number;
  readonly delayed: number;
  readonly duplicated: number;
  readonly reordered: number;
}

export const wellPath: Required<PathConditions> = {
  isCut: false,
  lossRatio: 0,
  delayMs: 0,
  jitterMs: 0,
  duplicateRatio: 0,
  reorderRatio: 0,
  bytesPerSecond: Infinity,
};

/** What is counted of each path, in the order in which the counts are kept. */
export const trafficKinds = ['sent', 'cut', 'lost', 'delayed', 'duplicated', 'reordered'] as const;

const heldBackMs = 10;
/** A frame that would have to wait longer than this for its turn is lost, in milliseconds. */
const waitMaxMs = 500;

/** The way from one host to another: what becomes of each frame, by chance from a seed. */
export class Path {
  readonly #random: Random;
  readonly #counts: Float64Array;
  #conditions = wellPath;
  /** When the line has sent all it was given. */
  #freeAtMs = 0;
  /** When the latest frame arrives: none overtakes it unless it is held back. */
  #arrivesAtMs = 0;

  /** @param counts - Where it counts, see {@link trafficKinds}: may be shared with another thread. */
  constructor(random: Random, counts: Float64Array = new Float64Array(trafficKinds.length)) {
    this.#random = random;
    this.#counts = counts;
  }

  /** So far. */
  get traffic(): PathTraffic {
    return trafficIn(this.#counts);
  }

  /** Changes the conditions that are given, and leaves the others. */
  impair(conditions: PathConditions): void {
    this.#conditions = { ...this.#conditions, ...conditions };
  }

  heal(): void {
    this.#conditions = wellPath;
  }

  /**
   * When the copies of a frame arrive that is sent now; none for one that is lost.
   *
   * @param nowMs - Of a clock that does not go back.
   */
  arrivals(bytes: number, nowMs: number): readonly number[] {
    const { isCut, lossRatio, duplicateRatio } = this.#conditions;
    this.#count('sent');
    if (isCut) {
      this.#count('cut');
      return [];
    }
    const leavesAtMs = this.#leave(bytes, nowMs);
    if (this.#happens(lossRatio) || leavesAtMs - nowMs > waitMaxMs) {
      this.#count('lost');
      return [];
    }
    const first = this.#travel(leavesAtMs);
    if (first > nowMs) this.#count('delayed');
    if (!this.#happens(duplicateRatio)) return [first];
    this.#count('duplicated');
    return [first, this.#travel(leavesAtMs)];
  }

  /** Takes its turn on a line of limited speed. */
  #leave(bytes: number, nowMs: number): number {
    const { bytesPerSecond } = this.#conditions;
    if (bytesPerSecond === Infinity) return nowMs;
    const leavesAtMs = Math.max(this.#freeAtMs, nowMs) + (1_000 * bytes) / bytesPerSecond;
    if (leavesAtMs - nowMs <= waitMaxMs) this.#freeAtMs = leavesAtMs;
    return leavesAtMs;
  }

  #travel(leavesAtMs: number): number {
    const { delayMs, jitterMs, reorderRatio } = this.#conditions;
    const atMs = leavesAtMs + delayMs + (jitterMs === 0 ? 0 : jitterMs * this.#random.next());
    if (this.#happens(reorderRatio)) {
      this.#count('reordered');
      return atMs + heldBackMs;
    }
    // Without delay nothing waits behind what was delayed earlier.
    if (delayMs === 0 && jitterMs === 0) return atMs;
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, atMs);
    return this.#arrivesAtMs;
  }

  #count(kind: keyof PathTraffic): void {
    const index = trafficKinds.indexOf(kind);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  #happens(ratio: number): boolean {
    return ratio > 0 && this.#random.next() < ratio;
  }
}

/** Counts by their names. */
export function trafficIn(counts: Float64Array): PathTraffic {
  const [sent = 0, cut = 0, lost = 0, delayed = 0, duplicated = 0, reordered = 0] = counts;
  return { sent, cut, lost, delayed, duplicated, reordered };
}
