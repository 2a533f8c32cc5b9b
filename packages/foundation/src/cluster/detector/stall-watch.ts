import type { Clock, Timer } from '../../clock.ts';
import type { DetectorBoard } from './detector-board.ts';

/** Milliseconds between two beats of the main thread. */
export const beatMs = 500;
/** Milliseconds without a beat, after which the main thread's event loop counts as standing still. */
export const stalledAfterMs = 1_000;

/** Tells, in the thread of the probes, whether the main thread's event loop comes round. */
export class StallWatch {
  readonly #timer: Timer;

  constructor(board: DetectorBoard, clock: Clock, onChange: (isStalled: boolean) => void) {
    let [beats, quietMs, lookedMs] = [board.beats, 0, clock.now()];
    this.#timer = clock.every(beatMs, () => {
      const nowMs = clock.now();
      // When this thread has slept, too, it was the whole program that did.
      const passedMs = nowMs - lookedMs < 2 * beatMs ? nowMs - lookedMs : 0;
      const before = quietMs;
      quietMs = board.beats === beats ? quietMs + passedMs : 0;
      [beats, lookedMs] = [board.beats, nowMs];
      const isStalled = quietMs >= stalledAfterMs;
      if (isStalled !== before >= stalledAfterMs) onChange(isStalled);
    });
  }

  stop(): void {
    this.#timer.cancel();
  }
}
