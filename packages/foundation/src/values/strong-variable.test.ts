import { MachineClock, SimHost, SimStore, SimStoreServer, Simulation } from '@foundation/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { startNode } from '../node.ts';
import { Codec } from '../wire/codec.ts';
import type { Reading, StrongVariable } from './strong-variable.ts';
import { Variables } from './variables.ts';

/** Nodes on machines of their own, and a store elsewhere. */
class World {
  readonly simulation = new Simulation(1);
  readonly server = new SimStoreServer(this.simulation);

  boot(node: string): Variables {
    const { simulation, server } = this;
    const host = new SimHost(simulation, node);
    const clock = new MachineClock(simulation, host);
    const store = new SimStore(server, { host, clock });
    return new Variables({ node, store, codec: new Codec(), clock, random: simulation.random });
  }

  /** What a promise comes to. */
  async over<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    await this.simulation.runUntil(() => isSettled, 60_000);
    return settled;
  }
}

/** Texts of digits, which become numbers. */
const digits: StandardSchemaV1<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (given) =>
      typeof given === 'string' && /^\d+$/.test(given)
        ? { value: Number(given) }
        : { issues: [{ message: 'no digits', path: ['count'] }] },
  },
};

describe('a strong variable', () => {
  it('has its initial value until one is written, and then that of whoever wrote last', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')].map((each) =>
      each.strong('level', { initial: 10 }),
    ) as [StrongVariable<number>, StrongVariable<number>];
    expect(await world.over(a.read())).toEqual({ value: 10, version: 0 });
    const version = await world.over(a.set(11));
    expect(await world.over(b.read())).toEqual({ value: 11, version });
    await world.over(b.set(12));
    await world.over(a.set(13));
    expect(await world.over(b.get())).toBe(13);
  });

  it('gives each reader a copy of its initial value, so that nobody reads what was never written', async () => {
    const world = new World();
    const initial = { steps: ['a'] };
    const plan = world.boot('a').strong('plan', { initial });
    initial.steps.push('by whoever made it');
    (await world.over(plan.get())).steps.push('by a reader');
    const failing = plan.update((value) => {
      value.steps.push('by an update that fails');
      throw new RangeError('no');
    });
    await expect(world.over(failing)).rejects.toThrow(RangeError);
    const watching = plan.watch()[Symbol.asyncIterator]();
    (await world.over(watching.next())).value?.value.steps.push('by a watcher');
    await watching.return?.();
    expect(await world.over(plan.read())).toEqual({ value: { steps: ['a'] }, version: 0 });
  });

  it('refuses an initial value that could not be written', () => {
    const variables = new World().boot('a');
    const made = (initial: unknown) => (): unknown => variables.strong<unknown>('key', { initial });
    const unfit = [() => 1, Symbol('a'), new URL('http://a'), { send: () => 1 }];
    for (const initial of unfit) {
      expect(made(initial)).toThrowError(
        expect.objectContaining({
          code: 'NOT_SERIALIZABLE',
          details: { path: expect.stringMatching(/^initial/) },
        }),
      );
    }
    expect(made('x'.repeat(65_536))).toThrowError(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        details: expect.objectContaining({ bytesMax: 65_536 }),
      }),
    );
  });

  it('is undefined at first where nothing else was said', async () => {
    const world = new World();
    const plan = world.boot('a').strong<{ readonly steps: number }>('plan');
    expect(await world.over(plan.get())).toBeUndefined();
    await world.over(plan.set({ steps: 3 }));
    expect(await world.over(plan.get())).toEqual({ steps: 3 });
  });

  it('is updated by many of a node at once without one getting in the way of another', async () => {
    const world = new World();
    const count = world.boot('a').strong('count', { initial: 0 });
    let tries = 0;
    const add = (value: number): number => {
      tries++;
      return value + 1;
    };
    const updates = Array.from({ length: 50 }, () => count.update(add));
    const written = await world.over(Promise.all(updates));
    expect(written.map(({ value }) => value)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    expect(tries).toBe(50);
  });

  it('is not held up for long by an update that does not come to its end, or fails', async () => {
    const world = new World();
    const count = world.boot('a').strong('count', { initial: 0, timeoutMs: 1_000 });
    void count.update(() => new Promise<never>(() => {}));
    const failing = count.update(() => {
      throw new RangeError('no');
    });
    const [failed, last] = await world.over(
      Promise.allSettled([failing, count.update((value) => value + 1)]),
    );
    expect(failed).toMatchObject({ status: 'rejected' });
    expect(last).toMatchObject({ status: 'fulfilled', value: { value: 1 } });
    expect(world.simulation.nowMs).toBeLessThan(2_000);
  });

  it('is written by compare-and-set only over the version that was seen', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')].map((each) => each.strong<string>('key')) as [
      StrongVariable<string | undefined, string>,
      StrongVariable<string | undefined, string>,
    ];
    const first = await world.over(a.compareAndSet(0, 'one'));
    expect(await world.over(b.compareAndSet(0, 'other'))).toBeUndefined();
    const second = await world.over(b.compareAndSet(first ?? 0, 'two'));
    expect(second).toBeGreaterThan(first ?? Infinity);
    expect(await world.over(a.compareAndSet(first ?? 0, 'late'))).toBeUndefined();
    expect(await world.over(a.read())).toEqual({ value: 'two', version: second });
  });

  it('loses no update of many who count at once, and each is told what it has made', async () => {
    const world = new World();
    const counts = await world.over(
      Promise.all(
        ['a', 'b', 'c', 'd'].map(async (node) => {
          const count = world.boot(node).strong('count', { initial: 0 });
          const made: number[] = [];
          for (let round = 0; round < 25; round++) {
            made.push((await count.update((value) => value + 1)).value);
          }
          return made;
        }),
      ),
    );
    expect(counts.flat().toSorted((x, y) => x - y)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  it('is changed by asynchronous functions, too, and by none that fails', async () => {
    const world = new World();
    const list = world.boot('a').strong<readonly string[]>('list', { initial: [] });
    await world.over(list.update(async (value) => [...value, 'a']));
    const failing = list.update(() => {
      throw new RangeError('no');
    });
    await expect(world.over(failing)).rejects.toThrow(RangeError);
    expect(await world.over(list.read())).toEqual({ value: ['a'], version: 1 });
  });

  it('is not written when others are faster for too long', async () => {
    const world = new World();
    const [a, b] = [
      world.boot('a').strong<number>('key', { timeoutMs: 0 }),
      world.boot('b').strong<number>('key'),
    ];
    const updated = a.update(async () => {
      await b.set(1);
      return 2;
    });
    await expect(world.over(updated)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      outcome: 'not-executed',
      message: 'others have written "key" first, 1 times within 0 ms',
    });
    expect(await world.over(a.get())).toBe(1);
  });

  it('passes on whatever the codec can carry, and names what it cannot', async () => {
    const world = new World();
    const value = {
      when: new Date(5),
      big: 2n ** 70n,
      tags: new Set(['a']),
      map: new Map([[1, undefined]]),
    };
    const variable = world.boot('a').strong<typeof value>('rich');
    await world.over(variable.set(value));
    expect(await world.over(world.boot('b').strong<typeof value>('rich').get())).toEqual(value);
    const socket = { send: () => {} };
    const unfit = world.boot('a').strong<unknown>('unfit');
    await expect(world.over(unfit.set({ socket }))).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      details: { path: 'value.socket.send' },
    });
    const large = world.boot('a').strong<string>('large');
    await expect(world.over(large.set('x'.repeat(65_536)))).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      details: { bytes: 65_545, bytesMax: 65_536 },
    });
  });
});

