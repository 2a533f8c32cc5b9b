import type { Lane } from '../transport.ts';

/** Which lane a frame takes where whole lanes leave one after the other. */
export class LaneOrder {
  /** Receivers of frames on the bulk lane. */
  readonly #inBulk = new Set<number>();

  /** The lane that was wanted, unless the frame would overtake one to the same receiver there. */
  laneOf(wanted: Lane, to: number | undefined): Lane {
    if (wanted === 'control' || to === undefined) return wanted;
    if (wanted === 'bulk') this.#inBulk.add(to);
    return this.#inBulk.has(to) ? 'bulk' : 'normal';
  }

  /** All that waited has left. */
  clear(): void {
    this.#inBulk.clear();
  }
}
