/** A running timer. */
export interface Timer {
  cancel(): void;
}

/** The only door to time. Tests and the simulator bring their own. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. Costs about 50 ns. */
  now(): number;
  /** Milliseconds since 1970, for people and for ordering across machines. */
  wallNow(): number;
  /** Runs `action` once after `delayMs`. A `background` timer does not keep the program alive. */
  after(delayMs: number, action: () => void, kind?: 'foreground' | 'background'): Timer;
  /** Runs `action` again and again, in the background. */
  every(periodMs: number, action: () => void): Timer;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, action, kind = 'foreground') {
    const handle = setTimeout(action, delayMs);
    if (kind === 'background') handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, action) {
    const handle = setInterval(action, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** Settles after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
