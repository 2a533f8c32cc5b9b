import { defineProcess, Pid, type AnyRef, type Ref } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { farWaitersMax, farWaitersOf } from './call-chain.ts';

interface RingApi {
  readonly calls: {
    pass(route: readonly AnyRef[]): string;
    ping(): string;
  };
}
/** Calls on along a route, and waits for the answer. */
const ring = defineProcess('ring', {
  init: () => ({ answers: [] as Promise<unknown>[] }),
  calls: {
    ping: () => 'pong',
    pass: async (_ctx, route: readonly AnyRef[]): Promise<string> => {
      const [next, ...rest] = route as readonly Ref<RingApi>[];
      return next === undefined ? 'end' : next.pass(rest);
    },
    /** In a synchronous handler. */
    passAtOnce: (_ctx, to: Ref<RingApi>): Promise<string> => to.ping(),
    passLater: (ctx, to: Ref<RingApi>) => ctx.later(() => to.ping()),
    /** Does not wait for it. */
    passAway: ({ state }, to: Ref<RingApi>) => {
      state.answers.push(to.ping());
      return 'gone on';
    },
    answers: async ({ state }) => Promise.all(state.answers),
  },
  casts: {
    passInCast: async ({ state }, to: Ref<RingApi>, back: Ref<RingApi>) => {
      state.answers.push(failure(to.pass([back])));
      await state.answers[0];
    },
  },
});

describe('a call that waits for itself', () => {
  it('of a process to itself fails at once with CALL_CYCLE, before and after an await', async () => {
    await using node = await alone();
    const ref = await node.processes.start(ring, { name: 'a' });
    const error = await failure(ref.pass([ref]));
    expect(error).toMatchObject({ code: 'PROCESS_DOWN', cause: { code: 'CALL_CYCLE' } });
    const again = await node.processes.start(ring, { name: 'b' });
    const atOnce = await failure(again.passAtOnce(again));
    expect(atOnce.cause).toMatchObject({
      code: 'CALL_CYCLE',
      outcome: 'not-executed',
      retryable: false,
      details: { chain: ['ring "b"', 'ring "b"'] },
      message: expect.stringContaining('ring "b" → ring "b"'),
    });
  });

  it('is told along a longer chain, with every process in it', async () => {
    await using node = await alone();
    const start = (name: string) => node.processes.start(ring, { name });
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    let error: unknown = await failure(a.pass([b, c, a]));
    while (error instanceof Error && (error as { code?: string }).code !== 'CALL_CYCLE') {
      error = error.cause;
    }
    expect(error).toMatchObject({
      details: { chain: ['ring "a"', 'ring "b"', 'ring "c"', 'ring "a"'] },
    });
  });

  it('is told when the chain begins with a cast, a timer or the like', async () => {
    await using node = await alone();
    const [a, b] = [await node.processes.start(ring), await node.processes.start(ring)];
    a.cast.passInCast(b, a);
    const [answer] = await a.answers();
    expect(answer).toMatchObject({ code: 'PROCESS_DOWN', cause: { code: 'CALL_CYCLE' } });
  });
});

describe('a chain of calls', () => {
  it('travels no further than its nearest handlers', () => {
    const far = Array.from({ length: 40 }, (_, turn) => ({
      pid: new Pid('far', 1, turn),
      turn,
      who: `far ${turn}`,
    }));
    const sent = farWaitersOf({ waiter: undefined, farWaiters: far });
    expect(sent).toEqual(far.slice(0, farWaitersMax));
  });
});

