import { defineProcess, refuse, type Ref, type ReplyTo } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone, failure } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

interface HelperApi {
  readonly casts: {
    answer(to: ReplyTo<string>, text: string): void;
    answerTwice(to: ReplyTo<string>): void;
  };
}
const helper = defineProcess('helper', {
  init: () => ({ sent: [] as boolean[] }),
  casts: {
    answer: ({ state }, to: ReplyTo<string>, text: string) => void state.sent.push(to.reply(text)),
    answerTwice: ({ state }, to: ReplyTo<string>) =>
      void state.sent.push(to.reply('one'), to.reply('two'), to.isOpen),
  },
  calls: { sent: ({ state }) => state.sent },
});
const desk = defineProcess('desk', {
  init: () => ({ waiting: [] as ReplyTo<string>[] }),
  calls: {
    ask: (ctx) => {
      const to = ctx.replyTo<string>();
      ctx.state.waiting.push(to);
      return to;
    },
    askHelper: (ctx, other: Ref<HelperApi>, text: string) => {
      const to = ctx.replyTo<string>();
      other.cast.answer(to, text);
      return to;
    },
    answerTwice: (ctx, other: Ref<HelperApi>) => {
      const to = ctx.replyTo<string>();
      other.cast.answer(to, 'one');
      other.cast.answer(to, 'two');
      return to;
    },
    haveAnsweredTwice: (ctx, other: Ref<HelperApi>) => {
      const to = ctx.replyTo<string>();
      other.cast.answerTwice(to);
      return to;
    },
    reply: ({ state }, text: string) => state.waiting.shift()?.reply(text),
    refuse: ({ state }) => state.waiting.shift()?.reply(refuse('CLOSED')),
    isOpen: ({ state }) => state.waiting[0]?.isOpen,
    hand: ({ state }) => state.waiting[0],
    now: (ctx) => {
      ctx.replyTo<string>();
      return 'at once';
    },
    forget: (ctx) => {
      ctx.state.waiting.push(ctx.replyTo<string>());
    },
    forgetLate: async (ctx) => {
      await settled();
      ctx.state.waiting.push(ctx.replyTo<string>());
    },
    giveAtOnce: (ctx) => void ctx.replyTo<string>().reply('given'),
  },
  casts: { misuse: (ctx) => void ctx.replyTo() },
});

describe('a reply taken into hand', () => {
  it('goes out when the process gives it, whatever it did meanwhile', async () => {
    await using node = await alone();
    const ref = await node.processes.start(desk);
    const [first, second] = [ref.ask(), ref.ask()];
    expect(await ref.isOpen()).toBe(true);
    expect(await ref.reply('a')).toBe(true);
    expect(await ref.reply('b')).toBe(true);
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
    expectTypeOf(first).resolves.toEqualTypeOf<string>();
  });

  it('may be given by another process', async () => {
    await using node = await alone();
    const [ref, other] = [await node.processes.start(desk), await node.processes.start(helper)];
    expect(await ref.askHelper(other, 'from elsewhere')).toBe('from elsewhere');
    expect(await other.sent()).toEqual([true]);
  });

  it('counts once: the first one is taken, the second is told so', async () => {
    await using node = await alone();
    const [ref, other] = [await node.processes.start(desk), await node.processes.start(helper)];
    expect(await ref.answerTwice(other)).toBe('one');
    await settled();
    expect(await other.sent()).toEqual([true, false]);
    expect(await ref.now()).toBe('at once');
    const third = await node.processes.start(helper);
    expect(await ref.haveAnsweredTwice(third)).toBe('one');
    expect(await third.sent()).toEqual([true, false, false]);
  });

  it('may be a refusal', async () => {
    await using node = await alone();
    const ref = await node.processes.start(desk);
    const asked = failure(ref.ask());
    await ref.refuse();
    expect(await asked).toMatchObject({ code: 'REFUSED', details: { code: 'CLOSED' } });
  });

  it('reaches nobody when the caller has given up', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(desk);
    const late = failure(ref.with({ timeoutMs: 50 }).ask());
    await test.advance(100);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await ref.isOpen()).toBe(false);
    expect(await ref.reply('late')).toBe(false);
  });

  it('fails when the process ends that took the call', async () => {
    await using node = await alone();
    const ref = await node.processes.start(desk);
    const asked = failure(ref.ask());
    await settled();
    await node.processes.stop(ref);
    expect(await asked).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'normal' } });
  });

  it('is a value like any other where it belongs to another call', async () => {
    for (const profile of ['test', 'production'] as const) {
      await using node = await alone({ profile });
      const ref = await node.processes.start(desk);
      const asked = ref.ask();
      const handed = (await ref.hand()) as unknown as ReplyTo<string>;
      expect(handed.reply('by whoever has it')).toBe(true);
      expect(await asked).toBe('by whoever has it');
    }
  });

  it('cannot be given any more when the process has ended, not even by who is told of that', async () => {
    await using node = await alone();
    const held: { to?: ReplyTo<string> } = {};
    const holder = defineProcess('holder', {
      init: () => ({}),
      calls: { ask: (ctx) => (held.to = ctx.replyTo<string>()) },
    });
    const ref = await node.processes.start(holder);
    const given: unknown[] = [];
    node.events.on('exit', () => given.push(held.to?.reply('from the dead')));
    const asked = failure(ref.ask());
    await settled();
    await node.processes.stop(ref, { reason: 'killed' });
    expect(await asked).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(given).toEqual([false]);
  });

  it('that the handler forgets to return is a crash that says so, and no empty reply', async () => {
    await using node = await alone({ profile: 'production' });
    for (const how of ['forget', 'forgetLate'] as const) {
      const ref = await node.processes.start(desk);
      expect(await failure(ref[how]())).toMatchObject({
        code: 'PROCESS_DOWN',
        cause: { code: 'INVALID_OPTION', message: expect.stringContaining(`"${how}"`) },
      });
    }
    const ref = await node.processes.start(desk);
    expect(await ref.giveAtOnce()).toBe('given');
    expect(await ref.now()).toBe('at once');
  });

  it('cannot be taken outside of a call', async () => {
    await using node = await alone();
    const ref = await node.processes.start(desk);
    const asked = failure(ref.ask());
    await settled();
    ref.cast.misuse();
    expect(await asked).toMatchObject({
      code: 'PROCESS_DOWN',
      cause: { code: 'INVALID_OPTION', message: expect.stringContaining('replyTo') },
    });
  });

  it('does not pile up: what callers gave up is forgotten', async () => {
    await using test = await testNode({ profile: 'production' });
    const forgetful = defineProcess('forgetful', {
      init: () => ({}),
      calls: { ask: (ctx) => ctx.replyTo<string>() },
    });
    const ref = await test.node.processes.start(forgetful);
    for (let round = 0; round < 20; round++) {
      const asked = Array.from({ length: 50 }, () => failure(ref.with({ timeoutMs: 10 }).ask()));
      await test.advance(100);
      await Promise.all(asked);
    }
    const { repliesOwed } = await test.node.processes.inspect(ref).statistics();
    expect(repliesOwed).toBeLessThan(200);
  });
});
