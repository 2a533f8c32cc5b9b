import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

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
  ] as const)(
    'treats casts by the rule $rule; each drop is counted and told',
    async ({ rule, taken, heard }) => {
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
      await settled();
      expect(await ref.heard()).toEqual(heard);
    },
  );

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
      await settled();
      expect(await ref.heard()).toEqual([1, 2, 3]);
    },
  );

  it('never gives up a call to make room for a cast', async () => {
    const opening = gate();
    await using node = await alone();
    const ref = await node.processes.start(full('drop-oldest', opening.opened));
    const blocked = ref.block();
    await settled();
    const calls = [ref.heard(), ref.heard(), ref.heard()];
    expect(ref.cast.say(1)).toBe(false);
    opening.open();
    await blocked;
    expect(await Promise.all(calls)).toEqual([[], [], []]);
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
