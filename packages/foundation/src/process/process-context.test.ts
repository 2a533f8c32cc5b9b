import { call, defineProcess, refuse, type Ref } from '@foundation/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

/** Takes everything for what the type says. */
function anything<T>(): StandardSchemaV1<T, T> {
  return {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
  };
}

describe('a deadline', () => {
  interface Reads {
    calls: { remaining(): number; remainingAsync(): number };
  }
  const reader = defineProcess('reader', {
    init: () => ({}),
    calls: {
      remaining: (ctx) => ctx.remainingMs,
      remainingAsync: async (ctx) => {
        await settled();
        return ctx.remainingMs;
      },
    },
  });
  const caller = defineProcess('caller', {
    init: () => ({ seen: 0 }),
    calls: {
      direct: (ctx, to: Ref<Reads>) => ctx.later(() => to.remaining()),
      plain: (_ctx, to: Ref<Reads>) => to.remaining(),
      async afterAwait(_ctx, to: Ref<Reads>) {
        await settled();
        return to.remaining();
      },
      chained: (_ctx, to: Ref<Reads>) => settled().then(() => to.remaining()),
      checked: call(anything<Ref<Reads>>(), async (_ctx, to) => {
        await settled();
        return to.remaining();
      }),
      afterAwaitInLater: (ctx, to: Ref<Reads>) =>
        ctx.later(async () => {
          await settled();
          return to.remaining();
        }),
      longer: (_ctx, to: Ref<Reads>) => to.with({ timeoutMs: 100_000 }).remaining(),
      shorter: (_ctx, to: Ref<Reads>) => to.with({ timeoutMs: 20 }).remaining(),
      async viaAnother(_ctx, to: Ref<Reads>) {
        await settled();
        return to.remainingAsync();
      },
      async setTimer(ctx, to: Ref<Reads>) {
        await settled();
        Object.assign(ctx.state, { to });
        ctx.after(1_000, 'ask');
      },
      async sendOn(_ctx, other: Ref<{ casts: { ask(to: Ref<Reads>): void } }>, to: Ref<Reads>) {
        await settled();
        other.cast.ask(to);
      },
      seen: ({ state }) => state.seen,
    },
    casts: {
      async ask({ state }, to: Ref<Reads>) {
        state.seen = await to.remaining();
      },
    },
    timers: {
      ask: async ({ state }) => {
        state.seen = await (state as unknown as { to: Ref<Reads> }).to.remaining();
      },
    },
  });

  it('is inherited by every call that a handler makes, across awaits too', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const to = await node.processes.start(reader);
    const ways = [
      ...(['direct', 'plain', 'afterAwait', 'chained', 'checked'] as const),
      ...(['afterAwaitInLater', 'longer', 'viaAnother'] as const),
    ];
    for (const way of ways) {
      // A fresh process: what holds for the first message must not depend on earlier ones.
      const ref = await node.processes.start(caller);
      expect([way, await ref.with({ timeoutMs: 300 })[way](to)]).toEqual([way, 300]);
    }
  });

  it('of its own counts when it is shorter', async () => {
    await using node = await alone({ clock: new ManualClock() });
    const [ref, to] = [await node.processes.start(caller), await node.processes.start(reader)];
    expect(await ref.with({ timeoutMs: 300 }).shorter(to)).toBe(20);
  });

  it('does not follow into what nobody waits for: timers and casts', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const [ref, other] = [await node.processes.start(caller), await node.processes.start(caller)];
    const to = await node.processes.start(reader);
    await ref.with({ timeoutMs: 300 }).setTimer(to);
    await clock.advance(1_100);
    expect(await ref.seen()).toBe(5_000);
    await ref.with({ timeoutMs: 300 }).sendOn(other, to);
    await settled();
    expect(await other.seen()).toBe(5_000);
  });

  it('does not follow into work that goes on after the reply', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const to = await node.processes.start(reader);
    const seen: number[] = [];
    const background = gate();
    const starter = defineProcess('starter', {
      init: () => ({}),
      calls: {
        begin: async () => {
          await Promise.resolve();
          void background.opened.then(async () => seen.push(await to.remaining()));
        },
      },
    });
    await (await node.processes.start(starter)).with({ timeoutMs: 300 }).begin();
    await clock.advance(1_000);
    background.open();
    await settled();
    expect(seen).toEqual([5_000]);
  });

  it('is endless where nobody waits', async () => {
    await using node = await alone();
    const seen: number[] = [];
    const watcher = defineProcess('watcher', {
      init: () => ({}),
      casts: { look: (ctx) => void seen.push(ctx.remainingMs) },
    });
    const ref = await node.processes.start(watcher);
    ref.cast.look();
    await settled();
    expect(seen).toEqual([Infinity]);
  });
});

