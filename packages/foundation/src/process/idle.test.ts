import { defineProcess, type ReplyTo } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { failure, gate, listen } from '../../test/alone.ts';

const session = defineProcess('session', {
  idleMs: 1_000,
  init: () => ({ idles: [] as number[], open: (): void => {} }),
  calls: {
    touch: () => {},
    idles: ({ state }) => state.idles,
  },
  info: { idle: ({ state }, { idleMs }) => void state.idles.push(idleMs) },
});

describe('an idle process', () => {
  it('is told once when no message has come for its time, and again after the next one', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(session);
    await test.advance(990);
    expect(await ref.idles()).toEqual([]);
    await test.advance(500);
    await ref.touch();
    await test.advance(990);
    expect(await ref.idles()).toEqual([]);
    await test.advance(10_000);
    expect(await ref.idles()).toEqual([1_000]);
    await test.advance(10_000);
    expect(await ref.idles()).toEqual([1_000, 1_000]);
  });

  it('ends normally when it has no handler for that', async () => {
    const brief = defineProcess('brief', {
      idleMs: 1_000,
      init: () => ({}),
      calls: { touch: () => {} },
    });
    await using test = await testNode();
    const exits = listen(test.node, 'exit');
    const ref = await test.node.processes.start(brief);
    for (let round = 0; round < 5; round++) {
      await test.advance(800);
      await ref.touch();
    }
    expect(exits).toEqual([]);
    await test.advance(1_050);
    expect(exits).toMatchObject([{ pid: ref.pid, reason: 'normal' }]);
  });

  it('is not idle while a handler of it is at work', async () => {
    const opened = { open: (): void => {} };
    const working = defineProcess('working', {
      idleMs: 1_000,
      init: () => ({ idles: 0 }),
      calls: {
        work: () =>
          new Promise<void>((resolve) => {
            opened.open = resolve;
          }),
        idles: ({ state }) => state.idles,
      },
      info: { idle: ({ state }) => void state.idles++ },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(working);
    const work = ref.with({ timeoutMs: 60_000 }).work();
    await test.advance(5_000);
    opened.open();
    await work;
    expect(await ref.idles()).toBe(0);
    await test.advance(1_100);
    expect(await ref.idles()).toBe(1);
  });
});

describe('a process that still has something to do', () => {
  /** With a handler for the notice, or without one: then it ends instead. */
  const clerk = (idles: string[] | undefined) =>
    defineProcess('clerk', {
      idleMs: 1_000,
      init: () => ({ asked: [] as ReplyTo<void>[], isOpen: false, finish: (): void => {} }),
      calls: {
        ask: (ctx) => {
          const to = ctx.replyTo<void>();
          ctx.state.asked.push(to);
          return to;
        },
        wait: ({ state, defer }) => (state.isOpen ? undefined : defer()),
        finish: ({ state }) => {
          state.isOpen = true;
          state.finish();
          for (const each of state.asked) each.reply();
        },
      },
      casts: {
        work: (ctx) =>
          void ctx.later(() => new Promise<void>((resolve) => void (ctx.state.finish = resolve))),
      },
      info: idles === undefined ? {} : { idle: () => void idles.push('idle') },
    });

  it.each([
    { while: 'a reply is owed', way: 'ask', isTold: true },
    { while: 'a reply is owed', way: 'ask', isTold: false },
    { while: 'a message is deferred', way: 'wait', isTold: true },
    { while: 'a message is deferred', way: 'wait', isTold: false },
    { while: 'work goes on later', way: 'work', isTold: true },
    { while: 'work goes on later', way: 'work', isTold: false },
  ] as const)('is not idle while $while; told: $isTold', async ({ way, isTold }) => {
    const idles: string[] = [];
    await using test = await testNode();
    test.node.events.on('exit', ({ reason }) => idles.push(reason));
    const ref = await test.node.processes.start(clerk(isTold ? idles : undefined));
    const patient = ref.with({ timeoutMs: 60_000 });
    const done = way === 'work' ? ref.cast.work() : patient[way]();
    await test.advance(5_500);
    expect(idles).toEqual([]);
    await ref.finish();
    await done;
    await test.advance(990);
    expect(idles).toEqual([]);
    await test.advance(100);
    expect(idles).toEqual([isTold ? 'idle' : 'normal']);
  });

  it.each(['work', 'reply'] as const)(
    'is idle from when that is over, also where no message tells of it: %s',
    async (way) => {
      const working = gate();
      const worker = defineProcess('worker', {
        idleMs: 1_000,
        init: () => ({}),
        calls: {
          reply: (ctx) => {
            const to = ctx.replyTo<void>();
            void working.opened.then(() => to.reply());
            return to;
          },
        },
        casts: { work: (ctx) => void ctx.later(() => working.opened) },
      });
      await using test = await testNode();
      const exits = listen(test.node, 'exit');
      const ref = await test.node.processes.start(worker);
      const done = way === 'work' ? ref.cast.work() : ref.with({ timeoutMs: 60_000 }).reply();
      await test.advance(5_900);
      working.open();
      await done;
      await test.advance(990);
      expect(exits).toEqual([]);
      await test.advance(100);
      expect(exits).toMatchObject([{ reason: 'normal' }]);
    },
  );

  it('is idle when nobody waits any more for what it owes', async () => {
    const idles: string[] = [];
    await using test = await testNode();
    const ref = await test.node.processes.start(clerk(idles));
    const asked = failure(ref.with({ timeoutMs: 1_500 }).ask());
    await test.advance(1_400);
    expect(idles).toEqual([]);
    await test.advance(1_100);
    expect(await asked).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(idles).toEqual(['idle']);
  });

  it.each([true, false])('is not idle while it is suspended; told: %s', async (isTold) => {
    const idles: string[] = [];
    await using test = await testNode();
    test.node.events.on('exit', ({ reason }) => idles.push(reason));
    const ref = await test.node.processes.start(clerk(isTold ? idles : undefined));
    await test.node.processes.inspect(ref).suspend();
    await test.advance(5_900);
    await test.node.processes.inspect(ref).resume();
    await test.advance(990);
    expect(idles).toEqual([]);
    await test.advance(100);
    expect(idles).toEqual([isTold ? 'idle' : 'normal']);
  });
});
