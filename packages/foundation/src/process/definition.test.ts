import {
  call,
  cast,
  defineProcess,
  isRefused,
  refuse,
  type Context,
  type Pid,
  type Ref,
  type Refused,
} from '@foundation/core';
import { testNode } from '@foundation/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone } from '../../test/alone.ts';

const init = (): { n: number } => ({ n: 0 });
const invalid = (text: string): object => ({
  code: 'INVALID_DEFINITION',
  message: expect.stringContaining(text),
});

/** Whatever is not typed as it must be: what a JavaScript user may write. */
function defineAnything(name: unknown, spec: unknown): () => unknown {
  return () => defineProcess(name as string, spec as { init: () => object });
}

describe('a bad definition is refused', () => {
  it('without a name, or with one that cannot be one', () => {
    for (const name of ['', ' x', 'a\nb', 'x'.repeat(201), 7, undefined]) {
      expect(defineAnything(name, { init })).toThrow(
        expect.objectContaining(invalid('has no valid name')),
      );
    }
  });

  it('without `init`, or without anything', () => {
    expect(defineAnything('x', {})).toThrow(expect.objectContaining(invalid('has no `init`')));
    expect(defineAnything('x', undefined)).toThrow(
      expect.objectContaining(invalid('is undefined, and no object')),
    );
  });

  it('with a call that has a reserved name, as `then` would make `await ref` hang', () => {
    for (const word of ['then', 'with', 'try', 'cast', 'pid']) {
      expect(defineAnything('x', { init, calls: { [word]: () => 1 } })).toThrow(
        expect.objectContaining(invalid(`"${word}"`)),
      );
    }
  });

  it('with a handler that is no function, naming it', () => {
    for (const table of ['calls', 'casts', 'timers', 'info']) {
      expect(defineAnything('x', { init, [table]: { go: 5 } })).toThrow(
        expect.objectContaining(invalid(`${table}.go`)),
      );
    }
    expect(defineAnything('x', { init, terminate: 5 })).toThrow(
      expect.objectContaining(invalid('terminate')),
    );
  });

  it('with a mailbox that can hold nothing', () => {
    for (const mailboxMax of [0, -1, Number.NaN]) {
      expect(defineAnything('x', { init, mailboxMax })).toThrow(
        expect.objectContaining(invalid('mailboxMax')),
      );
    }
  });

  it('with an overflow rule or an isolation that does not exist', () => {
    expect(defineAnything('x', { init, overflow: 'drop' })).toThrow(
      expect.objectContaining(invalid('overflow')),
    );
    expect(defineAnything('x', { init, isolation: 'process' })).toThrow(
      expect.objectContaining(invalid('isolation')),
    );
  });

  it('with a table that is none, or an overflow rule without a text of its own', () => {
    for (const [calls, shown] of [
      [5, '5'],
      [null, 'null'],
      ['abc', "'abc'"],
      [[() => 1], '[ [Function'],
    ]) {
      expect(defineAnything('x', { init, calls })).toThrow(
        expect.objectContaining(invalid(`has \`calls\` ${String(shown)}`)),
      );
    }
    expect(defineAnything('x', { init, overflow: Object.create(null) })).toThrow(
      expect.objectContaining(invalid('has `overflow` [Object: null prototype] {}')),
    );
  });

  it('with `snapshot` or `restore`, but not `durable`', () => {
    for (const field of ['snapshot', 'restore']) {
      for (const durable of [undefined, false]) {
        expect(defineAnything('x', { init, durable, [field]: () => ({}) })).toThrow(
          expect.objectContaining(invalid(`has \`${field}\`, but not \`durable: true\``)),
        );
      }
      expect(defineAnything('x', { init, durable: true, [field]: () => ({}) })).not.toThrow();
    }
  });

  it('with a schema that is none, or a checked handler that is no function', () => {
    const handler = (): number => 1;
    for (const [make, message] of [
      [() => call({} as never, handler), 'the input to be a Standard Schema, got: {}'],
      [
        () => call(positive, handler, 5 as unknown as undefined),
        'the reply to be a Standard Schema, got: 5',
      ],
      [() => call(positive, 5 as never), 'the handler to be a function, got: 5'],
      [() => cast(null as never, () => {}), 'the input to be a Standard Schema, got: null'],
      [() => cast(positive, undefined as never), 'the handler to be a function, got: undefined'],
    ] as const) {
      expect(make).toThrow(expect.objectContaining(invalid(message)));
    }
  });

  it('with a misspelt field, telling which was probably meant', () => {
    expect(defineAnything('x', { init, cals: {} })).toThrow(
      expect.objectContaining(invalid('did you mean `calls`')),
    );
  });

  it('for a thread without `module`, and for what only a thread can keep', () => {
    expect(defineAnything('x', { init, isolation: 'thread' })).toThrow(
      expect.objectContaining(invalid('module')),
    );
    for (const [field, value] of Object.entries({
      thread: 'x',
      maxBusyMs: 5,
      threadMemoryMb: 64,
    })) {
      expect(defineAnything('x', { init, [field]: value })).toThrow(
        expect.objectContaining(invalid(`\`${field}\``)),
      );
    }
  });

  it('when it is started though `defineProcess` did not make it', async () => {
    await using node = await alone();
    await expect(node.processes.start({ name: 'x' })).rejects.toMatchObject(
      invalid('defineProcess'),
    );
  });

  it('with code, message and a hint', () => {
    expect(defineAnything('x', {})).toThrow(
      expect.objectContaining({
        name: 'FoundationError',
        code: 'INVALID_DEFINITION',
        retryable: false,
        outcome: 'not-executed',
        hint: expect.stringContaining('processes.md'),
      }),
    );
  });
});

