import { inspect } from 'node:util';

import { defineProcess, refuse, Pid, type AnyRef, type Ref } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { anyBehaviour } from './behaviour.ts';

interface CounterApi {
  calls: { add(by: number): number };
  casts: { bump(): void };
}
const counter = defineProcess('counter', {
  init: () => ({ n: 0 }),
  calls: {
    add: ({ state }, by: number) => (state.n += by),
    no: ({ state }) => (state.n < 0 ? state.n : refuse('NO')),
  },
  casts: { bump: ({ state }) => void state.n++ },
});
const shelf = defineProcess('shelf', {
  init: () => ({ refs: [] as Ref<CounterApi>[], pids: [] as Pid[] }),
  calls: {
    keep: ({ state }, things: { readonly list: readonly Ref<CounterApi>[] }) =>
      void state.refs.push(...things.list),
    keepPid: ({ state }, pid: Pid) => void state.pids.push(pid),
    take: ({ state }) => state.refs,
    takePids: ({ state }) => state.pids,
    addToAll: (ctx, by: number) =>
      ctx.later(() => Promise.all(ctx.state.refs.map((each) => each.add(by)))),
  },
});

describe('a ref', () => {
  it('sends casts of any name', async () => {
    await using node = await alone();
    const heard: string[] = [];
    const ref = await node.processes.start(
      defineProcess('apple', {
        init: () => ({}),
        casts: { core: () => void heard.push('core'), with: () => void heard.push('with') },
      }),
    );
    ref.cast.core();
    ref.cast.with();
    await settled();
    expect(heard).toEqual(['core', 'with']);
  });

  it('can be awaited and returned by async functions without hanging', async () => {
    await using node = await alone();
    const ref = await node.processes.start(counter);
    const same = await (async () => Promise.resolve(ref))();
    expect(await same.add(1)).toBe(1);
    expect('then' in same).toBe(false);
  });

  it('travels inside messages and works at the other end', async () => {
    await using node = await alone();
    const [byPid, byName] = [
      await node.processes.start(counter),
      await node.processes.start(counter, { name: 'named' }),
    ];
    const keeper = await node.processes.start(shelf);
    await keeper.keep({ list: [byPid, byName] });
    expect(await keeper.addToAll(5)).toEqual([5, 5]);
    const [first, second] = await keeper.take();
    expect(await first?.add(1)).toBe(6);
    expect(second?.cast.bump()).toBe(true);
    expect(await second?.add(1)).toBe(7);
    expect([first?.pid, second?.pid]).toEqual([byPid.pid, byName.pid]);
  });

  it('keeps its options apart: neither `with` nor `try` changes the ref itself', async () => {
    await using node = await alone();
    const ref = await node.processes.start(counter);
    const controller = new AbortController();
    controller.abort();
    expect(await failure(ref.with({ signal: controller.signal }).add(1))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await ref.try.no()).toMatchObject({ code: 'NO' });
    expect(await ref.with({ timeoutMs: 1_000 }).try.no()).toMatchObject({ code: 'NO' });
    expect(await failure(ref.no())).toMatchObject({ code: 'REFUSED' });
    expect(await ref.add(1)).toBe(1);
  });

  it('to nobody has no pid, and its casts return false', async () => {
    await using node = await alone();
    const nobody = node.ref(counter, 'nobody');
    expect(nobody.pid).toBeUndefined();
    expect(nobody.cast.bump()).toBe(false);
    const ref = await node.processes.start(counter, { name: 'nobody' });
    expect(nobody.pid).toEqual(ref.pid);
    expect(nobody.cast.bump()).toBe(true);
    expect(await nobody.add(0)).toBe(1);
    expect([String(nobody), inspect(nobody)]).toEqual(Array(2).fill('ref(counter "nobody")'));
  });

  it('of a cast refuses what cannot be sent, with the path', async () => {
    await using node = await alone();
    const loose = defineProcess('loose', {
      init: () => ({}),
      casts: { take: (_ctx, _value: unknown) => {} },
    });
    const ref = await node.processes.start(loose);
    expect(() => ref.cast.take({ deep: [() => 1] })).toThrow(
      expect.objectContaining({ code: 'NOT_SERIALIZABLE', details: { path: 'args[0].deep[0]' } }),
    );
  });
});

describe('a ref to a process whose definition is unknown here', () => {
  // The definition came from another node: only its name is known.
  const foreign = anyBehaviour('counter') as unknown as typeof counter;

  it('calls, casts and can be awaited like any other', async () => {
    await using node = await alone();
    await node.processes.start(counter, { name: 'counter' });
    const ref = await Promise.resolve(node.ref(foreign, 'counter'));
    expect(await ref.add(2)).toBe(2);
    expect(ref.cast.bump()).toBe(true);
    expect(await ref.try.no()).toMatchObject({ code: 'NO' });
    expect(await ref.with({ timeoutMs: 1_000 }).add(1)).toBe(4);
    expect(ref.pid).toEqual(node.registry.lookup('counter'));
  });

  it('gets a typed error for a message that is none', async () => {
    await using node = await alone();
    await node.processes.start(counter, { name: 'counter' });
    const ref = node.ref(foreign, 'counter') as unknown as { fly(): Promise<void> };
    expect(await failure(ref.fly())).toMatchObject({ code: 'INVALID_MESSAGE' });
  });

  it('travels on inside messages', async () => {
    await using node = await alone();
    await node.processes.start(counter, { name: 'counter' });
    const keeper = await node.processes.start(shelf);
    await keeper.keep({ list: [node.ref(foreign, 'counter')] });
    expect(await keeper.addToAll(3)).toEqual([3]);
  });
});

describe('a pid', () => {
  it('travels inside messages and is the same at the other end', async () => {
    await using node = await alone();
    const [target, keeper] = [
      await node.processes.start(counter),
      await node.processes.start(shelf),
    ];
    const pid = present(target.pid);
    await keeper.keepPid(pid);
    const [back] = await keeper.takePids();
    expect(back).toBeInstanceOf(Pid);
    expect(back?.equals(pid)).toBe(true);
    expect(String(back)).toBe(String(pid));
  });

  it('differs for each process, of each node', async () => {
    await using node = await alone();
    await using other = await alone({ name: 'other' });
    const refs: AnyRef[] = [];
    for (let round = 0; round < 5; round++) {
      refs.push(await node.processes.start(counter), await other.processes.start(counter));
    }
    await settled();
    expect(new Set(refs.map(({ pid }) => String(pid))).size).toBe(10);
  });
});
