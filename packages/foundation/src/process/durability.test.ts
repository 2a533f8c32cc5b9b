import { call, defineProcess, type Node, type Ref, type ReplyTo } from '@foundation/core';
import { MemoryStore } from '@foundation/core/internal';
import { eventually } from '@foundation/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

/** A store whose writes wait to be let through, one by one. */
class HeldStore extends MemoryStore {
  /** Writes that were let through. */
  writes = 0;
  isOpen = false;
  failWith: Error | undefined = undefined;
  readonly #waiting: (() => void)[] = [];

  override async compareAndSet(
    key: string,
    version: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    if (!this.isOpen) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    if (this.failWith !== undefined) throw this.failWith;
    this.writes++;
    return super.compareAndSet(key, version, value);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets the writes through that are waiting. */
  async release(): Promise<void> {
    for (const each of this.#waiting.splice(0)) each();
    await settled();
  }

  async open(): Promise<void> {
    this.isOpen = true;
    await this.release();
  }
}

const ledger = defineProcess('ledger', {
  durable: true,
  init: (start: number) => ({ sum: start, notes: [] as string[] }),
  calls: {
    add: ({ state }, by: number) => (state.sum += by),
    sum: ({ state }) => state.sum,
    note: ({ state }, text: string) => {
      state.notes.push(text);
      return state.notes;
    },
    later: (ctx, by: number) =>
      ctx.later(async () => {
        await settled();
        return (ctx.state.sum += by);
      }),
    closing: (ctx, by: number) => {
      ctx.state.sum += by;
      ctx.stop();
      return ctx.state.sum;
    },
    spoil: ({ state }) => void Object.assign(state, { deep: { socket: () => 1 } }),
    crash: ({ state }) => {
      state.sum = 666;
      throw new Error('crash');
    },
  },
  terminate: () => settled(),
  casts: { put: ({ state }, by: number) => void (state.sum += by) },
  timers: { tick: ({ state }) => void state.sum++ },
});

function open(node: Node, start = 0) {
  return node.processes.start(ledger, { init: start, name: 'ledger' });
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  void promise.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  await settled();
  return isOver;
}

describe('a durable process', () => {
  it('replies only after the state that the reply rests on is stored', async () => {
    const store = new HeldStore();
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    for (const way of ['add', 'later'] as const) {
      const reply = ref[way](1);
      await settled();
      await settled();
      expect([store.waiting, await isSettled(reply)]).toEqual([1, false]);
      await store.release();
      expect(await isSettled(reply)).toBe(true);
    }
    await store.open();
  });

  it('stores what many messages did in one write', async () => {
    const store = new HeldStore();
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    const first = ref.add(1);
    await settled();
    const rest = Array.from({ length: 50 }, () => ref.add(1));
    await settled();
    await store.release();
    expect(await first).toBe(1);
    expect(await isSettled(Promise.race(rest))).toBe(false);
    await store.release();
    expect(await Promise.all(rest)).toEqual(Array.from({ length: 50 }, (_, index) => index + 2));
    expect(store.writes).toBe(2);
    await store.open();
  });

  it('never shows a state that is not stored yet', async () => {
    const store = new HeldStore();
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    const first = ref.note('stored');
    await settled();
    const second = ref.note('not yet');
    await settled();
    await store.release();
    expect(await first).toEqual(['stored']);
    await store.open();
    expect(await second).toEqual(['stored', 'not yet']);
  });

  it('writes nothing when nothing has changed', async () => {
    const store = new HeldStore();
    store.isOpen = true;
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    await ref.add(1);
    const { writes } = store;
    expect(await ref.sum()).toBe(1);
    expect(store.writes).toBe(writes);
  });

  it('carries on with its stored state after a crash, without what the crash had changed', async () => {
    await using node = await alone();
    const ref = await node.processes.start(ledger, {
      init: 5,
      name: 'ledger',
      restart: 'permanent',
    });
    await ref.add(10);
    const [unlucky, crashed] = [failure(ref.add(1)), failure(ref.crash())];
    expect(await crashed).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
    expect(await unlucky).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
    await settled();
    // The write of the addition was on its way: its outcome was unknown. The crash's change was not written.
    expect(await ref.sum()).toBe(16);
  });

  it('carries on with its stored state on another node that has the same store', async () => {
    const store = new MemoryStore();
    const first = await alone({ name: 'first', ports: { store } });
    const ref = await open(first, 5);
    await ref.add(1);
    ref.cast.put(10);
    await ref.sum();
    await first.stop();
    await using second = await alone({ name: 'second', ports: { store } });
    expect(await (await open(second, 0)).sum()).toBe(16);
  });

  it('stores what its last message did, and answers it, when it stops in good order', async () => {
    const store = new HeldStore();
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    const closing = ref.closing(7);
    await settled();
    expect(await isSettled(closing)).toBe(false);
    await store.open();
    expect(await closing).toBe(7);
    await settled();
    expect(await (await open(node, 0)).sum()).toBe(7);
  });

  it('never stores what a handler has only half done', async () => {
    const store = new MemoryStore();
    await using node = await alone({ ports: { store } });
    const closed = gate();
    const accounts = defineProcess('accounts', {
      durable: true,
      init: () => ({ a: 100, b: 0 }),
      calls: {
        async transfer({ state }, amount: number) {
          state.a -= amount;
          await closed.opened;
          throw new Error('the bank is closed');
        },
        later: ({ later }) => later(() => Promise.resolve('now')),
        sum: ({ state }) => [state.a, state.b],
      },
    });
    const ref = await node.processes.start(accounts, { name: 'bank', restart: 'permanent' });
    expect(await ref.sum()).toEqual([100, 0]);
    const replies = [ref.later(), failure(ref.transfer(60))];
    await settled();
    closed.open();
    await Promise.allSettled(replies);
    await settled();
    expect(await ref.sum()).toEqual([100, 0]);
  });

  it.each(['refuse', 'putOff'] as const)(
    'lets go of a reply that is held back when the message at hand comes to nothing: %s',
    async (way) => {
      const [working, checking] = [gate(), gate()];
      const strict: StandardSchemaV1<string> = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: async () => {
            await checking.opened;
            return { issues: [{ message: 'no' }] };
          },
        },
      };
      const clerk = defineProcess('clerk', {
        durable: true,
        init: () => ({ count: 0 }),
        calls: {
          later: (ctx) =>
            ctx.later(async () => {
              await working.opened;
              return ++ctx.state.count;
            }),
          refuse: call(strict, () => 'never'),
          putOff: async ({ defer }, _text: string) => {
            await checking.opened;
            return defer();
          },
        },
      });
      await using node = await alone();
      const ref = await node.processes.start(clerk, { name: 'clerk' });
      const reply = ref.later();
      const unlucky = failure(ref[way]('x'));
      await settled();
      working.open();
      // A handler, or the check of its message, is at work: nothing is stored meanwhile.
      expect(await isSettled(reply)).toBe(false);
      checking.open();
      await settled();
      expect(await isSettled(reply)).toBe(true);
      await node.processes.stop(ref);
      const code = way === 'refuse' ? 'INVALID_MESSAGE' : 'PROCESS_DOWN';
      expect(await unlucky).toMatchObject({ code });
    },
  );

  it('stores casts too, also when its node stops right after them', async () => {
    const store = new MemoryStore();
    const node = await alone({ ports: { store } });
    const ref = await open(node);
    ref.cast.put(3);
    await settled();
    ref.cast.put(4);
    const stopped = settled().then(() => node.stop());
    await stopped;
    await using again = await alone({ ports: { store } });
    expect(await (await open(again)).sum()).toBe(7);
  });

  it('crashes when another holder took its state over; its callers are told', async () => {
    const store = new HeldStore();
    await using old = await alone({ name: 'old', ports: { store } });
    await using next = await alone({ name: 'next', ports: { store } });
    const exits = listen(old, 'exit');
    store.isOpen = true;
    const before = await open(old);
    await before.add(1);
    const after = await open(next);
    const error = await failure(before.add(1));
    expect(error).toMatchObject({
      code: 'PROCESS_DOWN',
      outcome: 'unknown',
      details: { reason: 'crash' },
      cause: { code: 'STORE_CONFLICT' },
    });
    await settled();
    expect(exits.map(({ reason }) => reason)).toEqual(['crash']);
    expect(await after.add(1)).toBe(2);
  });

  it('begins again with what another holder stored meanwhile, as long as the name is its own', async () => {
    const store = new MemoryStore();
    await using old = await alone({ name: 'old', ports: { store } });
    await using next = await alone({ name: 'next', ports: { store } });
    const before = await old.processes.start(ledger, {
      init: 0,
      name: 'ledger',
      restart: 'permanent',
    });
    await before.add(1);
    const after = await open(next);
    expect(await after.add(10)).toBe(11);
    await failure(before.add(1));
    await settled();
    expect(await before.add(100)).toBe(111);
    expect(await failure(after.add(1))).toMatchObject({ cause: { code: 'STORE_CONFLICT' } });
  });

  it('crashes when the store fails, and tells everybody who waits', async () => {
    const store = new HeldStore();
    await using node = await alone({ ports: { store } });
    const ref = await open(node);
    const replies = [failure(ref.add(1)), failure(ref.add(1))];
    await settled();
    replies.push(failure(ref.add(1)));
    await settled();
    store.failWith = new Error('disk full');
    await store.open();
    for (const error of await Promise.all(replies)) {
      expect(error).toMatchObject({
        code: 'PROCESS_DOWN',
        outcome: 'unknown',
        details: { reason: 'crash' },
      });
      expect(error.cause).toMatchObject({ message: 'disk full' });
    }
  });

  it('crashes when its state cannot be stored, and names the path', async () => {
    await using node = await alone();
    const ref = await open(node);
    expect((await failure(ref.spoil())).cause).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      details: { path: 'deep.socket' },
    });
  });

  it('stores and restores as the definition says', async () => {
    const store = new MemoryStore();
    const cart = defineProcess('cart', {
      durable: true,
      init: () => ({ items: new Map<string, number>(), listeners: [(): number => 1] }),
      calls: {
        put: ({ state }, item: string) => void state.items.set(item, 1),
        items: ({ state }) => [...state.items.keys()],
      },
      snapshot: ({ items }) => [...items.keys()],
      restore: (stored: readonly string[]) => ({
        items: new Map(stored.map((item) => [item, 1] as const)),
        listeners: [],
      }),
    });
    const first = await alone({ ports: { store } });
    await (await first.processes.start(cart, { name: 'cart' })).put('tea');
    await first.stop();
    await using second = await alone({ ports: { store } });
    expect(await (await second.processes.start(cart, { name: 'cart' })).items()).toEqual(['tea']);
  });

  it('whose stored state cannot be restored does not start, and leaves it untouched', async () => {
    const store = new MemoryStore();
    const picky = defineProcess('picky', {
      durable: true,
      init: () => ({ n: 1 }),
      calls: { bump: ({ state }) => ++state.n },
      restore: (stored: { n: number }) => {
        if (stored.n > 1) throw new Error('too new');
        return stored;
      },
    });
    await using node = await alone({ ports: { store } });
    const ref = await node.processes.start(picky, { name: 'picky' });
    await ref.bump();
    const stored = await store.get('snapshot/picky');
    await using other = await alone({ name: 'other', ports: { store } });
    expect(await failure(other.processes.start(picky, { name: 'picky' }))).toMatchObject({
      code: 'START_FAILED',
    });
    expect(await store.get('snapshot/picky')).toEqual(stored);
  });

  it('that is killed while a write is on its way tells its callers, and stores nothing more', async () => {
    const store = new HeldStore();
    const clock = new ManualClock();
    const node = await alone({ clock, ports: { store } });
    const ref = await open(node);
    const reply = failure(ref.with({ timeoutMs: 60_000 }).add(1));
    await settled();
    const stopped = node.stop();
    await clock.advance(6_000);
    await stopped;
    expect(await reply).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'stuck' } });
    await store.open();
    expect(store.writes).toBe(1);
  });
});

