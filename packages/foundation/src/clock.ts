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

/** The longest delay that the timers of Node take. */
const longestMs = 2 ** 31 - 1;

/** The real clock. Delays may be of any length; an infinite one never ends. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, action, kind = 'foreground') {
    let handle: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const isLast = leftMs <= longestMs;
      handle = isLast
        ? setTimeout(action, leftMs)
        : setTimeout(wait, longestMs, leftMs - longestMs);
      if (kind === 'background') handle.unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, action) {
    if (periodMs > longestMs) return everyLong(periodMs, action);
    const handle = setInterval(action, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

function everyLong(periodMs: number, action: () => void): Timer {
  let timer: Timer;
  const wait = (): void => {
    timer = systemClock.after(periodMs, fire, 'background');
  };
  const fire = (): void => {
    wait();
    action();
  };
  wait();
  return { cancel: () => timer.cancel() };
}

/** Settles after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
