import { queryObjects } from 'node:v8';

import { defineProcess, type Ref, type RequestContext } from '@foundation/core';
import { eventually, testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { Request } from './request.ts';

interface Seen {
  readonly requestId: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly remainingMs: number;
}
function seen(request: RequestContext | undefined): Seen | undefined {
  if (request === undefined) return undefined;
  const { requestId, values, remainingMs } = request;
  return { requestId, values, remainingMs };
}

interface NoterApi {
  readonly casts: { note(): void };
  readonly calls: { look(): Seen | undefined };
}
const noter = defineProcess('noter', {
  init: () => ({ seen: [] as (Seen | undefined)[] }),
  calls: {
    look: (ctx) => seen(ctx.request),
    lookAfterAwait: async (ctx) => {
      await settled();
      return seen(ctx.request);
    },
    lookLater: (ctx) =>
      ctx.later(async () => {
        await settled();
        return seen(ctx.request);
      }),
    ask: async (_ctx, other: Ref<NoterApi>) => {
      await settled();
      return other.look();
    },
    send: (_ctx, other: Ref<NoterApi>) => other.cast.note(),
    sendToSelf: (ctx) => void ctx.cast.note(),
    setTimer: (ctx, ms: number) => ctx.after(ms, 'note'),
    repeat: (ctx, ms: number) => ctx.every(ms, 'note'),
    seen: ({ state }) => state.seen,
    remaining: (ctx) => ctx.remainingMs,
  },
  casts: { note: (ctx) => void ctx.state.seen.push(seen(ctx.request)) },
  timers: { note: (ctx) => void ctx.state.seen.push(seen(ctx.request)) },
});

const acme = { requestId: 'r-1', values: { tenant: 'acme' } };
const expected = { ...acme, remainingMs: Infinity };

describe('a request context', () => {
  it('is nowhere unless somebody has begun one', async () => {
    await using node = await alone();
    const ref = await node.processes.start(noter);
    expect(node.context.current()).toBeUndefined();
    expect(await ref.look()).toBeUndefined();
  });

  it('follows calls, across awaits, later work and further calls', async () => {
    await using node = await alone();
    const [a, b] = [await node.processes.start(noter), await node.processes.start(noter)];
    await node.context.run(acme, async () => {
      expect(seen(node.context.current())).toEqual(expected);
      expect(await a.look()).toEqual(expected);
      expect(await a.lookAfterAwait()).toEqual(expected);
      expect(await a.lookLater()).toEqual(expected);
      expect(await a.ask(b)).toEqual(expected);
    });
    expect(await a.look()).toBeUndefined();
  });

  it('follows casts, self-casts and timers, one-shot and periodic', async () => {
    await using test = await testNode();
    const [a, b] = [await test.node.processes.start(noter), await test.node.processes.start(noter)];
    await test.node.context.run(acme, async () => {
      await a.send(b);
      await a.sendToSelf();
      await a.setTimer(100);
    });
    await b.repeat(100);
    await test.advance(150);
    expect(await b.seen()).toEqual([expected, undefined]);
    expect(await a.seen()).toEqual([expected, expected]);
    await test.node.context.run(acme, () => a.repeat(100));
    await test.advance(250);
    expect((await a.seen()).slice(2)).toEqual([expected, expected]);
  });

  it('follows into a process that is started: into init, its continuation and its timers', async () => {
    await using test = await testNode();
    const { node } = test;
    const log: (string | undefined)[] = [];
    const started = defineProcess('started', {
      init: async () => {
        log.push(node.context.current()?.requestId);
        await Promise.resolve();
        log.push(node.context.current()?.requestId);
        return {};
      },
      continue: (ctx) => {
        log.push(ctx.request?.requestId);
        ctx.after(10, 'tick');
      },
      timers: { tick: (ctx) => void log.push(ctx.request?.requestId) },
      calls: { look: (ctx) => ctx.request?.requestId },
    });
    const ref = await node.context.run(acme, () => node.processes.start(started));
    await test.advance(20);
    expect(log).toEqual(['r-1', 'r-1', 'r-1', 'r-1']);
    expect(await ref.look()).toBeUndefined();
  });

  it('is told apart between messages of different requests in one batch', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(noter);
    for (let round = 0; round < 40; round++) await ref.look();
    for (const requestId of ['a', 'a', 'b', undefined, 'a']) {
      if (requestId === undefined) ref.cast.note();
      else node.context.run({ requestId }, () => ref.cast.note());
    }
    const ids = (await ref.seen()).map((each) => each?.requestId);
    expect(ids).toEqual(['a', 'a', 'b', undefined, 'a']);
  });

  it('reaches what a synchronous handler leaves behind, and nothing of the next request', async () => {
    const found: (string | undefined)[] = [];
    await using node = await alone({ profile: 'production' });
    const careless = defineProcess('careless', {
      init: () => ({}),
      casts: {
        go: () => {
          void settled().then(() => found.push(node.context.current()?.requestId));
        },
      },
    });
    const ref = await node.processes.start(careless);
    for (let round = 0; round < 20; round++) {
      const requestId = `r${round % 3}`;
      if (round % 3 === 2) ref.cast.go();
      else node.context.run({ requestId }, () => ref.cast.go());
    }
    await settled();
    await settled();
    expect(found).toEqual(
      Array.from({ length: 20 }, (_, round) => (round % 3 === 2 ? undefined : `r${round % 3}`)),
    );
  });

  it('adds to the one at hand, and gives an id of its own to the first', async () => {
    await using node = await alone();
    node.context.run({ values: { a: 1 } }, () => {
      const outer = present(node.context.current());
      expect(outer.requestId).toMatch(/^[\da-f]{16}$/u);
      node.context.run({ values: { b: 2 } }, () => {
        expect(seen(node.context.current())).toEqual({
          requestId: outer.requestId,
          values: { a: 1, b: 2 },
          remainingMs: Infinity,
        });
      });
      expect(outer.values).toEqual({ a: 1 });
    });
  });

  it('cannot be changed by those it passes through', async () => {
    await using node = await alone({ profile: 'production' });
    const given = { list: [1, 2] };
    node.context.run({ values: given }, () => {
      const { values } = present(node.context.current()) as unknown as {
        values: { list: number[] };
      };
      expect(() => values.list.push(3)).toThrow(TypeError);
      given.list.push(4);
      expect(values.list).toEqual([1, 2]);
    });
  });

  it('is not kept by who has worked for it, once there is other work', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(noter);
    const requests = (): number => queryObjects(Request, { format: 'count' });
    const before = requests();
    await node.context.run(acme, async () => {
      for (let times = 0; times < 20; times++) await ref.look();
    });
    await ref.look();
    // A timer of the deadlines was set in it.
    await eventually('it is let go', () => requests() === before, { everyMs: 50 });
  });

  it('is refused when it is too large or cannot be sent, before anything runs', async () => {
    await using node = await alone();
    let ran = false;
    const run = (options: object): unknown => node.context.run(options, () => (ran = true));
    for (const [options, code] of [
      [{ values: { text: 'x'.repeat(70_000) } }, 'CONTEXT_TOO_LARGE'],
      [{ values: { close: () => {} } }, 'NOT_SERIALIZABLE'],
      [{ values: [] }, 'INVALID_OPTION'],
      [{ values: new Map() }, 'INVALID_OPTION'],
      [{ values: null }, 'INVALID_OPTION'],
      [{ requestId: '' }, 'INVALID_OPTION'],
      [{ requestId: 'a\u001B[31m' }, 'INVALID_OPTION'],
      [{ timeoutMs: 0 }, 'INVALID_OPTION'],
      [{ timeoutMs: Number.NaN }, 'INVALID_OPTION'],
      [{ timeout: 5 }, 'INVALID_OPTION'],
    ] as const) {
      expect(() => run(options), JSON.stringify(options).slice(0, 50)).toThrow(
        expect.objectContaining({ code }),
      );
    }
    expect(ran).toBe(false);
  });
});