describe('a state that a handler is in the middle of changing', () => {
  const opening = gate();
  const account = defineProcess('account', {
    durable: true,
    init: () => ({ from: 100, to: 0, owed: undefined as ReplyTo<string> | undefined }),
    snapshot: ({ from, to }) => ({ from, to }),
    restore: (stored: { from: number; to: number }) => ({ ...stored, owed: undefined }),
    calls: {
      ask: (ctx) => (ctx.state.owed = ctx.replyTo<string>()),
      touch: () => true,
      read: ({ state: { from, to } }) => [from, to],
      later: (ctx) => ctx.later(() => opening.opened.then(() => 'later')),
      moveSlowly: async (ctx) => {
        ctx.state.from -= 10;
        await new Promise<void>(() => {});
      },
      link: (ctx, other: Ref<{ casts: { end(): void } }>) => ctx.link(other),
    },
    casts: {
      move({ state }) {
        state.from -= 10;
        state.owed?.reply('moved');
        throw new Error('half-way');
      },
    },
    terminate: () => new Promise((resolve) => setTimeout(resolve, 20)),
  });

  it('is not stored because a reply is given meanwhile', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account, { name: 'acme' });
    const asked = failure(ref.ask());
    await ref.touch();
    ref.cast.move();
    expect(await asked).toMatchObject({ code: 'PROCESS_DOWN' });
    await eventually('the name is free', () => node.registry.lookup('acme') === undefined);
    const again = await node.processes.start(account, { name: 'acme' });
    expect(await again.read()).toEqual([100, 0]);
  });

  it('is not stored because work settles while the process ends', async () => {
    const other = defineProcess('other', {
      init: () => ({}),
      casts: {
        end: () => {
          throw new Error('crash');
        },
      },
    });
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(account, { name: 'acme' });
    const partner = await node.processes.start(other);
    await ref.link(partner);
    const later = failure(ref.later());
    const moving = failure(ref.moveSlowly());
    await settled();
    partner.cast.end();
    await settled();
    opening.open();
    expect((await Promise.all([later, moving])).map(({ code }) => code)).toEqual([
      'PROCESS_DOWN',
      'PROCESS_DOWN',
    ]);
    await eventually('the name is free', () => node.registry.lookup('acme') === undefined);
    const again = await node.processes.start(account, { name: 'acme' });
    expect(await again.read()).toEqual([100, 0]);
  });
});
