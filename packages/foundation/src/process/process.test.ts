import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  call,
  defineProcess,
  isRefused,
  Pid,
  refuse,
  type FoundationError,
  type Ref,
} from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, gate, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';
import { anyBehaviour } from './definition.ts';

/** The error a promise rejects with. */
async function failure(promise: PromiseLike<unknown>): Promise<FoundationError> {
  try {
    await promise;
  } catch (error) {
    return error as FoundationError;
  }
  throw new Error('it did not fail');
}

describe('messages', () => {
  const notebook = defineProcess('notebook', {
    init: () => ({ notes: [] as string[] }),
    calls: {
      note: ({ state }, text: string) => void state.notes.push(text),
      slowNote: async ({ state }, text: string) => {
        state.notes.push(`${text} begins`);
        await settled();
        state.notes.push(`${text} ends`);
      },
      read: ({ state }) => [...state.notes],
    },
    casts: { jot: ({ state }, text: string) => void state.notes.push(text) },
  });

  it('arrive in the order in which they were sent, calls and casts alike', async () => {
    await using node = await alone();
    const ref = await node.processes.start(notebook);
    const sent = Array.from({ length: 200 }, (_, index) => `${index}`);
    const calls = sent.map((text, index) => (index % 2 === 0 ? ref.note(text) : ref.cast.jot(text)));
    await Promise.all(calls);
    expect(await ref.read()).toEqual(sent);
  });

  it('are handled one at a time: a handler that awaits keeps the next one waiting', async () => {
    await using node = await alone();
    const ref = await node.processes.start(notebook);
    await Promise.all([ref.slowNote('a'), ref.note('b'), ref.slowNote('c')]);
    expect(await ref.read()).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends']);
  });

  it('wait for `init`, also while it awaits', async () => {
    const opening = gate();
    const slow = defineProcess('slow', {
      init: async () => {
        await opening.opened;
        return { log: ['init'] };
      },
      calls: { log: ({ state }) => state.log },
    });
    await using node = await alone();
    const started = node.processes.start(slow, { name: 'slow' });
    const answer = node.ref(slow, 'slow').log();
    opening.open();
    expect(await answer).toEqual(['init']);
    await started;
  });
});

