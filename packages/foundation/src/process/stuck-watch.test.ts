import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';
import type { Timer } from '../clock.ts';
import { limitDefaults } from './behaviour.ts';

/** Counts the timers that keep a program alive. */
class CountingClock extends ManualClock {
  readonly foreground = new Set<object>();

  override after(
    delayMs: number,
    action: () => void,
    kind: 'foreground' | 'background' = 'foreground',
  ): Timer {
    const key = {};
    if (kind === 'foreground') this.foreground.add(key);
    const timer = super.after(delayMs, () => {
      this.foreground.delete(key);
      action();
    });
    return {
      cancel: () => {
        this.foreground.delete(key);
        timer.cancel();
      },
    };
  }
}

const hanging = defineProcess('hanging', {
  init: () => ({}),
  calls: { hang: () => new Promise<void>(() => {}) },
  casts: { hang: () => new Promise<void>(() => {}) },
});

describe('a handler that does not settle', () => {
  it('is told of after a minute, and not ended on the main thread', async () => {
    const clock = new ManualClock();
    const node = await alone({ clock });
    const [stuck, exits] = [listen(node, 'stuck'), listen(node, 'exit')];
    const ref = await node.processes.start(hanging);
    ref.cast.hang();
    await clock.advance(limitDefaults.stuckMs - 100);
    expect(stuck).toEqual([]);
    await clock.advance(200);
    expect(stuck).toMatchObject([{ pid: ref.pid, afterMs: limitDefaults.stuckMs }]);
    expect(exits).toEqual([]);
    await stopped(node, clock);
  });

  it('does not keep the program alive', async () => {
    const clock = new CountingClock();
    const node = await alone({ clock });
    const ref = await node.processes.start(hanging);
    ref.cast.hang();
    await clock.advance(1_000);
    expect(clock.foreground.size).toBe(0);
    await stopped(node, clock);
  });

  it('is watched no more when its process has ended', async () => {
    const clock = new ManualClock();
    const node = await alone({ clock });
    const stuck = listen(node, 'stuck');
    const ref = await node.processes.start(hanging);
    const call = failure(ref.with({ timeoutMs: 100 }).hang());
    await clock.advance(200);
    await call;
    await stopped(node, clock);
    expect(clock.pending).toBe(0);
    await clock.advance(2 * limitDefaults.stuckMs);
    expect(stuck).toEqual([]);
  });
});

/** Stops a node whose processes hang: they get their time, and are abandoned. */
async function stopped(node: { stop(): Promise<void> }, clock: ManualClock): Promise<void> {
  let isOver = false;
  const end = node.stop().then(() => (isOver = true));
  while (!isOver) await clock.advance(500);
  await end;
  await settled();
  await clock.advance(100);
}
