import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/manual-clock.ts';
import { Deadlines, tickMs, type Due } from './deadlines.ts';

class Entry implements Due {
  dueTick = 0;
  before: Due | undefined = undefined;
  after: Due | undefined = undefined;
  readonly expire: () => void;

  constructor(expire: () => void = () => {}) {
    this.expire = expire;
  }
}

function setUp(): { readonly clock: ManualClock; readonly deadlines: Deadlines } {
  const clock = new ManualClock();
  return { clock, deadlines: new Deadlines(clock) };
}

describe('deadlines', () => {
  it('never come early, and late by at most two ticks', () => {
    const delays = fc.array(fc.tuple(fc.nat(3_000), fc.nat(8_000)), { maxLength: 20 });
    fc.assert(
      fc.property(delays, (given) => {
        const { clock, deadlines } = setUp();
        const lateness: number[] = [];
        for (const [pauseMs, delayMs] of given) {
          clock.jump(pauseMs);
          const dueAt = clock.now() + delayMs;
          deadlines.add(
            new Entry(() => lateness.push(clock.now() - dueAt)),
            deadlines.tickIn(delayMs),
          );
        }
        clock.jump(10_000);
        expect(lateness).toHaveLength(given.length);
        for (const lateMs of lateness) expect(lateMs).toBeGreaterThanOrEqual(0);
        for (const lateMs of lateness) expect(lateMs).toBeLessThanOrEqual(2 * tickMs);
      }),
    );
  });

  it('are forgotten once removed, also when removed twice', () => {
    const { clock, deadlines } = setUp();
    let expired = 0;
    const [one, other] = [new Entry(() => expired++), new Entry(() => expired++)];
    deadlines.add(one, deadlines.tickIn(50));
    deadlines.add(other, deadlines.tickIn(50));
    deadlines.remove(one);
    deadlines.remove(one);
    expect(deadlines.count).toBe(1);
    clock.jump(1_000);
    expect(expired).toBe(1);
    expect(deadlines.count).toBe(0);
  });

  it('go on when one that comes removes the next of the same moment', () => {
    const { clock, deadlines } = setUp();
    const expired: string[] = [];
    const second = new Entry(() => expired.push('second'));
    const first = new Entry(() => {
      expired.push('first');
      deadlines.remove(second);
    });
    const third = new Entry(() => expired.push('third'));
    for (const each of [first, second, third]) deadlines.add(each, deadlines.tickIn(100));
    clock.jump(200);
    expect(expired).toEqual(['first', 'third']);
    deadlines.add(new Entry(() => expired.push('fourth')), deadlines.tickIn(100));
    clock.jump(200);
    expect(expired).toEqual(['first', 'third', 'fourth']);
  });

  it('tell how much time is left', () => {
    const { clock, deadlines } = setUp();
    const entry = new Entry();
    deadlines.add(entry, deadlines.tickIn(1_000));
    expect(deadlines.remainingMs(entry.dueTick)).toBe(1_000);
    clock.jump(400);
    expect(deadlines.remainingMs(entry.dueTick)).toBe(600);
    clock.jump(5_000);
    expect(deadlines.remainingMs(entry.dueTick)).toBe(0);
  });

  it('do not count time in which the whole program stood still', () => {
    const { clock, deadlines } = setUp();
    let expired = false;
    deadlines.add(new Entry(() => (expired = true)), deadlines.tickIn(1_000));
    clock.jump(100);
    clock.stall(60_000);
    clock.jump(20);
    expect(expired).toBe(false);
    clock.jump(1_000);
    expect(expired).toBe(true);
  });

  it('never come early for what is added after a stop of the loop', () => {
    const given = fc.array(fc.tuple(fc.nat(300), fc.nat(500)), { maxLength: 20 });
    fc.assert(
      fc.property(given, (steps) => {
        const { clock, deadlines } = setUp();
        const lateness: number[] = [];
        deadlines.add(new Entry(), deadlines.tickIn(10_000));
        for (const [stallMs, delayMs] of steps) {
          clock.stall(stallMs);
          const dueAt = clock.now() + delayMs;
          deadlines.add(
            new Entry(() => lateness.push(clock.now() - dueAt)),
            deadlines.tickIn(delayMs),
          );
          clock.jump(stallMs % 7);
        }
        clock.jump(20_000);
        expect(lateness).toHaveLength(steps.length);
        for (const lateMs of lateness) expect(lateMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('need no timer while nobody waits', () => {
    const { clock, deadlines } = setUp();
    const entry = new Entry();
    deadlines.add(entry, deadlines.tickIn(1_000));
    expect(clock.pending).toBe(1);
    deadlines.remove(entry);
    clock.jump(1_000);
    expect(clock.pending).toBe(0);
  });
});
