import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from './clock.ts';

const dayMs = 86_400_000;

describe('the real clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits for as long as it is told, also for months', () => {
    const fired: string[] = [];
    systemClock.after(100 * dayMs, () => fired.push('once'));
    const cancelled = systemClock.after(100 * dayMs, () => fired.push('cancelled'));
    systemClock.after(Infinity, () => fired.push('never'));
    vi.advanceTimersByTime(50 * dayMs);
    cancelled.cancel();
    vi.advanceTimersByTime(50 * dayMs - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['once']);
    vi.advanceTimersByTime(300 * dayMs);
    expect(fired).toEqual(['once']);
  });

  it('repeats after as long as it is told', () => {
    let rounds = 0;
    const timer = systemClock.every(30 * dayMs, () => rounds++);
    vi.advanceTimersByTime(30 * dayMs - 1);
    expect(rounds).toBe(0);
    vi.advanceTimersByTime(60 * dayMs + 1);
    expect(rounds).toBe(3);
    timer.cancel();
    vi.advanceTimersByTime(60 * dayMs);
    expect(rounds).toBe(3);
  });
});
