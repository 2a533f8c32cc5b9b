/**
 * A moment that orders events across nodes: wall time where clocks agree, causality where they do
 * not. Source: Kulkarni et al. 2014, hybrid logical clocks.
 */
export interface Stamp {
  readonly wallMs: number;
  /** Orders events of the same millisecond. */
  readonly count: number;
}

/** Later than both what was seen last and, where clocks are right, everything before now. */
export function nextStamp(last: Stamp, wallNow: number): Stamp {
  const wallMs = Math.floor(wallNow);
  return wallMs > last.wallMs
    ? { wallMs, count: 0 }
    : { wallMs: last.wallMs, count: last.count + 1 };
}

/** Negative when `a` is earlier. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.wallMs - b.wallMs || a.count - b.count;
}

/** The later of two. */
export function laterStamp(a: Stamp, b: Stamp): Stamp {
  return compareStamps(a, b) < 0 ? b : a;
}

export const firstStamp: Stamp = { wallMs: 0, count: 0 };
