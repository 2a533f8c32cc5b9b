import { defineProcess, type Definition } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';
import { groupsMax } from './group.ts';

interface Hearing {
  readonly casts: { hear(text: string): void };
}
const member = defineProcess('member', {
  init: () => ({ heard: [] as string[] }),
  calls: {
    join: (ctx, group: string) => ctx.join(group),
    leave: (ctx, group: string) => ctx.leave(group),
    heard: ({ state }) => state.heard,
    broadcast: (ctx, group: string, text: string) =>
      ctx.node.group(definitions.member, group).cast.hear(text),
  },
  casts: { hear: ({ state }, text: string) => void state.heard.push(text) },
});
const definitions: { readonly member: Definition<void, Hearing> } = { member };

describe('a group', () => {
  it('has the processes that have joined it, until they leave or end', async () => {
    await using node = await alone();
    const [a, b] = [
      await node.processes.start(member),
      await node.processes.start(member, { name: 'b' }),
    ];
    const group = node.group(member, 'red');
    expect(group.members()).toEqual([]);
    await a.join('red');
    await b.join('red');
    await b.join('red');
    expect(group.members().map(({ pid }) => String(pid))).toEqual([a.pid, b.pid].map(String));
    await a.leave('red');
    await a.leave('red');
    expect(group.members().map(({ pid }) => String(pid))).toEqual([String(b.pid)]);
    expect(node.registry.lookup('b')).toEqual(b.pid);
    await node.processes.stop(b);
    expect(group.members()).toEqual([]);
    expect(node.registry.all()).toEqual([]);
  });

  it('is told a cast all at once, in the context of who sends it', async () => {
    await using node = await alone();
    const refs = await Promise.all([1, 2, 3].map(() => node.processes.start(member)));
    for (const each of refs) await each.join('blue');
    const other = await node.processes.start(member);
    expect(node.group(member, 'blue').cast.hear('hello')).toBe(3);
    expect(await other.broadcast('blue', 'again')).toBe(3);
    expect(node.group(member, 'nobody').cast.hear('x')).toBe(0);
    for (const each of refs) expect(await each.heard()).toEqual(['hello', 'again']);
    expect(await other.heard()).toEqual([]);
  });

  it('is joined in a continuation by a process that is known by name as well', async () => {
    const early = defineProcess('early', {
      init: async () => Promise.resolve({}),
      continue: (ctx) => ctx.join('early'),
      casts: { hear: () => {} },
    });
    await using node = await alone();
    await node.processes.start(early, { name: 'bird', capabilities: ['sings'] });
    await settled();
    expect(node.group(early, 'early').cast.hear()).toBe(1);
    expect(node.registry.withCapability('sings')).toHaveLength(1);
    expect(node.registry.lookup('bird')).toBeDefined();
  });

  it('tells who listens when members have come or gone', async () => {
    await using node = await alone();
    const [a, b] = [await node.processes.start(member), await node.processes.start(member)];
    const sizes: number[] = [];
    const watch = node.group(member, 'green').onChange((members) => sizes.push(members.length));
    await a.join('green');
    await b.join('green');
    await b.join('other');
    await node.processes.stop(a);
    watch[Symbol.dispose]();
    await b.leave('green');
    expect(sizes).toEqual([1, 2, 1]);
  });

  it('tells it in nobody’s name: what a listener does is not done for whoever has joined', async () => {
    const working = gate();
    const joiner = defineProcess('joiner', {
      init: () => ({}),
      calls: {
        join: async (ctx, group: string) => {
          ctx.join(group);
          await working.opened;
        },
        look: (ctx) => ({ remainingMs: ctx.remainingMs, requestId: ctx.request?.requestId }),
      },
    });
    await using node = await alone({ clock: new ManualClock() });
    const ref = await node.processes.start(joiner);
    const looks: Promise<unknown>[] = [];
    const watch = node.group(joiner, 'red').onChange((members) => {
      for (const each of members) looks.push(each.look());
    });
    const joined = node.context.run({ requestId: 'r' }, () =>
      ref.with({ timeoutMs: 300 }).join('red'),
    );
    await settled();
    working.open();
    await joined;
    watch[Symbol.dispose]();
    expect(await Promise.all(looks)).toEqual([{ remainingMs: 5_000, requestId: undefined }]);
  });

  it('has a name like a process, and a process is in a bounded number of them', async () => {
    await using node = await alone();
    expect(() => node.group(member, '')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
    const ref = await node.processes.start(member);
    for (let count = 0; count < groupsMax; count++) await ref.join(`g${count}`);
    expect(await failure(ref.join('one more'))).toMatchObject({
      cause: { code: 'INVALID_OPTION' },
    });
  });
});

describe('a member of another definition of the same name', () => {
  it('is cast to like by a ref: its own handlers run', async () => {
    const seen: string[] = [];
    const make = (word: string) =>
      defineProcess('twin', {
        init: () => ({}),
        continue: ({ join }) => join('twins'),
        casts: { say: () => void seen.push(word) },
      });
    const [mine, other] = [make('mine'), make('other')];
    await using node = await alone({ profile: 'production' });
    await node.processes.start(mine);
    await settled();
    for (let times = 0; times < 4; times++) node.group(other, 'twins').cast.say();
    await settled();
    expect(seen).toEqual(Array(4).fill('mine'));
  });
});
