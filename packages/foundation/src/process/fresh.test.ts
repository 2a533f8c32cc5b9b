import { child, defineProcess, defineSupervisor } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { fresh } from './fresh.ts';

describe('a fresh copy', () => {
  it('shares nothing plain with what it was made from, at any depth', () => {
    const made = {
      list: [1, { deep: true }],
      map: new Map([[{ key: 1 }, [2]]]),
      set: new Set([[3]]),
      nothing: null,
      bare: Object.assign(Object.create(null) as { a?: number }, { a: 1 }),
    };
    const copy = fresh(made);
    expect(copy).toEqual(made);
    expect(Object.getPrototypeOf(copy.bare)).toBeNull();
    expect(copy.bare).not.toBe(made.bare);
    expect(copy.list[1]).not.toBe(made.list[1]);
    expect([...copy.map.keys()][0]).not.toBe([...made.map.keys()][0]);
    expect([...copy.set][0]).not.toBe([...made.set][0]);
  });

  it('holds functions and objects of classes as they are', () => {
    class Connection {
      readonly open = true;
    }
    const made = { log: (): void => {}, connection: new Connection() };
    const copy = fresh(made);
    expect(copy.log).toBe(made.log);
    expect(copy.connection).toBe(made.connection);
  });

  it('leaves alone what is a list or a map of its own kind', () => {
    class Stack extends Array<number> {}
    class Registry extends Map<string, number> {}
    const made = { stack: new Stack(3), registry: new Registry() };
    const copy = fresh(made);
    expect(copy.stack).toBe(made.stack);
    expect(copy.registry).toBe(made.registry);
  });

  it('takes what is called `__proto__` for a key, and symbols for keys', () => {
    const symbol = Symbol('key');
    const made = { ...(JSON.parse('{"a":{"__proto__":{"admin":true}}}') as object), [symbol]: [1] };
    const copy = fresh(made) as typeof made & { a: { admin?: boolean } };
    expect(copy.a.admin).toBeUndefined();
    expect(Object.keys(copy.a)).toEqual(['__proto__']);
    expect(copy[symbol]).toEqual([1]);
    expect(copy[symbol]).not.toBe(made[symbol]);
  });

  it('may be as deep as it likes', () => {
    interface Link {
      next: Link | undefined;
    }
    let made: Link = { next: undefined };
    for (let depth = 0; depth < 100_000; depth++) made = { next: made };
    let depth = 0;
    for (let at: Link | undefined = fresh(made); at !== undefined; at = at.next) depth++;
    expect(depth).toBe(100_001);
  });

  it('may hold itself', () => {
    const made: { self?: unknown; list: unknown[] } = { list: [] };
    made.self = made;
    made.list.push(made.list);
    const copy = fresh(made);
    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy.list);
  });
});

describe('what a process is started with', () => {
  const basket = defineProcess('basket', {
    init: (given: { items: string[] }) => given,
    calls: {
      put: ({ state }, item: string) => state.items.push(item),
      items: ({ state }) => state.items,
      crash: (): never => {
        throw new Error('crash');
      },
    },
  });

  it.each(['test', 'production'] as const)(
    'is the same in each of its lives, whatever one did to it: %s',
    async (profile) => {
      await using node = await alone({ profile });
      const given = { items: ['bread'] };
      await node.processes.start(
        defineSupervisor('top', { children: [child(basket, { name: 'fixed', init: given })] }),
      );
      const rooms = await node.processes.start(
        defineSupervisor('rooms', { strategy: 'dynamic', child: basket }),
      );
      await rooms.start({ name: 'coming', init: given });
      await node.processes.start(basket, { name: 'kept', restart: 'permanent', init: given });
      for (const name of ['fixed', 'coming', 'kept']) {
        const ref = node.ref(basket, name);
        const before = present(ref.pid);
        await ref.put('poison');
        await failure(ref.crash());
        await settled();
        expect(present(ref.pid).equals(before)).toBe(false);
        expect(await ref.items()).toEqual(['bread']);
      }
      expect(given).toEqual({ items: ['bread'] });
    },
  );
});
