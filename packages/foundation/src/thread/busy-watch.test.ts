import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/manual-clock.ts';
import { behaviourOf } from '../process/behaviour.ts';
import { firstSerial, Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import { BusyWatch } from './busy-watch.ts';
import { CounterBoard, newBoardMemory } from './counter-board.ts';

function mayHold(maxBusyMs: number) {
  const place = { isolation: 'thread', module: import.meta.url, thread: 'group' } as const;
  return behaviourOf(defineProcess('some', { ...place, maxBusyMs, init: () => ({}) }));
}
const [strict, lax, patient] = [mayHold(300), mayHold(800), mayHold(Infinity)];

type Housed = Process & { isBusy: boolean };

/** A thread that is watched: it writes to its board by hand, and time passes when told to. */
function watchedThread() {
  const memory = newBoardMemory();
  const inside = new CounterBoard(memory);
  const clock = new ManualClock();
  const told: { readonly busyMs: number; readonly who: string | undefined }[] = [];
  const watch = new BusyWatch(new CounterBoard(memory), clock, {
    begin: () => inside.beat(),
    onBusy: (busyMs, pid) => told.push({ busyMs, who: pid?.toString() }),
  });
  let serial = firstSerial(1);
  return {
    clock,
    inside,
    told,
    watch,
    /** A process that lives in it. */
    house: (behaviour: typeof strict): Housed => {
      const pid = new Pid('node', 1, serial++);
      const counters = { handled: 0, mailbox: { size: 0 }, highWater: 0, restarts: 0 };
      const process = { pid, ...counters, isBusy: false } as unknown as Housed;
      inside.enter(process);
      watch.watch(behaviour, pid);
      return process;
    },
  };
}

describe('a thread that is held', () => {
  it('is held by the process that runs: its own limit counts, not that of an idle one', () => {
    const { house, inside, clock, told } = watchedThread();
    const [busy, calm] = [house(strict), house(patient)];
    inside.begin(calm);
    clock.jump(60_000);
    expect(told).toEqual([]);
    inside.end(calm);
    inside.begin(busy);
    clock.jump(300);
    expect(told).toEqual([]);
    clock.jump(60_000);
    expect(told).toEqual([{ busyMs: 340, who: busy.pid.toString() }]);
  });

  it('is held by the one whose handler has not settled, or by who is being started', () => {
    const { house, inside, clock, told, watch } = watchedThread();
    const [busy, calm] = [house(strict), house(patient)];
    calm.isBusy = true;
    inside.note(calm);
    clock.jump(60_000);
    calm.isBusy = false;
    inside.note(calm);
    inside.beat();
    const starting = watch.watch(patient);
    clock.jump(60_000);
    starting[Symbol.dispose]();
    inside.beat();
    expect(told).toEqual([]);
    busy.isBusy = true;
    inside.note(busy);
    clock.jump(60_000);
    expect(told).toEqual([{ busyMs: 340, who: busy.pid.toString() }]);
  });

  it('may be held as long as any of those may who come into question, and nobody is named', () => {
    const { house, inside, clock, told, watch } = watchedThread();
    const busy = house(strict);
    house(patient);
    busy.isBusy = true;
    inside.note(busy);
    watch.watch(lax);
    clock.jump(800);
    expect(told).toEqual([]);
    clock.jump(60_000);
    expect(told).toEqual([{ busyMs: 840, who: undefined }]);
  });

  it('is held by anybody where nobody is known to be at work', () => {
    for (const [behaviours, expected] of [
      [[strict, patient], []],
      [[strict, lax], [{ busyMs: 840, who: undefined }]],
    ] as const) {
      const { house, clock, told } = watchedThread();
      for (const each of behaviours) house(each);
      clock.jump(60_000);
      expect(told).toEqual(expected);
    }
  });

  it('is not held while it loads a module', async () => {
    const { inside, clock, told, watch } = watchedThread();
    watch.watch(strict);
    const loaded = inside.loading(async () => {
      clock.jump(60_000);
    });
    await loaded;
    expect(told).toEqual([]);
    clock.jump(60_000);
    expect(told).toEqual([{ busyMs: 340, who: undefined }]);
  });
});