describe('a call', () => {
  const worker = defineProcess('worker', {
    init: () => ({ done: 0 }),
    calls: {
      done: ({ state }) => state.done,
      add: ({ state }, by: number) => (state.done += by),
      wait: async ({ state }, ms: number) => {
        state.done++;
        await new Promise((resolve) => {
          setTimeout(resolve, ms);
        });
        return state.done;
      },
      no: () => refuse('NO_WAY', { why: 'closed' }),
      crash: ({ state }) => {
        state.done++;
        throw new RangeError('out of paper');
      },
      crashLate: async () => {
        await settled();
        throw new RangeError('out of paper');
      },
      functionOf: (): unknown => ({ list: [() => 1] }),
      any: (_ctx, value: unknown) => typeof value,
    },
  });

  it('ends with the reply', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(await ref.add(2)).toBe(2);
  });

  it('ends with a refusal, an error or a value as the caller likes, and the process lives on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(await failure(ref.no())).toMatchObject({
      code: 'REFUSED',
      outcome: 'not-executed',
      details: { code: 'NO_WAY', data: { why: 'closed' } },
    });
    const answer = await ref.try.no();
    expect(isRefused(answer) && answer.data.why).toBe('closed');
    expect(await ref.try.add(1)).toBe(1);
  });

  it('ends with PROCESS_DOWN when the handler throws, and carries the very error', async () => {
    await using node = await alone();
    for (const way of ['crash', 'crashLate'] as const) {
      const ref = await node.processes.start(worker);
      const error = await failure(ref[way]());
      expect(error).toMatchObject({
        code: 'PROCESS_DOWN',
        outcome: 'unknown',
        details: { reason: 'crash' },
      });
      expect(error.cause).toBeInstanceOf(RangeError);
      expect(error.message).toContain('out of paper');
      expect(ref.pid && node.inspect().map(({ pid }) => pid)).not.toContain(String(ref.pid));
    }
  });

  it('ends with PROCESS_DOWN for all that waited behind the message that crashed', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const [first, second] = [failure(ref.crash()), failure(ref.add(1))];
    expect(await first).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await second).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
  });

  it('ends with NO_PROCESS where nobody lives: nothing was executed', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    await failure(ref.crash());
    const expected = { code: 'NO_PROCESS', outcome: 'not-executed', retryable: true };
    expect(await failure(ref.add(1))).toMatchObject(expected);
    expect(await failure(node.ref(worker, 'never started').add(1))).toMatchObject(expected);
    expect(await failure(node.ref(worker, 'never started').add(1))).toHaveProperty(
      'message',
      expect.stringContaining('never started'),
    );
  });

  it('ends with CALL_TIMEOUT at its deadline; the late reply is dropped', async () => {
    const clock = new ManualClock();
    const opening = gate();
    const slow = defineProcess('slow', {
      init: () => ({ count: 0 }),
      calls: {
        slow: async ({ state }) => {
          await opening.opened;
          return `late ${++state.count}`;
        },
        quick: ({ state }) => `quick ${++state.count}`,
      },
    });
    await using node = await alone({ clock });
    const ref = await node.processes.start(slow);
    const late = failure(ref.with({ timeoutMs: 100 }).slow());
    let isOver = false;
    void late.then(() => (isOver = true));
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(30);
    expect(await late).toMatchObject({
      code: 'CALL_TIMEOUT',
      outcome: 'unknown',
      details: { timeoutMs: 100 },
    });
    const quick = ref.quick();
    opening.open();
    expect(await quick).toBe('quick 2');
  });

  it('waits five seconds unless told otherwise', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const forever = defineProcess('forever', {
      init: () => ({}),
      calls: { never: () => new Promise<void>(() => {}) },
    });
    const ref = await node.processes.start(forever);
    let code: string | undefined;
    void failure(ref.never()).then((error) => (code = error.code));
    await clock.advance(4_990);
    expect(code).toBeUndefined();
    await clock.advance(50);
    expect(code).toBe('CALL_TIMEOUT');
    await stopAnyway(node, clock);
  });

  it('that timed out before its turn is not executed', async () => {
    const clock = new ManualClock();
    const opening = gate();
    const queue = defineProcess('queue', {
      init: () => ({ ran: [] as string[] }),
      calls: {
        block: async () => opening.opened,
        run: ({ state }, name: string) => void state.ran.push(name),
        ran: ({ state }) => state.ran,
      },
    });
    await using node = await alone({ clock });
    const ref = await node.processes.start(queue);
    const blocked = ref.block();
    const late = failure(ref.with({ timeoutMs: 50 }).run('late'));
    await clock.advance(100);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
    opening.open();
    await blocked;
    expect(await ref.ran()).toEqual([]);
  });

  it('ends with ABORTED when the caller gives it up, before or after it was sent', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const controller = new AbortController();
    const given = failure(ref.with({ signal: controller.signal }).wait(10));
    await settled();
    controller.abort(new Error('changed my mind'));
    expect(await given).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    expect((await given).cause).toMatchObject({ message: 'changed my mind' });
    expect(await failure(ref.with({ signal: controller.signal }).add(1))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await ref.done()).toBe(1);
  });

  it('ends with INVALID_MESSAGE for a message that the process does not have, counted', async () => {
    await using node = await alone();
    const unknown = listen(node, 'unknown-message');
    await node.processes.start(worker, { name: 'worker' });
    const other = defineProcess('worker', { init: () => ({}), calls: { fly: () => 1 }, casts: { sing: () => {} } });
    expect(await failure(node.ref(other, 'worker').fly())).toMatchObject({
      code: 'INVALID_MESSAGE',
      outcome: 'not-executed',
      message: expect.stringContaining('"fly"'),
    });
    node.ref(other, 'worker').cast.sing();
    expect(await node.ref(worker, 'worker').add(1)).toBe(1);
    expect(node.counters().unknownMessages).toBe(2);
    expect(unknown.map(({ message }) => message)).toEqual(['fly', 'sing']);
  });

  it('refuses an argument that cannot be sent, names its path and disturbs nothing', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const error = await failure(ref.any({ list: [{}, { socket: () => 1 }] }));
    expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', outcome: 'not-executed' });
    expect(error.details['path']).toBe('args[0].list[1].socket');
    expect(await ref.done()).toBe(0);
    expect(node.inspect().find(({ pid }) => pid === String(ref.pid))?.mailbox).toBe(0);
  });

  it('ends with INVALID_REPLY when the reply cannot be sent; the process lives on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const error = await failure(ref.functionOf());
    expect(error).toMatchObject({ code: 'INVALID_REPLY', outcome: 'unknown' });
    expect(error.cause).toMatchObject({ code: 'NOT_SERIALIZABLE', details: { path: 'list[0]' } });
    expect(await ref.add(1)).toBe(1);
  });

  it('refuses a limit that is none', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    for (const timeoutMs of [0, -1, Number.NaN]) {
      expect(() => ref.with({ timeoutMs })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
  });
});

