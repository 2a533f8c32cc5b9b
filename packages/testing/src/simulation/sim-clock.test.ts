import { sleep } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { SimClock } from './sim-clock.ts';
import { Simulation } from './simulation.ts';

describe('a simulated clock', () => {
  it('stands still until it is told to move', async () => {
    const clock = new SimClock();
    const [nowMs, wallMs] = [clock.now(), clock.wallNow()];
    await clock.advance(250);
    expect([clock.now() - nowMs, clock.wallNow() - wallMs]).toEqual([250, 250]);
  });

  it('runs a timer once, at its time', async () => {
    const clock = new SimClock();
    const rang: number[] = [];
    clock.after(100, () => rang.push(clock.now()));
    await clock.advance(99);
    expect(rang).toEqual([]);
    await clock.advance(500);
    expect(rang).toEqual([100]);
  });

  it('runs a repeated timer until it is cancelled, also from within', async () => {
    const clock = new SimClock();
    const rang: number[] = [];
    const timer = clock.every(10, () => {
      rang.push(clock.now());
      if (rang.length === 3) timer.cancel();
    });
    await clock.advance(100);
    expect(rang).toEqual([10, 20, 30]);
  });

  it('lets code that sleeps go on in between', async () => {
    const clock = new SimClock();
    const woke: number[] = [];
    const nap = async (): Promise<void> => {
      for (let count = 0; count < 3; count++) {
        await sleep(clock, 7);
        woke.push(clock.now());
      }
    };
    const napped = nap();
    await clock.advance(100);
    await napped;
    expect(woke).toEqual([7, 14, 21]);
  });

  it('moves with the others of its simulation, each with a wall time of its own', async () => {
    const simulation = new Simulation(1);
    const [right, wrong] = [
      new SimClock(simulation),
      new SimClock(simulation, { wallOffsetMs: 900 }),
    ];
    await right.advance(50);
    expect(wrong.now()).toBe(50);
    expect(wrong.wallNow() - right.wallNow()).toBe(900);
  });

  it('waits for a condition in virtual time', async () => {
    const clock = new SimClock();
    let count = 0;
    clock.every(10, () => count++);
    expect(await clock.runUntil(() => count === 5, 1_000)).toBe(true);
    expect(clock.now()).toBe(50);
  });
});
