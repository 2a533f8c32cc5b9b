import { call, cast, defineProcess, refuse } from '@foundation/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

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
    casts: { put: cast(positive, ({ state }, amount) => void (state.sum += amount)) },
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
      expect(error.details['issues']).toEqual([
        { message: 'must be positive', path: ['amount', '0'] },
      ]);
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

  describe('of the reply', () => {
    const text: StandardSchemaV1<number, string> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          typeof value === 'number' && value >= 0
            ? { value: `${value} €` }
            : { issues: [{ message: 'must not be negative' }] },
      },
    };
    const textLater: StandardSchemaV1<number, string> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => Promise.resolve(text['~standard'].validate(value)),
      },
    };
    const purse = defineProcess('purse', {
      init: () => ({ sum: 0 }),
      calls: {
        add: call(positive, ({ state }, amount) => (state.sum += amount), text),
        take: call(positive, ({ state }, amount) => (state.sum -= amount), textLater),
        sum: call(undefined, ({ state }) => state.sum, text),
        later: call(
          undefined,
          (ctx) => ctx.later(async () => Promise.resolve(ctx.state.sum)),
          text,
        ),
        held: call(
          undefined,
          (ctx) => {
            const to = ctx.replyTo<number>();
            to.reply(ctx.state.sum);
            return to;
          },
          text,
        ),
        no: call(undefined, ({ state }) => (state.sum > 0 ? refuse('FULL') : state.sum), text),
      },
    });

    it('hands the checked reply to the caller, however it is given', async () => {
      await using node = await alone();
      const ref = await node.processes.start(purse);
      expect(await ref.add('2')).toBe('2 €');
      expect(await ref.sum()).toBe('2 €');
      expect(await ref.later()).toBe('2 €');
      expect(await ref.held()).toBe('2 €');
      expect(await ref.take('1')).toBe('1 €');
      expectTypeOf(ref.sum).returns.resolves.toEqualTypeOf<string>();
      expectTypeOf(ref.later).returns.resolves.toEqualTypeOf<string>();
    });

    it('does not look at refusals', async () => {
      await using node = await alone();
      const ref = await node.processes.start(purse);
      expect(await ref.no()).toBe('0 €');
      await ref.add('1');
      expect(await failure(ref.no())).toMatchObject({ code: 'REFUSED', details: { code: 'FULL' } });
    });

    it('fails with INVALID_REPLY, which leaves open what happened; the process lives on', async () => {
      await using node = await alone();
      const told = listen(node, 'invalid-reply');
      const ref = await node.processes.start(purse);
      expect(await failure(ref.take('3'))).toMatchObject({
        code: 'INVALID_REPLY',
        outcome: 'unknown',
        message: expect.stringContaining('must not be negative'),
      });
      expect(await failure(ref.sum())).toMatchObject({ code: 'INVALID_REPLY' });
      expect(await ref.add('4')).toBe('1 €');
      expect(node.counters().invalidReplies).toBe(2);
      expect(told).toMatchObject([
        { pid: ref.pid, message: 'take' },
        { pid: ref.pid, message: 'sum' },
      ]);
    });

    it('does not compile where the handler replies something else', () => {
      const check = (): void => {
        defineProcess('bad', {
          init: () => ({ name: 'x' }),
          // @ts-expect-error -- the schema takes a number
          calls: { name: call(undefined, ({ state }) => state.name, text) },
        });
      };
      expect(check).toBeTypeOf('function');
    });
  });
});

describe('a reply that is still being checked', () => {
  const { promise: checkedAt, resolve: check } = Promise.withResolvers<void>();
  const slow: StandardSchemaV1<number, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        await checkedAt;
        return { value: value as number };
      },
    },
  };
  const clerk = defineProcess('clerk', {
    idleMs: 50,
    init: () => ({}),
    calls: { ask: call(undefined, () => 7, slow) },
  });

  it('is owed: the process is not idle, and the call fails with it', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const [killed, other] = [await node.processes.start(clerk), await node.processes.start(clerk)];
    const [first, second] = [failure(killed.ask()), other.ask()];
    await clock.advance(500);
    await node.processes.stop(killed, { reason: 'killed' });
    expect(await first).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
    check();
    expect(await second).toBe(7);
  });
});