describe('the outcome of an operation on a strong variable', () => {
  it('is "not executed" when there is no majority, and when it came to no write', async () => {
    const world = new World();
    const variable = world.boot('a').strong('count', { initial: 0 });
    await world.over(variable.set(1));
    world.server.goAway('refusing');
    const notExecuted = { code: 'NO_QUORUM', outcome: 'not-executed', retryable: true };
    await expect(world.over(variable.get())).rejects.toMatchObject(notExecuted);
    await expect(world.over(variable.set(2))).rejects.toMatchObject(notExecuted);
    world.server.goAway('silent');
    let runs = 0;
    const updated = variable.update((value) => value + ++runs);
    await expect(world.over(updated)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-executed',
      retryable: true,
    });
    expect(runs).toBe(0);
    world.server.comeBack();
    expect(await world.over(variable.get())).toBe(1);
  });

  it('is "unknown" when a write was sent and not acknowledged, and it may have been done', async () => {
    const world = new World();
    const variable = world.boot('a').strong('count', { initial: 0 });
    await world.over(variable.set(1));
    world.server.cut('a', 'answers');
    const unknown = { code: 'STORE_UNAVAILABLE', outcome: 'unknown' };
    await expect(world.over(variable.set(2))).rejects.toMatchObject(unknown);
    world.server.heal();
    expect(await world.over(variable.get())).toBe(2);
    world.server.cut('a', 'questions');
    await expect(world.over(variable.compareAndSet(2, 3))).rejects.toMatchObject(unknown);
    world.server.heal();
    expect(await world.over(variable.get())).toBe(2);
  });
});

