import { defineProcess, type Clock } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { ManualClock } from '../../test/manual-clock.ts';

/** A clock whose periodic looks are made by hand. */
class LateClock extends ManualClock implements Clock {
  #look: () => void = () => {};

  override every(): never {
    throw new Error('not used');
  }

  /** The event loop comes round, late by so much. */
  look(lateMs: number): void {
    this.stall(20 + lateMs);
    this.#look();
  }

  install(): this {
    Object.assign(this, {
      every: (_periodMs: number, action: () => void) => {
        this.#look = action;
        return { cancel: () => (this.#look = () => {}) };
      },
    });
    return this;
  }
}

const asker = defineProcess('asker', {
  init: () => ({}),
  calls: {
    ok: () => true,
    askOther: (ctx) => ctx.node.ref(asker2, 'other').ok(),
  },
});
const asker2 = defineProcess('asker2', {
  init: () => ({ heard: 0 }),
  calls: { ok: () => true },
  casts: { hear: ({ state }) => void state.heard++ },
});

describe('load shedding', () => {
  it('refuses calls from outside while the loop is late, and says so', async () => {
    const clock = new LateClock().install();
    await using node = await alone({ clock, lagMaxMs: 100 });
    const told = listen(node, 'overload');
    const ref = await node.processes.start(asker);
    clock.look(90);
    clock.look(150);
    expect(await ref.ok()).toBe(true);
    clock.look(150);
    expect(await failure(ref.ok())).toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
      retryable: true,
    });
    clock.look(0);
    expect(await ref.ok()).toBe(true);
    expect(told.map(({ isShedding }) => isShedding)).toEqual([true, false]);
    expect(told[0]).toMatchObject({ node: 'alone', lagMs: 150 });
    expect(node.counters().shed).toBe(1);
  });

  it('lets what was accepted go on: calls between processes, casts and introspection', async () => {
    const clock = new LateClock().install();
    await using node = await alone({ clock, lagMaxMs: 100 });
    const ref = await node.processes.start(asker);
    const other = await node.processes.start(asker2, { name: 'other' });
    const accepted = ref.askOther();
    clock.look(150);
    clock.look(150);
    expect(await accepted).toBe(true);
    expect(other.cast.hear()).toBe(true);
    expect((await node.processes.list()).length).toBe(3);
    expect(await node.processes.inspect(other).state()).toEqual({ heard: 1 });
  });

  it('is off unless it is asked for, and refuses limits that are none', async () => {
    const clock = new LateClock().install();
    await using node = await alone({ clock });
    const ref = await node.processes.start(asker);
    clock.look(10_000);
    clock.look(10_000);
    expect(await ref.ok()).toBe(true);
    for (const lagMaxMs of [0, -1, Number.NaN, '5' as never]) {
      expect(await failure(alone({ lagMaxMs }))).toMatchObject({ code: 'INVALID_OPTION' });
    }
  });
});