/** Ends a node whose clock is ours: nobody waits for its processes but the clock. */
async function stopAnyway(node: { stop(): Promise<void> }, clock: ManualClock): Promise<void> {
  const stopped = node.stop();
  await clock.advance(60_000);
  await stopped;
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
    const [inner, outer] = [await node.processes.start(definition), await node.processes.start(middle)];
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
    const ref = await node.processes.start(ticker);
    expect((await failure(ref.set(-1))).cause).toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('the end of a process', () => {
  const ends = (log: string[]) =>
    defineProcess('ends', {
      init: () => ({}),
      calls: {
        stop: (ctx, reason: 'normal' | 'shutdown' | 'killed') => {
          ctx.stop(reason);
          return 'bye';
        },
        stopSlowly: async (ctx) => {
          ctx.stop();
          await settled();
          return 'bye';
        },
        crash: () => {
          throw new Error('crash');
        },
        hello: () => void log.push('hello'),
      },
      terminate: (_ctx, reason) => void log.push(`terminate ${reason}`),
    });

  it('comes after the reply to the message that asked for it, and after `terminate`', async () => {
    const log: string[] = [];
    await using node = await alone();
    for (const reason of ['normal', 'shutdown'] as const) {
      const ref = await node.processes.start(ends(log));
      expect(await ref.stop(reason)).toBe('bye');
      expect(await failure(ref.hello())).toMatchObject({ code: 'NO_PROCESS' });
    }
    const ref = await node.processes.start(ends(log));
    expect(await ref.stopSlowly()).toBe('bye');
    expect(log).toEqual(['terminate normal', 'terminate shutdown', 'terminate normal']);
  });

  it('lets `terminate` run after a crash too, not after `killed`', async () => {
    const log: string[] = [];
    await using node = await alone();
    await failure((await node.processes.start(ends(log))).crash());
    expect(log).toEqual(['terminate crash']);
    await (await node.processes.start(ends(log))).stop('killed');
    expect(log).toEqual(['terminate crash']);
  });

  it('waits for an asynchronous `terminate` and handles no further message meanwhile', async () => {
    const log: string[] = [];
    const opening = gate();
    const slow = defineProcess('slow', {
      init: () => ({}),
      calls: { note: () => void log.push('note') },
      terminate: async () => {
        log.push('begins');
        await opening.opened;
        log.push('ends');
      },
    });
    await using node = await alone();
    const ref = await node.processes.start(slow);
    // Ready, with mail, when it is told to stop.
    const waiting = failure(ref.note());
    const stopped = node.stop();
    await settled();
    opening.open();
    await stopped;
    expect(await waiting).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'shutdown' } });
    expect(log).toEqual(['begins', 'ends']);
  });

  it('is a crash when `terminate` throws', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const bad = defineProcess('bad', {
      init: () => ({}),
      calls: { stop: (ctx) => ctx.stop() },
      terminate: () => {
        throw new Error('no end');
      },
    });
    await (await node.processes.start(bad)).stop();
    expect(exits.map(({ reason }) => reason)).toEqual(['crash']);
  });
});