describe('a schema', () => {
  it('checks what is written and makes what is read, the initial value as well', async () => {
    const world = new World();
    const count = world.boot('a').strong('count', { schema: digits, initial: '7' });
    expectTypeOf(count).toEqualTypeOf<StrongVariable<number, string>>();
    expect(await world.over(count.get())).toBe(7);
    await world.over(count.set('8'));
    expect(await world.over(count.update((value) => String(value + 1)))).toMatchObject({
      value: 9,
    });
    const writes = [
      () => count.set('x'),
      () => count.update(() => 'x'),
      () => count.compareAndSet(2, 'x'),
    ];
    for (const write of writes) {
      await expect(world.over<unknown>(write())).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: '"count" cannot have that value: count: no digits',
        details: { name: 'count', issues: [{ message: 'no digits', path: ['count'] }] },
      });
    }
    expect(await world.over(count.read())).toEqual({ value: 9, version: 2 });
  });

  it('refuses what somebody without it has written', async () => {
    const world = new World();
    await world.over(world.boot('a').strong<boolean>('count').set(true));
    const count = world.boot('b').strong('count', { schema: digits });
    await expect(world.over(count.get())).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await world.over(count.set('1'));
    expect(await world.over(count.get())).toBe(1);
  });

  it('of a higher version reads what earlier programs have stored, and they refuse what it has', async () => {
    const world = new World();
    const earlier = world.boot('a').strong<number>('level');
    await world.over(earlier.set(3));
    const later = world.boot('b').strong<{ readonly level: number }>('level', {
      schemaVersion: 2,
      upgrade: (stored, version) => ({ level: Number(stored) * 10 + version }),
    });
    expect(await world.over(later.get())).toEqual({ level: 31 });
    await world.over(later.update((value) => ({ level: (value?.level ?? 0) + 1 })));
    expect(await world.over(later.get())).toEqual({ level: 32 });
    const refused = { code: 'INVALID_VALUE', details: { name: 'level', stored: 2, known: 1 } };
    await expect(world.over(earlier.get())).rejects.toMatchObject(refused);
    await expect(world.over(earlier.set(4))).rejects.toMatchObject(refused);
    expect(await world.over(later.get())).toEqual({ level: 32 });
  });
});

describe('watching a strong variable', () => {
  it('tells the value of now, then newer ones, and never goes back', async () => {
    const world = new World();
    const [mine, theirs] = [world.boot('a'), world.boot('b')].map((each) =>
      each.strong('count', { initial: 0 }),
    ) as [StrongVariable<number>, StrongVariable<number>];
    const seen: Reading<number>[] = [];
    const watching = (async () => {
      for await (const reading of mine.watch()) {
        seen.push(reading);
        if (reading.value >= 40) break;
      }
    })();
    await world.simulation.advance(50);
    expect(seen).toEqual([{ value: 0, version: 0 }]);
    world.server.slowDown(60);
    await world.over(
      (async () => {
        for (let round = 0; round < 40; round++) await theirs.update((value) => value + 1);
      })(),
    );
    await world.over(watching);
    const values = seen.map(({ value }) => value);
    expect(values).toEqual([...new Set(values)].toSorted((x, y) => x - y));
    expect(values.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toEqual({ value: 40, version: 40 });
  });

  it('goes on after an outage with what was missed', async () => {
    const world = new World();
    const variable = world.boot('a').strong('count', { initial: 0 });
    const other = world.boot('b').strong('count', { initial: 0 });
    const seen: number[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const { value } of variable.watch({ signal: controller.signal })) seen.push(value);
    })();
    await world.simulation.advance(50);
    world.server.cut('a', 'both');
    await world.over(other.set(1));
    await world.over(other.set(2));
    await world.simulation.advance(1_000);
    expect(seen).toEqual([0]);
    world.server.heal();
    await world.simulation.advance(100);
    expect(seen).toEqual([0, 2]);
    controller.abort();
    await world.over(watching);
    expect(seen).toEqual([0, 2]);
  });

  it('does not hear of variables whose names begin alike', async () => {
    const world = new World();
    const variables = world.boot('a');
    await world.over(variables.strong<number>('ab').set(1));
    const seen: unknown[] = [];
    void (async () => {
      for await (const { value } of variables.strong<number>('a').watch()) seen.push(value);
    })();
    await world.simulation.advance(50);
    await world.over(variables.strong<number>('ab').set(2));
    await world.simulation.advance(50);
    expect(seen).toEqual([undefined]);
  });
});

