import { defineProcess, defineSupervisor, type Node } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

const odd: readonly unknown[] = [
  undefined,
  null,
  'text',
  7,
  Symbol('s'),
  Object.create(null),
  () => 1,
];

const thrower = defineProcess('thrower', {
  init: () => ({}),
  calls: {
    now: (_ctx, at: number) => {
      // oxlint-disable-next-line typescript/only-throw-error -- what must be survived
      throw odd[at];
    },
    late: async (_ctx, at: number) => {
      await Promise.resolve();
      // oxlint-disable-next-line typescript/only-throw-error -- what must be survived
      throw odd[at];
    },
    later: (ctx, at: number) =>
      ctx.later(async () => {
        await Promise.resolve();
        // oxlint-disable-next-line typescript/only-throw-error -- what must be survived
        throw odd[at];
      }),
    /** Something with a `then` that is no promise of ours. */
    // oxlint-disable-next-line unicorn/no-thenable -- what must be survived
    thenable: (): unknown => ({ then: (resolve: (value: string) => void) => resolve('from afar') }),
    brokenThenable: (): unknown => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what must be survived
      then: () => {
        throw new Error('no then');
      },
    }),
    unserializable: (): unknown => ({ list: [{ socket: () => 1 }] }),
    circular: (): unknown => {
      const loop: { self?: unknown } = {};
      loop.self = loop;
      return loop;
    },
    getter: (): unknown =>
      Object.defineProperty({}, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('no x');
        },
      }),
  },
});

async function isWell(node: Node): Promise<boolean> {
  const ref = await node.processes.start(thrower);
  return (await ref.thenable()) === 'from afar';
}

describe('a handler that throws what is no error', () => {
  it.each(['now', 'late', 'later'] as const)('crashes its process alone: %s', async (way) => {
    for (const profile of ['production', 'test'] as const) {
      await using node = await alone({ profile });
      const crashes = listen(node, 'crash');
      for (let at = 0; at < odd.length; at++) {
        const ref = await node.processes.start(thrower);
        const error = await failure(ref[way](at));
        expect(error).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
        expect(error.message.length).toBeGreaterThan(10);
      }
      expect(crashes).toHaveLength(odd.length);
      expect(await isWell(node)).toBe(true);
    }
  });
});

describe('a handler that returns what cannot be waited for or sent', () => {
  it('is awaited like a promise when it has a `then`, and crashes when that throws', async () => {
    await using node = await alone();
    expect(await isWell(node)).toBe(true);
    const exits = listen(node, 'exit');
    const ref = await node.processes.start(thrower);
    expect(await failure(ref.brokenThenable())).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(exits).toMatchObject([{ reason: 'crash' }]);
  });

  it('fails with INVALID_REPLY and the path; the process lives on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(thrower);
    const error = await failure(ref.unserializable());
    expect(error).toMatchObject({ code: 'INVALID_REPLY', outcome: 'unknown' });
    expect(error.cause).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining('list[0].socket'),
    });
    expect(await failure(ref.circular())).toMatchObject({ code: 'INVALID_REPLY' });
    expect(await failure(ref.getter())).toMatchObject({ code: 'INVALID_REPLY' });
    expect(await ref.thenable()).toBe('from afar');
  });
});

describe('a handler that never settles', () => {
  it('holds up its own mailbox only, is told of, and is left behind by whoever stops it', async () => {
    const hanging = defineProcess('hanging', {
      stuckMs: 1_000,
      init: () => ({}),
      calls: { hang: () => new Promise<void>(() => {}), ok: () => true },
    });
    await using test = await testNode();
    const stuck = listen(test.node, 'stuck');
    const ref = await test.node.processes.start(hanging, { name: 'hanging' });
    const hung = failure(ref.with({ timeoutMs: 600_000 }).hang());
    const behind = failure(ref.ok());
    await test.advance(6_000);
    expect(await behind).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(stuck).toMatchObject([{ who: 'hanging "hanging"', afterMs: 1_000 }]);
    expect(await isWell(test.node)).toBe(true);
    await test.node.processes.stop(ref, { reason: 'killed' });
    expect(await hung).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
    expect(await (await test.node.processes.start(hanging, { name: 'hanging' })).ok()).toBe(true);
  });
});

