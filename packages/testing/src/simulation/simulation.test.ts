import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Simulation } from './simulation.ts';

describe('a simulation', () => {
  it('lets things happen in the order of their moments, whatever the order of planning', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(fc.nat(50)), async (seed, delays) => {
        const simulation = new Simulation(seed);
        const happened: number[] = [];
        for (const delayMs of delays) {
          simulation.schedule(delayMs, () => happened.push(simulation.nowMs));
        }
        await simulation.advance(50);
        expect(happened).toEqual(delays.toSorted((a, b) => a - b));
      }),
    );
  });

  it('draws the order of what is due at the same moment from the seed', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 40; seed++) orders.add(await orderOf(seed));
    expect([...orders].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    expect(await orderOf(3)).toBe(await orderOf(3));
  });

  it('lets promises settle before the next event', async () => {
    const simulation = new Simulation(1);
    const seen: string[] = [];
    simulation.schedule(1, () => {
      void (async () => {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        seen.push('settled');
      })();
    });
    simulation.schedule(2, () => seen.push('next'));
    await simulation.advance(2);
    expect(seen).toEqual(['settled', 'next']);
  });

  it('stands at the end of the time that has passed, and has left the rest for later', async () => {
    const simulation = new Simulation(1);
    let count = 0;
    simulation.schedule(10, () => count++);
    simulation.schedule(11, () => count++);
    await simulation.advance(10);
    expect([simulation.nowMs, count]).toEqual([10, 1]);
  });

  it('runs until a condition holds, and not longer than it may', async () => {
    const simulation = new Simulation(1);
    let isDone = false;
    simulation.schedule(30, () => (isDone = true));
    expect(await simulation.runUntil(() => isDone, 20)).toBe(false);
    expect(simulation.nowMs).toBe(20);
    expect(await simulation.runUntil(() => isDone, 20)).toBe(true);
    expect(simulation.nowMs).toBe(30);
  });

  it('drops what belongs to the dead, and puts off what belongs to one that stands still', async () => {
    const simulation = new Simulation(1);
    const seen: string[] = [];
    const owner = { isAlive: true, standsStillUntilMs: 40 };
    simulation.schedule(5, () => seen.push(`late at ${simulation.nowMs}`), owner);
    simulation.schedule(50, () => seen.push('never'), owner);
    simulation.schedule(45, () => (owner.isAlive = false));
    await simulation.advance(100);
    expect(seen).toEqual(['late at 40']);
  });

  it('does not do what was called off, also while it is put off', async () => {
    const simulation = new Simulation(1);
    const owner = { isAlive: true, standsStillUntilMs: 40 };
    let count = 0;
    const first = simulation.schedule(5, () => count++);
    const second = simulation.schedule(5, () => count++, owner);
    first.cancel();
    await simulation.advance(20);
    second.cancel();
    await simulation.advance(100);
    expect(count).toBe(0);
  });

  it('gives what an event throws to whoever lets time pass', async () => {
    const simulation = new Simulation(1);
    simulation.schedule(1, () => {
      throw new RangeError('thrown by an event');
    });
    await expect(simulation.advance(5)).rejects.toThrow('thrown by an event');
  });

  it('has the same digest after the same notes only', () => {
    const [first, second, third] = [1, 1, 1].map((seed) => new Simulation(seed));
    first?.note('a');
    second?.note('a');
    third?.note('b');
    expect(second?.digest()).toBe(first?.digest());
    expect(third?.digest()).not.toBe(first?.digest());
    expect(first?.trace()).toEqual(['0.000 a']);
  });
});

async function orderOf(seed: number): Promise<string> {
  const simulation = new Simulation(seed);
  let order = '';
  for (const name of ['a', 'b', 'c']) simulation.schedule(5, () => (order += name));
  await simulation.advance(5);
  return order;
}