// ── types: checked by tsc, these functions are never run ─────────────────────

const positive: StandardSchemaV1<string, number> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: Number(value) }) },
};

interface ShopApi {
  calls: { take(amount: number): number };
}
interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}

const account = defineProcess('account', {
  init: (opening: { balance: number }) =>
    opening.balance < 0 ? refuse('NEGATIVE_OPENING') : { balance: opening.balance, seen: 0 },
  timers: {
    tick: (ctx) => {
      ctx.state.seen++;
      ctx.after(1_000, 'tick');
      // @ts-expect-error -- there is no such timer
      ctx.after(1_000, 'tik');
    },
  },
  calls: {
    balance: ({ state }) => state.balance,
    withdraw({ state }, amount: number) {
      if (amount > state.balance) return refuse('INSUFFICIENT_FUNDS', { balance: state.balance });
      return (state.balance -= amount);
    },
    pay: (ctx, to: Ref<ShopApi>, amount: number) => ctx.later(() => to.take(amount)),
    deposit: call(positive, ({ state }, amount) => {
      expectTypeOf(amount).toEqualTypeOf<number>();
      return (state.balance += amount);
    }),
    slow: async ({ state }) => Promise.resolve(String(state.balance)),
    tree: (_ctx, tree: Tree) => tree,
    socket: (_ctx, _socket: { readonly close: () => void }) => 1,
    gives: () => ({ secret: Symbol('secret') }),
  },
  casts: {
    close: (ctx) => ctx.stop('normal'),
    add({ state }, amount: number) {
      state.balance += amount;
    },
  },
  info: {
    down: ({ state }, notice) => {
      expectTypeOf(notice.pid).toEqualTypeOf<Pid>();
      state.seen = 0;
    },
  },
});
const shop = defineProcess('shop', {
  init: () => ({ sold: 0 }),
  calls: { take: ({ state }, amount: number) => (state.sold += amount) },
});

