import { defineProcess } from '@foundation/core';
import { testNode } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alone, failure } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

const clockwork = defineProcess('clockwork', {
  init: () => ({ ticks: [] as string[], open: (): void => {} }),
  timers: {
    once: ({ state }) => void state.ticks.push('once'),
    again: ({ state }) => void state.ticks.push('again'),
  },
  calls: {
    after: (ctx, ms: number) => ctx.after(ms, 'once'),
    every: (ctx, ms: number) => ctx.every(ms, 'again'),
    cancel: (ctx, which: 'once' | 'again') => ctx.cancel(which),
    /** Sets the timer again while a run of it waits behind this message. */
    afterAgain: async (ctx, ms: number) => {
      await new Promise<void>((resolve) => {
        ctx.state.open = resolve;
      });
      ctx.after(ms, 'once');
    },
    cancelLate: async (ctx) => {
      await new Promise<void>((resolve) => {
        ctx.state.open = resolve;
      });
      ctx.cancel('once');
    },
    block: (ctx) =>
      new Promise<void>((resolve) => {
        ctx.state.open = resolve;
      }),
    ticks: ({ state }) => state.ticks,
  },
});

describe('a timer', () => {
  it('runs once after its time; set again, it is replaced', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(clockwork);
    await ref.after(100);
    await test.advance(50);
    await ref.after(100);
    await test.advance(99);
    expect(await ref.ticks()).toEqual([]);
    expect((await test.node.processes.inspect(ref).statistics()).timers).toBe(1);
    await test.advance(1_000);
    expect(await ref.ticks()).toEqual(['once']);
    expect((await test.node.processes.inspect(ref).statistics()).timers).toBe(0);
  });

  it('that is periodic keeps its rhythm until it is cancelled', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(clockwork);
    await ref.every(10);
    await test.advance(105);
    expect((await ref.ticks()).length).toBe(10);
    await ref.cancel('again');
    await test.advance(1_000);
    expect((await ref.ticks()).length).toBe(10);
  });

  it('never piles up: a run that still waits stands for those that come meanwhile', async () => {
    const state = { open: (): void => {} };
    const busy = defineProcess('busy', {
      init: () => ({ ticks: 0 }),
      timers: { tick: (ctx) => void ctx.state.ticks++ },
      calls: {
        start: (ctx) => ctx.every(10, 'tick'),
        block: () =>
          new Promise<void>((resolve) => {
            state.open = resolve;
          }),
        ticks: (ctx) => ctx.state.ticks,
      },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(busy);
    await ref.start();
    const blocked = ref.with({ timeoutMs: 60_000 }).block();
    await test.advance(1_000);
    const { mailbox } = await test.node.processes.inspect(ref).statistics();
    expect(mailbox).toBe(1);
    state.open();
    await blocked;
    expect(await ref.ticks()).toBe(1);
    await test.advance(20);
    expect(await ref.ticks()).toBeGreaterThanOrEqual(2);
  });

  it('leaves out what a standstill has missed', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(clockwork);
    await ref.every(10);
    clock.stall(95);
    await clock.advance(4);
    expect((await ref.ticks()).length).toBe(1);
    await clock.advance(1);
    expect((await ref.ticks()).length).toBe(2);
  });

  it('dies with its process', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(clockwork);
    await ref.after(100);
    await ref.every(100);
    await node.processes.stop(ref);
    // What is left is the wheel of deadlines, which stops by itself.
    await clock.advance(50);
    expect(clock.pending).toBe(0);
  });

  it('refuses times that are none', async () => {
    await using node = await alone();
    for (const ms of [-1, Number.NaN, Infinity, '5' as never]) {
      const ref = await node.processes.start(clockwork);
      expect(await failure(ref.after(ms))).toMatchObject({ cause: { code: 'INVALID_OPTION' } });
    }
    for (const ms of [0, -1, Number.NaN, Infinity]) {
      const ref = await node.processes.start(clockwork);
      expect(await failure(ref.every(ms))).toMatchObject({ cause: { code: 'INVALID_OPTION' } });
    }
  });
});