describe('a start', () => {
  it('fails with START_FAILED and the error of `init`, or REFUSED; the name is free again', async () => {
    await using node = await alone();
    const picky = defineProcess('picky', {
      init: (what: 'throw' | 'refuse' | 'nothing' | 'fine') => {
        if (what === 'throw') throw new RangeError('no such file');
        if (what === 'refuse') return refuse('NOT_TODAY', { until: 5 });
        return what === 'nothing' ? (undefined as unknown as { ok: boolean }) : { ok: true };
      },
      calls: { ok: ({ state }) => state.ok },
    });
    const start = (init: 'throw' | 'refuse' | 'nothing' | 'fine') =>
      node.processes.start(picky, { init, name: 'picky' });
    const failed = await failure(start('throw'));
    expect(failed).toMatchObject({ code: 'START_FAILED', message: expect.stringContaining('no such file') });
    expect(failed.cause).toBeInstanceOf(RangeError);
    expect(await failure(start('refuse'))).toMatchObject({
      code: 'REFUSED',
      details: { code: 'NOT_TODAY', data: { until: 5 } },
    });
    expect(await failure(start('nothing'))).toMatchObject({
      code: 'START_FAILED',
      cause: { code: 'INVALID_DEFINITION' },
    });
    expect(await (await start('fine')).ok()).toBe(true);
  });

  it('of a durable process without a name is refused and leaves nothing behind', async () => {
    await using node = await alone();
    const durable = defineProcess('durable', { durable: true, init: () => ({ n: 0 }) });
    const before = node.inspect().length;
    expect(await failure(node.processes.start(durable))).toMatchObject({ code: 'INVALID_OPTION' });
    expect(node.inspect()).toHaveLength(before);
  });

  it('leaves no name behind when the first message is the last', async () => {
    const opening = gate();
    const brief = defineProcess('brief', {
      init: async () => {
        await opening.opened;
        return {};
      },
      casts: { end: (ctx) => ctx.stop() },
    });
    await using node = await alone();
    const started = node.processes.start(brief, { name: 'brief' });
    node.ref(brief, 'brief').cast.end();
    opening.open();
    await started;
    await settled();
    expect(node.registry.lookup('brief')).toBeUndefined();
    expect(node.registry.all()).toEqual([]);
    await node.processes.start(brief, { name: 'brief' });
  });

  it('refuses a name that is taken', async () => {
    await using node = await alone();
    const any = defineProcess('any', { init: () => ({}) });
    await node.processes.start(any, { name: 'taken' });
    expect(await failure(node.processes.start(any, { name: 'taken' }))).toMatchObject({
      code: 'NAME_TAKEN',
      details: { name: 'taken' },
    });
  });

  it('refuses options that do not exist or are wrong, before anything has changed', async () => {
    await using node = await alone();
    const any = defineProcess('any', { init: () => ({}) });
    const before = node.inspect().length;
    const wrong: readonly object[] = [
      { nam: 'x' },
      { name: '' },
      { strategy: 'global' },
      { restart: 'always' },
      { capabilities: [7] },
      { strategy: 'singleton' },
    ];
    for (const options of wrong) {
      expect(await failure(node.processes.start(any, options))).toMatchObject({ code: 'INVALID_OPTION' });
    }
    expect(node.inspect()).toHaveLength(before);
  });
});

