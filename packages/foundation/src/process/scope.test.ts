import { call, defineProcess, type ReplyTo } from '@foundation/core';
import { testNode } from '@foundation/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';
import { currentScope } from '../context/scope.ts';

const profiles = ['test', 'production'] as const;

describe('work that a handler leaves', () => {
  /** `going`: lets the work go on. `holding`: keeps the handler of another message at work. */
  function scene() {
    const [going, holding] = [gate(), gate()];
    const found: unknown[] = [];
    const clerk = defineProcess('clerk', {
      init: () => ({}),
      calls: {
        look: (ctx) =>
          ctx.later(async () => {
            await going.opened;
            return { requestId: ctx.request?.requestId, remainingMs: ctx.remainingMs };
          }),
        leave: async (ctx) => {
          await Promise.resolve();
          void going.opened.then(() => found.push([ctx.request?.requestId, ctx.remainingMs]));
        },
        follow: (ctx) =>
          ctx.later(async () => {
            await going.opened;
            ctx.signal.addEventListener('abort', () => found.push('followed'));
            await new Promise(() => {});
          }),
        hold: async (ctx) => {
          ctx.signal.addEventListener('abort', () => found.push('held'));
          await holding.opened;
        },
      },
    });
    return { going, holding, found, clerk };
  }

  it.each(profiles)(
    'belongs to its own request and caller while another message is handled: %s',
    async (profile) => {
      const { going, holding, found, clerk } = scene();
      await using node = await alone({ profile, clock: new ManualClock() });
      const ref = await node.processes.start(clerk);
      const run = <R>(requestId: string, action: () => R): R =>
        node.context.run({ requestId }, action);
      const asked = run('own', () => ref.with({ timeoutMs: 300 }).look());
      await run('left', () => ref.leave());
      const held = run('other', () => ref.with({ timeoutMs: 1_000 }).hold());
      await settled();
      going.open();
      const seen = await asked;
      holding.open();
      await held;
      expect(seen).toEqual({ requestId: 'own', remainingMs: 300 });
      expect(found).toEqual([['left', Infinity]]);
    },
  );

  it.each(profiles)(
    'is told when its own caller gives up, not when that of another message does: %s',
    async (profile) => {
      const { going, holding, found, clerk } = scene();
      const clock = new ManualClock();
      await using node = await alone({ profile, clock });
      const ref = await node.processes.start(clerk);
      const followed = failure(ref.with({ timeoutMs: 100 }).follow());
      const held = failure(ref.with({ timeoutMs: 1_000 }).hold());
      await settled();
      going.open();
      await clock.advance(200);
      expect(await followed).toMatchObject({ code: 'CALL_TIMEOUT' });
      expect(found).toEqual(['followed']);
      await clock.advance(1_000);
      expect(await held).toMatchObject({ code: 'CALL_TIMEOUT' });
      expect(found).toEqual(['followed', 'held']);
      holding.open();
    },
  );
});

describe('a request that begins inside a handler', () => {
  it('follows the timers that are set and the casts that are sent in it', async () => {
    await using test = await testNode();
    const { node } = test;
    const noter = defineProcess('noter', {
      init: () => ({ found: [] as unknown[] }),
      calls: {
        begin: (ctx) =>
          node.context.run({ requestId: 'inner' }, () => {
            ctx.cast.note();
            ctx.after(10, 'once');
            ctx.every(20, 'again');
          }),
        found: ({ state }) => state.found,
      },
      casts: { note: (ctx) => void ctx.state.found.push(['cast', ctx.request?.requestId]) },
      timers: {
        once: (ctx) => void ctx.state.found.push(['once', ctx.request?.requestId]),
        again: (ctx) => void ctx.state.found.push(['again', ctx.request?.requestId]),
      },
    });
    const ref = await node.processes.start(noter);
    await node.context.run({ requestId: 'outer' }, () => ref.begin());
    await test.advance(25);
    expect(await ref.found()).toEqual([
      ['cast', 'inner'],
      ['once', 'inner'],
      ['again', 'inner'],
    ]);
  });
});

describe('a handler that awaits for the first time after it did not', () => {
  it.each(profiles)(
    'knows its caller, its request and its deadline all the same: %s',
    async (profile) => {
      const clock = new ManualClock();
      const going = gate();
      const seen: unknown[] = [];
      const cache = defineProcess('cache', {
        init: () => ({}),
        calls: {
          get: (ctx, isCached: boolean): Promise<void> | undefined => {
            if (isCached) return undefined;
            return going.opened.then(() => {
              seen.push(ctx.request?.requestId, ctx.remainingMs);
              return new Promise<void>((resolve) => {
                ctx.signal.addEventListener('abort', () => resolve(void seen.push('given up')));
              });
            });
          },
        },
      });
      await using node = await alone({ profile, clock });
      const ref = await node.processes.start(cache);
      await ref.get(true);
      const given = { requestId: 'r-1' };
      const asked = node.context.run(given, () => failure(ref.with({ timeoutMs: 100 }).get(false)));
      await settled();
      going.open();
      await settled();
      await clock.advance(200);
      expect(await asked).toMatchObject({ code: 'CALL_TIMEOUT' });
      expect(seen).toEqual(['r-1', 100, 'given up']);
    },
  );
});

describe('a reply that another process gives', () => {
  it.each(profiles)('is checked in the name of whose it is: %s', async (profile) => {
    const [seen, held]: [unknown[], { to?: ReplyTo<number> }] = [[], {}];
    const schema: StandardSchemaV1<number, number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          seen.push(currentScope()?.owner?.describe());
          return { value: value as number };
        },
      },
    };
    const owner = defineProcess('owner', {
      init: () => ({}),
      calls: { ask: call(undefined, (ctx) => (held.to = ctx.replyTo<number>()), schema) },
    });
    const giver = defineProcess('giver', {
      init: () => ({}),
      calls: { give: () => held.to?.reply(7) },
    });
    await using node = await alone({ profile });
    const ref = await node.processes.start(owner, { name: 'owner' });
    const other = await node.processes.start(giver);
    const asked = ref.ask();
    await settled();
    expect(await other.give()).toBe(true);
    expect(await asked).toBe(7);
    expect(seen).toEqual(['owner "owner"']);
  });
});