describe('the deadline of a request', () => {
  it('bounds every call made for it, however far away', async () => {
    await using test = await testNode();
    const [a, b] = [await test.node.processes.start(noter), await test.node.processes.start(noter)];
    await test.node.context.run({ timeoutMs: 1_000 }, async () => {
      expect(await a.remaining()).toBe(1_000);
      expect((await a.ask(b))?.remainingMs).toBe(1_000);
      await test.advance(400);
      expect(await a.remaining()).toBe(600);
      expect(await a.with({ timeoutMs: 50 }).remaining()).toBeLessThanOrEqual(50);
    });
  });

  it('is the sooner one of two', async () => {
    await using test = await testNode();
    const { context } = test.node;
    context.run({ timeoutMs: 1_000 }, () => {
      context.run({ timeoutMs: 5_000 }, () => expect(context.current()?.remainingMs).toBe(1_000));
      context.run({ timeoutMs: 10 }, () => expect(context.current()?.remainingMs).toBe(10));
    });
  });

  it('that has passed lets no call begin: nothing was executed', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(noter);
    await test.node.context.run({ timeoutMs: 100 }, async () => {
      await test.advance(200);
      expect(await failure(ref.look())).toMatchObject({
        code: 'CALL_TIMEOUT',
        outcome: 'not-executed',
      });
    });
  });

  it('follows casts and timers until it passes; then they have limits of their own', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(noter);
    const asker = defineProcess('asker', {
      init: () => ({ left: [] as number[] }),
      casts: {
        ask: async ({ state }, to: Ref<{ calls: { remaining(): number } }>) => {
          state.left.push(await to.remaining());
        },
      },
      timers: { ask: (ctx) => void ctx.state.left.push(ctx.remainingMs) },
      calls: { left: ({ state }) => state.left, set: (ctx) => ctx.every(300, 'ask') },
    });
    const other = await test.node.processes.start(asker);
    await test.node.context.run({ timeoutMs: 500 }, async () => {
      other.cast.ask(ref);
      await other.set();
    });
    await test.advance(650);
    expect(await other.left()).toEqual([500, 200, Infinity]);
  });
});