describe('the types of a definition', () => {
  it('infer state, arguments and replies from one object', () => {
    const check = async (ref: Ref<typeof account>): Promise<void> => {
      expectTypeOf(ref.balance()).resolves.toEqualTypeOf<number>();
      expectTypeOf(ref.slow()).resolves.toEqualTypeOf<string>();
      expectTypeOf(ref.withdraw).parameters.toEqualTypeOf<[amount: number]>();
      expectTypeOf(ref.withdraw(1)).resolves.toEqualTypeOf<number>();
      expectTypeOf(ref.with({ timeoutMs: 1 }).balance()).resolves.toEqualTypeOf<number>();
      // @ts-expect-error -- an argument of the wrong type
      void ref.withdraw('1');
      // @ts-expect-error -- there is no such call
      void ref.withdrow(1);
    };
    expect(check).toBeTypeOf('function');
  });

  it('tell a refusal apart where it is asked for', () => {
    const check = async (ref: Ref<typeof account>): Promise<void> => {
      const answer = await ref.try.withdraw(1);
      expectTypeOf(answer).toEqualTypeOf<
        number | Refused<'INSUFFICIENT_FUNDS', { balance: number }>
      >();
      if (isRefused(answer)) expectTypeOf(answer.data.balance).toEqualTypeOf<number>();
      else expectTypeOf(answer).toEqualTypeOf<number>();
    };
    expect(check).toBeTypeOf('function');
  });

  it('see through `later` and through schemas', () => {
    const check = async (ref: Ref<typeof account>, other: Ref<typeof shop>): Promise<void> => {
      expectTypeOf(ref.pay(other, 1)).resolves.toEqualTypeOf<number>();
      expectTypeOf(ref.deposit).parameters.toEqualTypeOf<[input: string]>();
      expectTypeOf(ref.deposit('1')).resolves.toEqualTypeOf<number>();
    };
    expect(check).toBeTypeOf('function');
  });

  it('take a schema in calls and casts, with and without timers', () => {
    const till = defineProcess('till', {
      init,
      calls: { add: call(positive, ({ state }, amount) => (state.n += amount)), one: () => 1 },
      casts: { put: call(positive, ({ state }, amount) => void (state.n += amount)) },
    });
    const check = (ref: Ref<typeof till>): void => {
      expectTypeOf(ref.add('1')).resolves.toEqualTypeOf<number>();
      expectTypeOf(ref.cast.put).parameters.toEqualTypeOf<[input: string]>();
    };
    expect(check).toBeTypeOf('function');
  });

  it('offer casts apart from calls, and neither timers nor state', () => {
    const check = (ref: Ref<typeof account>): void => {
      expectTypeOf(ref.cast.add(1)).toEqualTypeOf<boolean>();
      // @ts-expect-error -- a cast is no call
      void ref.close();
      // @ts-expect-error -- a timer is private
      void ref.tick();
      // @ts-expect-error -- so is the state
      void ref.state;
    };
    expect(check).toBeTypeOf('function');
  });

  it('do not compile values that cannot cross nodes, recursive ones that can do', () => {
    const check = (ref: Ref<typeof account>): void => {
      expectTypeOf(ref.tree({ value: 1, children: [] })).resolves.toEqualTypeOf<Tree>();
      // @ts-expect-error -- a function cannot be sent
      void ref.socket({ close: () => {} });
      // @ts-expect-error -- a symbol cannot be sent back
      void ref.gives();
    };
    expect(check).toBeTypeOf('function');
  });

  it('ask for `init` where there must be one, and refuse a state that is no object', () => {
    const check = async (node: Awaited<ReturnType<typeof alone>>): Promise<void> => {
      await node.processes.start(shop);
      await node.processes.start(account, { init: { balance: 1 } });
      // @ts-expect-error -- `init` is missing
      await node.processes.start(account);
      // @ts-expect-error -- a number would be changed in a local copy
      defineProcess('bad', { init: () => 0 });
    };
    expect(check).toBeTypeOf('function');
  });

  it('refuse reserved names of calls', () => {
    const check = (): void => {
      // @ts-expect-error -- reserved
      defineProcess('bad', { init, calls: { with: () => 1 } });
    };
    expect(check).toBeTypeOf('function');
  });

  it('give a context without timers no timer to set', () => {
    expectTypeOf<Context<{ n: number }>['after']>().parameters.toEqualTypeOf<
      [ms: number, timer: never]
    >();
  });

  it('know the casts of the process itself by name, and no others', () => {
    const check = (): void => {
      defineProcess('self', {
        init: () => ({ n: 0 }),
        continue: (ctx) => void ctx.cast.add(1),
        casts: { add: ({ state }, by: number) => void (state.n += by) },
        // @ts-expect-error -- there is no such cast
        calls: { go: (ctx) => ctx.cast.ad(1) },
      });
      defineProcess('none', {
        init: () => ({ n: 0 }),
        // @ts-expect-error -- there are no casts
        calls: { go: (ctx) => ctx.cast.add(1) },
      });
    };
    expect(check).toBeTypeOf('function');
  });

  it('see through deferred messages and replies taken into hand', () => {
    const shelf = defineProcess('shelf', {
      init: () => ({ items: [] as string[] }),
      calls: {
        take: ({ state, defer }) => state.items.shift() ?? defer(),
        ask: (ctx) => ctx.replyTo<Date>(),
      },
    });
    const check = (ref: Ref<typeof shelf>): void => {
      expectTypeOf(ref.take()).resolves.toEqualTypeOf<string>();
      expectTypeOf(ref.ask()).resolves.toEqualTypeOf<Date>();
    };
    expect(check).toBeTypeOf('function');
  });

  it('let casts, timers and continuations return work that goes on', async () => {
    const busy = defineProcess('busy', {
      init: () => ({ done: [] as string[] }),
      continue: (ctx) => ctx.later(async () => void ctx.state.done.push('continue')),
      casts: {
        go: (ctx) =>
          ctx.later(async () => {
            await Promise.resolve();
            ctx.state.done.push('cast');
          }),
        goAsync: async (ctx) => ctx.later(async () => void ctx.state.done.push('async cast')),
      },
      timers: { tick: (ctx) => ctx.later(async () => void ctx.state.done.push('timer')) },
      calls: { setTimer: (ctx) => ctx.after(100, 'tick'), done: ({ state }) => state.done },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(busy);
    ref.cast.go();
    ref.cast.goAsync();
    await ref.setTimer();
    await test.advance(200);
    expect(await ref.done()).toEqual(['continue', 'cast', 'async cast', 'timer']);
  });
});