describe('a call back to a caller', () => {
  it('is fine when that does not wait: it replies later, or has gone on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(ring);
    expect(await ref.passLater(ref)).toBe('pong');
    expect(await ref.passAway(ref)).toBe('gone on');
    expect(await ref.answers()).toEqual(['pong']);
  });

  it('is fine of work that goes on later, while another handler is at work', async () => {
    await using node = await alone();
    const [later, holding] = [gate(), gate()];
    const busy = defineProcess('busy', {
      init: () => ({}),
      calls: {
        ping: () => 'pong',
        later: (ctx, to: Ref<RingApi>) =>
          ctx.later(async () => {
            await later.opened;
            return to.ping();
          }),
        hold: () => holding.opened,
      },
    });
    const ref = await node.processes.start(busy);
    const [answer, held] = [ref.later(ref as unknown as Ref<RingApi>), ref.hold()];
    await settled();
    later.open();
    await settled();
    holding.open();
    await held;
    expect(await answer).toBe('pong');
  });

  it('is fine of a handler that is over before the next one waits', async () => {
    await using node = await alone();
    const ref = await node.processes.start(ring);
    const opened = gate();
    const waiting = await node.processes.start(
      defineProcess('other', {
        init: () => ({}),
        calls: { ping: () => opened.opened.then(() => '') },
      }),
    );
    const answers = [ref.passAway(ref), ref.passAtOnce(waiting as unknown as Ref<RingApi>)];
    await settled();
    opened.open();
    await Promise.all(answers);
    expect(await ref.answers()).toEqual(['pong']);
  });

  it('is fine once the caller has given up and gone on', async () => {
    await using test = await testNode();
    const opened = { open: (): void => {} };
    const slow = defineProcess('slow', {
      init: () => ({}),
      calls: {
        askBack: async (_ctx, to: Ref<RingApi>): Promise<string> => {
          await new Promise<void>((resolve) => {
            opened.open = resolve;
          });
          return to.ping();
        },
      },
    });
    const caller = defineProcess('caller', {
      init: () => ({ answer: 'none' as string }),
      calls: {
        ping: () => 'pong',
        ask: async ({ state }, to: Ref<typeof slow>, back: Ref<RingApi>) => {
          state.answer = await to
            .with({ timeoutMs: 100 })
            .askBack(back)
            .catch((error: { code: string }) => error.code);
          return state.answer;
        },
      },
    });
    const [a, b] = [await test.node.processes.start(caller), await test.node.processes.start(slow)];
    const asked = a.ask(b, a as unknown as Ref<RingApi>);
    await test.advance(500);
    expect(await asked).toBe('CALL_TIMEOUT');
    opened.open();
    await settled();
    expect(await a.ping()).toBe('pong');
  });

  it.each(['hang', 'reply'] as const)(
    'waits for a caller that is still at work, but not for this: %s',
    async (way) => {
      const [calling, working] = [gate(), gate()];
      const answers: unknown[] = [];
      const callee = defineProcess('callee', {
        init: () => ({}),
        calls: {
          hang: async (_ctx, to: Ref<RingApi>) => {
            await calling.opened;
            answers.push(await to.ping());
          },
          reply: async (_ctx, to: Ref<RingApi>) => {
            await Promise.resolve();
            void calling.opened.then(async () => answers.push(await to.ping()));
          },
        },
      });
      const worker = defineProcess('worker', {
        init: () => ({}),
        calls: {
          ping: () => 'pong',
          work: async (_ctx, to: Ref<typeof callee>, self: Ref<RingApi>) => {
            const asked = to.with({ timeoutMs: 100 });
            await asked[way](self).catch(() => {});
            await working.opened;
          },
        },
      });
      await using test = await testNode();
      const [a, b] = [
        await test.node.processes.start(worker),
        await test.node.processes.start(callee),
      ];
      const work = a.work(b, a as unknown as Ref<RingApi>);
      // Either it has given the call up by now, or it has its reply.
      await test.advance(500);
      calling.open();
      await test.settled();
      working.open();
      await work;
      await test.settled();
      expect(answers).toEqual(['pong']);
    },
  );

  it('that others wait for, too, does not hurt them', async () => {
    await using node = await alone();
    const [a, b] = [await node.processes.start(ring), await node.processes.start(ring)];
    const answers = await Promise.all([a.pass([b]), b.pass([]), a.ping()]);
    expect(answers).toEqual(['end', 'end', 'pong']);
  });
});