describe('limits that are none', () => {
  const init = (): object => ({});

  it.each(['mailboxMax', 'deferredMax', 'initTimeoutMs', 'stuckMs', 'idleMs'] as const)(
    'are refused by defineProcess, with the value: %s',
    (field) => {
      for (const value of [-1, 0, Number.NaN, '5', null, {}]) {
        expect(() => defineProcess('x', { init, [field]: value as never }), typeof value).toThrow(
          expect.objectContaining({
            code: 'INVALID_DEFINITION',
            message: expect.stringContaining(field),
          }),
        );
      }
      expect(() => defineProcess('x', { init, [field]: Infinity })).not.toThrow();
    },
  );

  it('are refused by calls', async () => {
    await using node = await alone();
    const ref = await node.processes.start(thrower);
    for (const timeoutMs of [-1, 0, Number.NaN, Infinity, '5' as never]) {
      expect(() => ref.with({ timeoutMs })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      );
    }
  });

  it('are refused by definitions with notices that do not exist', () => {
    expect(() => defineProcess('x', { init, info: { don: () => {} } as never })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: expect.stringContaining('info.don'),
      }),
    );
  });
});

describe('a timer that is not defined', () => {
  it('cannot be set or cancelled: that crashes the process, with the name', async () => {
    await using node = await alone();
    const ticking = defineProcess('ticking', {
      init: () => ({}),
      timers: { tick: () => {} },
      calls: {
        after: (ctx, timer: unknown) => ctx.after(5, timer as 'tick'),
        every: (ctx, timer: unknown) => ctx.every(5, timer as 'tick'),
        cancel: (ctx, timer: unknown) => ctx.cancel(timer as 'tick'),
      },
    });
    for (const way of ['after', 'every', 'cancel'] as const) {
      for (const [timer, shown] of [
        ['tik', "'tik'"],
        [undefined, 'undefined'],
        ['toString', "'toString'"],
      ] as const) {
        const ref = await node.processes.start(ticking);
        expect((await failure(ref[way](timer))).cause).toMatchObject({
          code: 'INVALID_OPTION',
          message: expect.stringContaining(`one of its \`timers\`, got: ${shown}`),
        });
      }
    }
  });
});

describe('a state that is none', () => {
  it('cannot take the place of one', async () => {
    await using node = await alone();
    const holder = defineProcess('holder', {
      init: () => ({}),
      calls: { put: (ctx, state: unknown) => void (ctx.state = state as object) },
    });
    for (const state of [3, null, undefined]) {
      const ref = await node.processes.start(holder);
      expect((await failure(ref.put(state))).cause).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`to be an object, got: ${state}`),
      });
    }
  });
});

describe('a supervisor that is none', () => {
  it.each([
    [undefined, '`options` to be an object with its children, got: undefined'],
    ['children', "got: 'children'"],
    [{}, '`children` to be a list of children, got: undefined'],
    [{ children: { a: thrower } }, 'a list of children, got: '],
    [{ children: [thrower, undefined] }, '`children[1]` to be a definition'],
    [{ children: [5] }, 'or what `child` gives, got: 5'],
  ])('is refused, with the value: %o', (options, message) => {
    expect(() => defineSupervisor('x', options as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('names that collide', () => {
  it('are refused to all but one, however many start at once', async () => {
    await using node = await alone();
    const slow = defineProcess('slow', {
      init: async () => {
        await settled();
        return {};
      },
    });
    const starts = Array.from({ length: 20 }, () => node.processes.start(slow, { name: 'one' }));
    const outcomes = await Promise.allSettled(starts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const errors = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(errors.map(({ code }: { code: string }) => code)).toEqual(
      Array.from({ length: 19 }, () => 'NAME_TAKEN'),
    );
  });
});

describe('a dead process', () => {
  it('takes a million messages without a trace', async () => {
    await using node = await alone({ profile: 'production' });
    const quick = defineProcess('quick', {
      init: () => ({}),
      casts: { note: () => {} },
      calls: { ask: () => true },
    });
    const ref = await node.processes.start(quick, { name: 'dead' });
    const byPid = await node.processes.start(quick);
    await node.processes.stop(ref);
    await node.processes.stop(byPid);
    let taken = 0;
    for (let count = 0; count < 500_000; count++) {
      if (ref.cast.note()) taken++;
      if (byPid.cast.note()) taken++;
    }
    expect(taken).toBe(0);
    const calls = Array.from({ length: 2_000 }, () => failure(ref.ask()));
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'NO_PROCESS', outcome: 'not-executed' });
    }
    expect((await node.processes.list()).length).toBe(1);
  });
});