describe('a fenced variable', () => {
  it('takes no write of an earlier holder, or of nobody, from then on', async () => {
    const world = new World();
    const plain = world.boot('a').strong('total', { initial: 0 });
    await world.over(plain.set(5));
    const early = await world.over(plain.fencedBy(3));
    await world.over(early.update((total) => total + 1));
    const late = await world.over(world.boot('b').strong('total', { initial: 0 }).fencedBy(8));
    const { version } = await world.over(early.read());
    const fenced = { code: 'FENCED', outcome: 'not-executed', details: { token: 3, highest: 8 } };
    await expect(world.over(early.set(1))).rejects.toMatchObject(fenced);
    await expect(world.over(early.update(() => 1))).rejects.toMatchObject(fenced);
    await expect(world.over(early.compareAndSet(version, 1))).rejects.toMatchObject(fenced);
    await expect(world.over(plain.set(1))).rejects.toMatchObject({ details: { token: 0 } });
    await expect(world.over(plain.fencedBy(7))).rejects.toMatchObject({ code: 'FENCED' });
    expect(await world.over(late.update((total) => total + 10))).toMatchObject({ value: 16 });
    expect(await world.over(early.get())).toBe(16);
    await world.over(late.fencedBy(8));
  });

  it('takes none that was sent before and arrives later', async () => {
    const world = new World();
    const early = await world.over(world.boot('a').strong('total', { initial: 0 }).fencedBy(3));
    world.server.slowDown(300);
    const writes = Promise.allSettled(Array.from({ length: 8 }, () => early.update((n) => n + 1)));
    await world.simulation.advance(20);
    const late = await world.over(world.boot('b').strong('total', { initial: 0 }).fencedBy(8));
    const total = await world.over(late.get());
    await world.over(writes);
    expect(await world.over(late.get())).toBe(total);
  });

  it('keeps out others before the first value was written, and has its initial one still', async () => {
    const world = new World();
    const plain = world.boot('a').strong('total', { initial: 1 });
    const fenced = await world.over(plain.fencedBy(2));
    expect(await world.over(fenced.read())).toEqual({ value: 1, version: 1 });
    await expect(world.over(plain.set(9))).rejects.toMatchObject({ code: 'FENCED' });
    await world.over(fenced.set(3));
    expect(await world.over(plain.get())).toBe(3);
  });
});

describe('the variables of a node', () => {
  it('are made with options that are right', () => {
    const variables = new World().boot('a');
    const refused = (options: object, name = 'key'): (() => unknown) => {
      return () => variables.strong(name, options);
    };
    expect(refused({}, '')).toThrow('expected `name`');
    expect(refused({ inital: 1 })).toThrow('did you mean `initial`');
    expect(refused({ schema: {} })).toThrow('expected `schema` to be a Standard Schema');
    expect(refused({ schemaVersion: 0 })).toThrow('`schemaVersion`');
    expect(refused({ schemaVersion: 2 })).toThrow('`upgrade`');
    expect(refused({ upgrade: 5 })).toThrow('`upgrade`');
    expect(refused({ timeoutMs: -1 })).toThrow('`timeoutMs`');
    expect(() => variables.strong('key').watch({ signal: {} as never })).toThrow('`signal`');
  });

  it('refuse in their operations what is no version, token or function', async () => {
    const variable = new World().boot('a').strong<number>('key');
    const invalid = { code: 'INVALID_OPTION' };
    for (const version of [-1, 1.5, 2 ** 53, 1e308]) {
      await expect(variable.compareAndSet(version, 1)).rejects.toMatchObject(invalid);
    }
    for (const token of [0, 1.5, 2 ** 53, 1e308]) {
      await expect(variable.fencedBy(token)).rejects.toMatchObject(invalid);
    }
    await expect(variable.update(5 as never)).rejects.toMatchObject(invalid);
  });

  it('do not compile for what cannot be stored', () => {
    const variables = new World().boot('a');
    const unfit = variables.strong<{ readonly send: () => void }>('key');
    expectTypeOf(unfit).toEqualTypeOf<{
      readonly 'the value cannot be stored': { readonly send: () => void };
    }>();
    expectTypeOf(variables.strong('key', { initial: 1 })).toEqualTypeOf<StrongVariable<number>>();
  });

  it('refuse what is no variable', async () => {
    const world = new World();
    const variable = world.boot('a').strong<number>('key');
    for (const bytes of [
      Buffer.from('{"a":1}'),
      new Codec().encode([2, 0, 1]),
      new Codec().encode(null),
    ]) {
      const { version = 0 } = (await world.server.data.get('variable/key')) ?? {};
      await world.server.data.compareAndSet('variable/key', version, bytes);
      await expect(world.over(variable.get())).rejects.toMatchObject({ code: 'MALFORMED' });
    }
  });

  it('end with it: watching ends, and operations say so', async () => {
    const node = await startNode({ cluster: 'off' });
    const variable = node.variables.strong('key', { initial: 1 });
    expect(await variable.update((value) => value + 1)).toEqual({ value: 2, version: 1 });
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { value } of variable.watch()) seen.push(value);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    await node.stop();
    await watching;
    expect(seen).toEqual([2]);
    await expect(variable.get()).rejects.toMatchObject({ code: 'NODE_STOPPED' });
    expect(() => variable.watch()).toThrowError(expect.objectContaining({ code: 'NODE_STOPPED' }));
  });
});
