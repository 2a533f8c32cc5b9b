import { defineProcess, refuse, type Ref } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkModel } from './check-model.ts';
import { probe } from './probe.ts';
import { testNode } from './test-node.ts';

interface LogApi {
  readonly casts: { note(who: string): void };
}
const log = defineProcess('log', {
  init: () => ({ notes: [] as string[] }),
  casts: { note: ({ state }, who: string) => void state.notes.push(who) },
  calls: { notes: ({ state }) => state.notes },
});
const racer = defineProcess('racer', {
  init: (name: string) => ({ name }),
  casts: { go: ({ state }, to: Ref<LogApi>) => void to.cast.note(state.name) },
});

/** The order in which five processes that are started off together reach a sixth. */
async function race(seed: number): Promise<readonly string[]> {
  await using test = await testNode({ seed });
  const finish = await test.node.processes.start(log);
  const racers = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((init) => test.node.processes.start(racer, { init })),
  );
  for (const each of racers) each.cast.go(finish);
  await test.settled();
  return await finish.notes();
}

describe('a test node', () => {
  it('draws the order of processes from its seed: the same one again, others from others', async () => {
    const orders = [];
    for (let seed = 0; seed < 10; seed++) orders.push((await race(seed)).join(''));
    expect(new Set(orders).size).toBeGreaterThan(5);
    expect((await race(3)).join('')).toBe(orders[3]);
  });

  it('lets time pass only when told to, with all that it sets off', async () => {
    const ticking = defineProcess('ticking', {
      init: () => ({ ticks: 0 }),
      continue: (ctx) => ctx.every(1_000, 'tick'),
      timers: { tick: ({ state }) => void state.ticks++ },
      calls: { ticks: ({ state }) => state.ticks },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(ticking);
    await test.advance(3_600_000);
    expect([test.nowMs, await ref.ticks()]).toEqual([3_600_000, 3_600]);
  });

  it('gives a call its deadline in virtual time', async () => {
    const hanging = defineProcess('hanging', {
      init: () => ({}),
      calls: { hang: () => new Promise<void>(() => {}) },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(hanging);
    const answer = ref.hang().catch((error: unknown) => error);
    await test.advance(5_100);
    expect(await answer).toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it.each([-1, Number.NaN, Infinity, '5', undefined])(
    'does not let a time pass that is none: %s',
    async (durationMs) => {
      await using test = await testNode();
      await test.advance(100);
      await expect(test.advance(durationMs as number)).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('durationMs'),
      });
      expect(test.nowMs).toBe(100);
    },
  );
});

describe('a probe', () => {
  interface Shop {
    readonly calls: { take(amount: number): number };
    readonly casts: { hello(): void };
  }
  const customer = defineProcess('customer', {
    init: (shop: Ref<Shop>) => ({ shop }),
    calls: {
      pay: ({ state }, amount: number) => state.shop.take(amount),
      greet: ({ state }) => state.shop.cast.hello(),
      crash: (): void => {
        throw new Error('broke');
      },
    },
  });

  it('stands in for a process: hears what it is sent, answers as told', async () => {
    await using test = await testNode();
    const shop = await probe<Shop>(test.node, { calls: { take: (amount) => amount * 2 } });
    const ref = await test.node.processes.start(customer, { init: shop.ref });
    expect(await ref.pay(4)).toBe(8);
    await ref.greet();
    expect(await shop.next()).toEqual({ kind: 'call', name: 'take', args: [4] });
    expect(await shop.next()).toEqual({ kind: 'cast', name: 'hello', args: [] });
    expect(shop.received).toHaveLength(2);
  });

  it('may be of a definition, and answer later', async () => {
    const shop = defineProcess('shop', {
      init: () => ({}),
      calls: { take: (_ctx, amount: number) => amount },
    });
    await using test = await testNode();
    const { ref } = await probe<typeof shop>(test.node, {
      calls: { take: async (amount) => amount * 3 },
    });
    const same: Ref<typeof shop> = ref;
    expect(await same.take(2)).toBe(6);
  });

  it('hears of the ends of what it watches and is linked to', async () => {
    await using test = await testNode();
    const eyes = await probe(test.node);
    const shop = await probe<Shop>(test.node, { name: 'shop' });
    const ref = await test.node.processes.start(customer, { init: shop.ref });
    await eyes.monitor(ref);
    await eyes.link(ref);
    await ref.crash().catch(() => {});
    const told = [await eyes.next(), await eyes.next()];
    expect(told.map((each) => each.kind).toSorted()).toEqual(['down', 'exit']);
    expect(told).toMatchObject([{ reason: 'crash' }, { reason: 'crash' }]);
  });

  it.each(['monitor', 'link'] as const)('that has ended cannot %s, and says so', async (way) => {
    await using test = await testNode();
    const [eyes, shop] = [await probe(test.node), await probe<Shop>(test.node)];
    await test.node.processes.stop(eyes.ref);
    await expect(eyes[way](shop.ref)).rejects.toMatchObject({ code: 'NO_PROCESS' });
  });
});

describe('a model check', () => {
  const account = (limit: number) =>
    defineProcess('account', {
      init: () => ({ balance: 0 }),
      calls: {
        deposit: ({ state }, amount: number) => (state.balance += amount),
        withdraw({ state }, amount: number) {
          if (amount > state.balance) return refuse('TOO_LITTLE', { balance: state.balance });
          return (state.balance -= Math.min(amount, limit));
        },
      },
    });
  const check = (limit: number) => ({
    start: ({ node }: Awaited<ReturnType<typeof testNode>>) => node.processes.start(account(limit)),
    model: () => ({ balance: 0 }),
    commands: {
      deposit: {
        args: fc.tuple(fc.nat(20)),
        expect: (model: { balance: number }, amount: number) => (model.balance += amount),
      },
      withdraw: {
        args: fc.tuple(fc.nat(20)),
        expect: (model: { balance: number }, amount: number) =>
          amount > model.balance
            ? refuse('TOO_LITTLE', { balance: model.balance })
            : (model.balance -= amount),
      },
    },
    seed: 7,
  });

  it('passes a process that does what its model says', async () => {
    await expect(checkModel(check(1_000))).resolves.toBeUndefined();
  });

  it('finds the shortest calls after which a process does not', async () => {
    await expect(checkModel(check(10))).rejects.toThrow(/seed: 7/u);
    await expect(checkModel(check(10))).rejects.toThrow(/Counterexample/u);
  });

  it('shows arguments as they are written, a bigint for example', async () => {
    const echo = defineProcess('echo', {
      init: () => ({}),
      calls: { echo: (_ctx, value: bigint) => value },
    });
    const failing = checkModel({
      start: ({ node }) => node.processes.start(echo),
      model: () => ({}),
      commands: { echo: { args: fc.constant([7n]), expect: () => ({ not: 7n }) } },
    });
    await expect(failing).rejects.toMatchObject({
      cause: { message: 'echo(7n)\nreplied 7n, the model says { not: 7n }' },
    });
  });

  it.each([
    [{ commands: {} }, '`commands` to be calls with what they must reply, got: {}'],
    [{ commands: undefined }, 'got: undefined'],
    [{ commands: { deposit: { expects: () => 1 } } }, 'did you mean `expect`?'],
    [{ runs: 0 }, '`runs` to be a whole number of at least 1, got: 0'],
    [{ runs: Number.NaN }, 'got: NaN'],
    [{ stepsMax: -1 }, 'got: -1'],
    [{ seed: '7' }, "got: '7'"],
    [{ run: 5 }, 'unknown option `run`, did you mean `runs`?'],
  ])('refuses what would check nothing: %o', async (options, message) => {
    await expect(checkModel({ ...check(10), ...(options as object) })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });

  it('fails for a call that the process does not have, whatever is expected of it', async () => {
    const commands = { deposti: { expect: () => undefined } };
    await expect(checkModel({ ...check(10), commands })).rejects.toMatchObject({
      cause: { message: 'the process has no call "deposti"' },
    });
  });
});