describe('a full mailbox', () => {
  const full = (overflow: 'reject' | 'drop-newest' | 'drop-oldest', opened: Promise<void>) =>
    defineProcess('full', {
      mailboxMax: 3,
      overflow,
      init: () => ({ heard: [] as number[] }),
      calls: { block: async () => opened, heard: ({ state }) => state.heard },
      casts: { say: ({ state }, value: number) => void state.heard.push(value) },
    });

  it.each([
    { rule: 'reject', taken: [true, true, true, false, false], heard: [1, 2, 3] },
    { rule: 'drop-newest', taken: [true, true, true, true, true], heard: [1, 2, 3] },
    { rule: 'drop-oldest', taken: [true, true, true, true, true], heard: [3, 4, 5] },
  ] as const)('treats casts by the rule $rule; each drop is counted and told', async ({ rule, taken, heard }) => {
    const opening = gate();
    await using node = await alone();
    const overflows = listen(node, 'overflow');
    const ref = await node.processes.start(full(rule, opening.opened));
    const blocked = ref.block();
    await settled();
    expect([1, 2, 3, 4, 5].map((value) => ref.cast.say(value))).toEqual(taken);
    expect(node.counters().overflow).toBe(2);
    expect(overflows).toMatchObject([
      { pid: ref.pid, rule, kind: 'cast' },
      { pid: ref.pid, rule, kind: 'cast' },
    ]);
    opening.open();
    await blocked;
    expect(await ref.heard()).toEqual(heard);
  });

  it.each(['reject', 'drop-newest', 'drop-oldest'] as const)(
    'refuses calls at once with OVERLOADED under the rule %s',
    async (rule) => {
      const opening = gate();
      await using node = await alone();
      const overflows = listen(node, 'overflow');
      const ref = await node.processes.start(full(rule, opening.opened));
      const blocked = ref.block();
      await settled();
      for (const value of [1, 2, 3]) ref.cast.say(value);
      expect(await failure(ref.heard())).toMatchObject({
        code: 'OVERLOADED',
        outcome: 'not-executed',
        retryable: true,
        details: { mailboxMax: 3 },
      });
      expect(overflows).toMatchObject([{ kind: 'call' }]);
      opening.open();
      await blocked;
      expect(await ref.heard()).toEqual([1, 2, 3]);
    },
  );

  it('never gives up a call to make room for a cast', async () => {
    const opening = gate();
    await using node = await alone();
    const ref = await node.processes.start(full('drop-oldest', opening.opened));
    const calls = [ref.block(), ref.heard(), ref.heard(), ref.heard()];
    await settled();
    expect(ref.cast.say(1)).toBe(false);
    opening.open();
    expect((await Promise.all(calls)).slice(1)).toEqual([[], [], []]);
  });

  it('still takes timers and notices', async () => {
    const opening = gate();
    const clock = new ManualClock();
    const busy = defineProcess('busy', {
      mailboxMax: 1,
      init: () => ({ rang: 0 }),
      calls: {
        block: async (ctx) => {
          ctx.after(10, 'ring');
          await opening.opened;
        },
        rang: ({ state }) => state.rang,
      },
      casts: { fill: () => {} },
      timers: { ring: ({ state }) => void state.rang++ },
    });
    await using node = await alone({ clock });
    const ref = await node.processes.start(busy);
    const blocked = ref.block();
    await settled();
    expect([ref.cast.fill(), ref.cast.fill()]).toEqual([true, false]);
    await clock.advance(20);
    opening.open();
    await blocked;
    await settled();
    expect(await ref.rang()).toBe(1);
  });
});

/** Takes everything for what the type says. */
function anything<T>(): StandardSchemaV1<T, T> {
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } };
}