describe('the signal of a handler', () => {
  function observed(): {
    readonly definition: ReturnType<typeof define>;
    readonly aborted: string[];
  } {
    const aborted: string[] = [];
    return { definition: define(aborted), aborted };
  }
  const define = (aborted: string[]) =>
    defineProcess('observed', {
      init: () => ({}),
      calls: {
        wait: (ctx, name: string) => {
          ctx.signal.addEventListener('abort', () => aborted.push(name));
          return new Promise<void>((resolve) => {
            ctx.signal.addEventListener('abort', () => resolve());
          });
        },
        answer: (ctx, name: string) => {
          ctx.signal.addEventListener('abort', () => aborted.push(name));
          return name;
        },
        later: (ctx, name: string) =>
          ctx.later(
            () =>
              new Promise<void>(() => {
                ctx.signal.addEventListener('abort', () => aborted.push(name));
              }),
          ),
        stop: (ctx) => ctx.stop(),
      },
    });

  it('aborts when the caller gives up or its deadline passes, not when the reply was in time', async () => {
    const clock = new ManualClock();
    const { definition, aborted } = observed();
    await using node = await alone({ clock });
    const ref = await node.processes.start(definition);
    await ref.with({ timeoutMs: 50 }).answer('answered');
    const controller = new AbortController();
    const given = failure(ref.with({ signal: controller.signal }).wait('given up'));
    await settled();
    controller.abort();
    await given;
    const late = failure(ref.with({ timeoutMs: 50 }).wait('too late'));
    await clock.advance(100);
    await late;
    expect(aborted).toEqual(['given up', 'too late']);
  });

  it('aborts when the process ends, also for work that replies later', async () => {
    const { definition, aborted } = observed();
    await using node = await alone();
    const ref = await node.processes.start(definition);
    const later = failure(ref.later('later'));
    await ref.stop();
    expect(await later).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'normal' } });
    expect(aborted).toEqual(['later']);
  });

  it('passed on to another call ends both at the deadline, and nothing else suffers', async () => {
    const clock = new ManualClock();
    const { definition } = observed();
    const middle = defineProcess('middle', {
      init: () => ({}),
      calls: {
        ask: (ctx, to: Ref<{ calls: { wait(name: string): void } }>) =>
          ctx.later(() => to.with({ signal: ctx.signal }).wait('inner')),
      },
    });
    await using node = await alone({ clock });
    const [inner, outer] = [
      await node.processes.start(definition),
      await node.processes.start(middle),
    ];
    const asked = failure(outer.with({ timeoutMs: 100 }).ask(inner));
    await clock.advance(200);
    expect(await asked).toMatchObject({ code: 'CALL_TIMEOUT' });
    const next = failure(inner.with({ timeoutMs: 100 }).later('x'));
    await clock.advance(200);
    expect(await next).toMatchObject({ code: 'CALL_TIMEOUT' });
  });
});

describe('a reply that comes later', () => {
  const desk = (opened: Promise<void>) =>
    defineProcess('desk', {
      init: () => ({ count: 0 }),
      calls: {
        slow: (ctx) =>
          ctx.later(async () => {
            await opened;
            return ctx.state.count;
          }),
        fails: (ctx) =>
          ctx.later(async () => {
            await opened;
            throw new Error('the model is gone');
          }),
        refuses: (ctx) => ctx.later(async () => Promise.resolve(refuse('LATER'))),
        quick: ({ state }) => ++state.count,
      },
      casts: {
        forget: (ctx) => {
          ctx.later(async () => {
            await opened;
            throw new Error('nobody waits');
          });
        },
      },
    });

  it('leaves the mailbox open meanwhile', async () => {
    const opening = gate();
    await using node = await alone();
    const ref = await node.processes.start(desk(opening.opened));
    const slow = ref.slow();
    expect(await ref.quick()).toBe(1);
    opening.open();
    expect(await slow).toBe(1);
    expect(await failure(ref.refuses())).toMatchObject({ code: 'REFUSED' });
  });

  it('ends the process when the work crashes, and tells all who wait', async () => {
    const opening = gate();
    await using node = await alone();
    const crashes = listen(node, 'crash');
    const ref = await node.processes.start(desk(opening.opened));
    const [failed, waiting] = [failure(ref.fails()), failure(ref.slow())];
    await ref.quick();
    opening.open();
    expect(await failed).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
    expect((await failed).cause).toMatchObject({ message: 'the model is gone' });
    await waiting.catch(() => {});
    expect(crashes).toHaveLength(1);
    expect(await failure(ref.quick())).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('for which nobody waits still ends the process, and nothing more, when it crashes', async () => {
    const opening = gate();
    await using node = await alone();
    const crashes = listen(node, 'crash');
    const ref = await node.processes.start(desk(opening.opened));
    ref.cast.forget();
    expect(await ref.quick()).toBe(1);
    opening.open();
    await settled();
    expect(crashes.map(({ error }) => error)).toEqual(['nobody waits']);
    expect(await failure(ref.quick())).toMatchObject({ code: 'NO_PROCESS' });
  });
});

describe('a timer', () => {
  const ticker = defineProcess('ticker', {
    init: () => ({ ticks: [] as string[] }),
    calls: {
      set: (ctx, ms: number) => ctx.after(ms, 'tick'),
      setBoth: (ctx) => {
        ctx.after(10, 'tick');
        ctx.after(20, 'tock');
      },
      ticks: ({ state }) => state.ticks,
      stop: (ctx) => ctx.stop(),
    },
    timers: {
      tick: ({ state }) => void state.ticks.push('tick'),
      tock: ({ state }) => void state.ticks.push('tock'),
    },
  });

  it('runs once, at its time; setting it again replaces it', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(ticker);
    await ref.set(100);
    await ref.set(300);
    await clock.advance(299);
    expect(await ref.ticks()).toEqual([]);
    await clock.advance(5_000);
    expect(await ref.ticks()).toEqual(['tick']);
    await ref.setBoth();
    await clock.advance(100);
    expect(await ref.ticks()).toEqual(['tick', 'tick', 'tock']);
  });

  it('ends with its process', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(ticker);
    await ref.set(100_000);
    await ref.stop();
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  it('cannot run at a time that is none', async () => {
    await using node = await alone();
    for (const ms of [-1, Infinity, Number.NaN, '5' as unknown as number]) {
      const ref = await node.processes.start(ticker);
      expect((await failure(ref.set(ms))).cause).toMatchObject({ code: 'INVALID_OPTION' });
    }
  });
});
