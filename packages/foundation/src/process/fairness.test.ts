import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

describe('processes on one event loop', () => {
  /** A process whose messages each take so many milliseconds of a clock that stands still otherwise. */
  function hogOf(clock: ManualClock, log: string[]) {
    return defineProcess('hog', {
      init: () => ({}),
      casts: {
        work: (_ctx, ms: number) => {
          clock.stall(ms);
          log.push('hog');
        },
      },
    });
  }
  const quick = (log: string[]) =>
    defineProcess('quick', { init: () => ({}), casts: { work: () => void log.push('quick') } });

  it('hold it no longer than their slice while others wait, a handler at work excepted', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    await using node = await alone({ clock, profile: 'production' });
    const hog = await node.processes.start(hogOf(clock, log));
    const other = await node.processes.start(quick(log));
    for (let count = 0; count < 50; count++) hog.cast.work(3);
    for (let count = 0; count < 50; count++) other.cast.work();
    await settled();
    while (log.length < 100) await settled();
    // Never two slow messages in a row as long as the other one has any.
    const last = log.lastIndexOf('quick');
    expect(log.slice(0, last).join(' ')).not.toContain('hog hog');
  });

  it('come round to timers and sockets after a few milliseconds, also when only one has work', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    await using node = await alone({ clock, profile: 'production' });
    const hog = await node.processes.start(hogOf(clock, log));
    for (let count = 0; count < 20; count++) hog.cast.work(3);
    await settled();
    expect(log.length).toBeLessThanOrEqual(3);
    while (log.length < 20) await settled();
    expect(log).toHaveLength(20);
  });

  it('handle many quick messages in a row when nobody else waits', async () => {
    const log: string[] = [];
    await using node = await alone({ clock: new ManualClock(), profile: 'production' });
    const other = await node.processes.start(quick(log));
    for (let count = 0; count < 900; count++) other.cast.work();
    await Promise.resolve();
    await Promise.resolve();
    expect(log.length).toBeGreaterThan(300);
  });
});