describe('a call with a schema', () => {
  const positive: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        Number(value) > 0
          ? { value: Number(value) }
          : { issues: [{ message: 'must be positive', path: ['amount', { key: 0 }] }] },
    },
  };
  const slowly: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        await settled();
        return positive['~standard'].validate(value);
      },
    },
  };
  const broken: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new Error('broken schema');
      },
    },
  };
  const till = defineProcess('till', {
    init: () => ({ sum: 0 }),
    calls: {
      add: call(positive, ({ state }, amount) => (state.sum += amount)),
      addSlowly: call(slowly, async ({ state }, amount) => Promise.resolve((state.sum += amount))),
      broken: call(broken, () => 1),
      sum: ({ state }) => state.sum,
    },
    casts: { put: call(positive, ({ state }, amount) => void (state.sum += amount)) },
  });

  it('hands the checked value to the handler', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    expect(await ref.add('2')).toBe(2);
    expect(await ref.addSlowly('3')).toBe(5);
  });

  it('refuses a bad value with INVALID_MESSAGE and the path, before the handler runs', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    for (const way of ['add', 'addSlowly'] as const) {
      const error = await failure(ref[way]('-1'));
      expect(error).toMatchObject({ code: 'INVALID_MESSAGE', outcome: 'not-executed' });
      expect(error.message).toContain('amount.0: must be positive');
      expect(error.details['issues']).toEqual([{ message: 'must be positive', path: ['amount', '0'] }]);
    }
    expect(await ref.sum()).toBe(0);
  });

  it('counts and tells of each bad value, of casts too', async () => {
    await using node = await alone();
    const invalid = listen(node, 'invalid-message');
    const ref = await node.processes.start(till);
    await failure(ref.add('-1'));
    ref.cast.put('-1');
    ref.cast.put('4');
    expect(await ref.sum()).toBe(4);
    expect(node.counters().invalidMessages).toBe(2);
    expect(invalid).toMatchObject([
      { pid: ref.pid, message: 'add' },
      { pid: ref.pid, message: 'put' },
    ]);
  });

  it('keeps the order while a check takes its time', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    const [slow, quick] = [ref.addSlowly('1'), ref.add('1')];
    expect(await Promise.all([slow, quick])).toEqual([1, 2]);
  });

  it('crashes when the schema does, like any code of the process', async () => {
    await using node = await alone();
    const [ref, other] = [await node.processes.start(till), await node.processes.start(till)];
    expect(await failure(ref.broken('1'))).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await other.add('1')).toBe(1);
  });
});

describe('values', () => {
  const mirror = defineProcess('mirror', {
    init: () => ({ kept: [] as object[] }),
    calls: {
      keep: ({ state }, value: { n: number }) => {
        state.kept.push(value);
        return value;
      },
      kept: ({ state }) => state.kept as { n: number }[],
    },
  });

  it('go by copy in the development and test profiles, so that what works there works remotely', async () => {
    for (const profile of ['development', 'test'] as const) {
      await using node = await alone({ profile });
      const ref = await node.processes.start(mirror);
      const value = { n: 1 };
      const back = await ref.keep(value);
      value.n = 2;
      back.n = 3;
      expect(await ref.kept()).toEqual([{ n: 1 }]);
    }
  });

  it('go by reference in production', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(mirror);
    const value = { n: 1 };
    expect(await ref.keep(value)).toBe(value);
  });
});

describe('a pid', () => {
  it('is never used again, and one of an earlier life of the node leads nowhere', async () => {
    await using node = await alone();
    const watcher = defineProcess('watcher', {
      init: () => ({ downs: [] as string[] }),
      calls: {
        watch: (ctx, pid: Pid) => void ctx.monitor(pid),
        downs: ({ state }) => state.downs,
      },
      info: { down: ({ state }, { reason }) => void state.downs.push(reason) },
    });
    const pids = new Set<string>();
    for (let round = 0; round < 20; round++) {
      pids.add(String((await node.processes.start(watcher)).pid));
    }
    expect(pids.size).toBe(20);
    const [ref, target] = [await node.processes.start(watcher), await node.processes.start(watcher)];
    const { pid } = target;
    if (pid === undefined) expect.unreachable();
    await ref.watch(new Pid(pid.node, pid.incarnation - 1, pid.serial));
    await settled();
    expect(await ref.downs()).toEqual(['no_process']);
    expect(anyBehaviour('watcher').isForeign).toBe(true);
  });
});
