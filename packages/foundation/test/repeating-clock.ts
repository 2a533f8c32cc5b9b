import type { Timer } from '../src/clock.ts';
import { ManualClock } from './manual-clock.ts';

/** A manual clock on which things repeat. */
export class RepeatingClock extends ManualClock {
  override every(periodMs?: number, action?: () => void): Timer {
    let timer: Timer = { cancel() {} };
    const again = (): void => {
      timer = this.after(periodMs ?? 0, () => {
        again();
        action?.();
      });
    };
    again();
    return { cancel: () => timer.cancel() };
  }
}