describe('a run of a timer that waits in the mailbox', () => {
  const opened = { open: (): void => {} };
  const held = defineProcess('held', {
    init: () => ({ ticks: 0 }),
    timers: { tick: ({ state }) => void state.ticks++ },
    calls: {
      set: (ctx, ms: number) => ctx.after(ms, 'tick'),
      hold: async (ctx, next: 'reset' | 'cancel' | 'nothing') => {
        await new Promise<void>((resolve) => {
          opened.open = resolve;
        });
        if (next === 'reset') ctx.after(1_000, 'tick');
        if (next === 'cancel') ctx.cancel('tick');
      },
      ticks: ({ state }) => state.ticks,
    },
  });

  it.each([
    { next: 'nothing', soon: 1, later: 1 },
    { next: 'reset', soon: 0, later: 1 },
    { next: 'cancel', soon: 0, later: 0 },
  ] as const)(
    'is void when the timer is set anew or cancelled: $next',
    async ({ next, soon, later }) => {
      await using test = await testNode();
      const ref = await test.node.processes.start(held);
      await ref.set(10);
      const holding = ref.hold(next);
      await test.advance(50);
      opened.open();
      await holding;
      expect(await ref.ticks()).toBe(soon);
      await test.advance(2_000);
      expect(await ref.ticks()).toBe(later);
    },
  );
});

describe('a run of a timer that is deferred', () => {
  const waiting = { open: (): void => {} };
  const shop = defineProcess('shop', {
    init: () => ({ isOpen: false, ran: [] as string[] }),
    timers: {
      once: ({ state, defer }) => (state.isOpen ? void state.ran.push('once') : defer()),
      again: ({ state, defer }) => (state.isOpen ? void state.ran.push('again') : defer()),
      slowly: async ({ state, defer }) => {
        if (state.isOpen) return void state.ran.push('slowly');
        await new Promise<void>((resolve) => {
          waiting.open = resolve;
        });
        state.isOpen = true;
        return defer();
      },
    },
    calls: {
      after: (ctx, ms: number) => ctx.after(ms, 'once'),
      every: (ctx, ms: number, timer: 'again' | 'slowly') => ctx.every(ms, timer),
      cancel: (ctx, timer: 'once' | 'again') => ctx.cancel(timer),
      open: ({ state }) => void (state.isOpen = true),
      ran: ({ state }) => state.ran,
    },
  });

  it('comes again, once for all that are due meanwhile', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(shop);
    await ref.after(10);
    await ref.every(10, 'again');
    await test.advance(105);
    await ref.open();
    expect((await ref.ran()).toSorted()).toEqual(['again', 'once']);
    expect((await test.node.processes.inspect(ref).statistics()).timers).toBe(1);
  });

  it('does not come when its timer is cancelled', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(shop);
    await ref.after(10);
    await ref.every(10, 'again');
    await test.advance(15);
    await ref.cancel('once');
    await ref.cancel('again');
    await ref.open();
    expect(await ref.ran()).toEqual([]);
  });

  it('does not come when another one stands for it that came while it was at work', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(shop);
    await ref.every(10, 'slowly');
    await test.advance(25);
    waiting.open();
    await test.settled();
    expect(await ref.ran()).toEqual(['slowly']);
  });
});

describe('timers', () => {
  it('do what a simple model says, whatever is set and cancelled when', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('after' as const), ms: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ do: fc.constant('cancel' as const), ms: fc.constant(0) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        await using test = await testNode();
        const ref = await test.node.processes.start(clockwork);
        let [now, due, expected]: [number, number | undefined, number] = [0, undefined, 0];
        for (const each of steps) {
          if (each.do === 'after') {
            due = now + each.ms;
            await ref.after(each.ms);
          } else if (each.do === 'cancel') {
            due = undefined;
            await ref.cancel('once');
          } else {
            now += each.ms;
            await test.advance(each.ms);
            if (due !== undefined && due <= now) {
              expected++;
              due = undefined;
            }
          }
          expect((await ref.ticks()).length).toBe(expected);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a cast of a process to itself', () => {
  it('comes behind what waits already, and says whether it was taken', async () => {
    const loop = defineProcess('loop', {
      mailboxMax: 2,
      init: () => ({ log: [] as string[] }),
      calls: {
        start: (ctx) => {
          const taken = [ctx.cast.step('a'), ctx.cast.step('b'), ctx.cast.step('c')];
          ctx.state.log.push('start');
          return taken;
        },
        log: ({ state }) => state.log,
      },
      casts: { step: ({ state }, text: string) => void state.log.push(text) },
    });
    await using node = await alone();
    const ref = await node.processes.start(loop);
    expect(await ref.start()).toEqual([true, true, false]);
    await settled();
    expect(await ref.log()).toEqual(['start', 'a', 'b']);
  });
});
