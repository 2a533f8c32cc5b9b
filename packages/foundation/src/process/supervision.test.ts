import {
  child,
  defineProcess,
  defineSupervisor,
  type AnyRef,
  type RestartOptions,
} from '@foundation/core';
import { testNode, type TestNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { failure, gate, listen } from '../../test/alone.ts';

/** Fails to start while it is told to. */
const broken = new Set<string>();
const worker = defineProcess('worker', {
  init: (name: string) => {
    if (broken.has(name)) throw new Error(`${name} is broken`);
    return { name };
  },
  calls: {
    who: ({ state }) => state.name,
    crash: () => {
      throw new Error('poison');
    },
    stop: (ctx) => ctx.stop(),
  },
});

const names = ['a', 'b', 'c'] as const;
const children = names.map((name) => child(worker, { init: name, name }));

async function start(
  test: TestNode,
  options: RestartOptions & { strategy?: 'one-for-one' | 'one-for-all' | 'rest-for-one' },
) {
  broken.clear();
  return test.node.processes.start(defineSupervisor('top', { ...options, children }));
}

async function crash(test: TestNode, name: string): Promise<void> {
  await failure(test.node.ref(worker, name).crash());
  await test.settled();
}

function running({ node }: TestNode): string {
  return names.filter((name) => node.ref(worker, name).pid !== undefined).join('');
}

describe('backoff', () => {
  const backoff = { minMs: 100, maxMs: 1_000, factor: 2, jitter: 0 };

  it('lets the first restart in a row come at once, and each further one wait twice as long', async () => {
    await using test = await testNode();
    const restarts = listen(test.node, 'restart');
    await start(test, { restartsMax: 10, restartWindowMs: 60_000, backoff });
    for (let round = 0; round < 7; round++) {
      await crash(test, 'a');
      await test.advance(1_000);
    }
    expect(restarts.map(({ delayMs }) => delayMs)).toEqual([0, 100, 200, 400, 800, 1_000, 1_000]);
    expect(restarts[0]).toMatchObject({ node: 'test', child: 'a', reason: 'crash' });
  });

  it('leaves its siblings and the supervisor to go on meanwhile', async () => {
    await using test = await testNode();
    const top = await start(test, { backoff });
    await crash(test, 'b');
    await crash(test, 'b');
    expect(running(test)).toBe('ac');
    expect((await top.children()).map(({ id, status }) => `${id} ${status}`)).toEqual([
      'a running',
      'b waiting',
      'c running',
    ]);
    await test.advance(99);
    expect(running(test)).toBe('ac');
    await test.advance(2);
    expect(running(test)).toBe('abc');
  });

  it('begins anew for a child that has run for a whole window', async () => {
    await using test = await testNode();
    const restarts = listen(test.node, 'restart');
    await start(test, { restartWindowMs: 5_000, backoff });
    for (let round = 0; round < 5; round++) {
      await crash(test, 'a');
      await test.advance(5_001);
    }
    expect(restarts.map(({ delayMs }) => delayMs)).toEqual([0, 0, 0, 0, 0]);
  });

  it('draws its share of each wait from chance, the same one from the same seed', async () => {
    const delays = async (seed: number): Promise<number[]> => {
      await using test = await testNode({ seed });
      const restarts = listen(test.node, 'restart');
      await start(test, { restartsMax: 9, restartWindowMs: 60_000, backoff: { minMs: 100 } });
      for (let round = 0; round < 6; round++) {
        await crash(test, 'a');
        await test.advance(10_000);
      }
      return restarts.map(({ delayMs }) => delayMs);
    };
    const [one, two, again] = [await delays(1), await delays(2), await delays(1)];
    expect(again).toEqual(one);
    expect(two).not.toEqual(one);
    for (const [index, delayMs] of one.entries()) {
      const longest = index === 0 ? 0 : 100 * 2 ** (index - 1);
      expect(delayMs).toBeLessThanOrEqual(longest);
      expect(delayMs).toBeGreaterThanOrEqual(longest / 2);
    }
  });

  it('is over when the supervisor stops: nothing starts any more', async () => {
    await using test = await testNode();
    const spawns = listen(test.node, 'spawn');
    const top = await start(test, { backoff });
    await crash(test, 'b');
    await crash(test, 'b');
    await test.node.processes.stop(top);
    const before = spawns.length;
    await test.advance(10_000);
    expect([spawns.length, running(test)]).toEqual([before, '']);
  });

  it('stops those that share the fate at once, and starts them together, in order', async () => {
    await using test = await testNode();
    await start(test, { strategy: 'rest-for-one', backoff });
    await crash(test, 'b');
    const spawned = listen(test.node, 'spawn');
    await crash(test, 'b');
    expect(running(test)).toBe('a');
    await test.advance(101);
    expect(running(test)).toBe('abc');
    expect(spawned.map(({ who }) => who)).toEqual(['worker "b"', 'worker "c"']);
  });

  it('of a child is void when an earlier one takes it along', async () => {
    await using test = await testNode();
    await start(test, { strategy: 'rest-for-one', restartsMax: 10, backoff });
    await crash(test, 'b');
    await crash(test, 'b');
    await crash(test, 'a');
    expect(running(test)).toBe('abc');
    const spawned = listen(test.node, 'spawn');
    await test.advance(10_000);
    expect(spawned).toEqual([]);
  });

  it('holds for starts that fail, too', async () => {
    await using test = await testNode();
    const restarts = listen(test.node, 'restart');
    const top = await start(test, { restartsMax: 10, restartWindowMs: 60_000, backoff });
    broken.add('b');
    await crash(test, 'b');
    await test.advance(750);
    expect(restarts.map(({ reason, delayMs }) => `${reason} ${delayMs}`)).toEqual([
      'crash 0',
      'start_failed 100',
      'start_failed 200',
      'start_failed 400',
      'start_failed 800',
    ]);
    broken.clear();
    await test.advance(800);
    expect(running(test)).toBe('abc');
    expect((await top.children())[1]).toMatchObject({ id: 'b', status: 'running', restarts: 5 });
  });
});

describe('a child whose starts fail for longer than the window', () => {
  it('goes on waiting between them', async () => {
    await using test = await testNode();
    const restarts = listen(test.node, 'restart');
    const backoff = { minMs: 100, maxMs: 500, factor: 2, jitter: 0 };
    await start(test, { restartsMax: 1_000, restartWindowMs: 5_000, backoff });
    broken.add('b');
    await crash(test, 'b');
    await test.advance(20_000);
    expect(restarts.length).toBeLessThan(50);
    expect(restarts.slice(-10).map(({ delayMs }) => delayMs)).toEqual(Array(10).fill(500));
    broken.clear();
    await test.advance(500);
    expect(running(test)).toBe('abc');
  });
});

describe('the options of a supervisor', () => {
  const fate = async (options: object): Promise<readonly unknown[]> => {
    await using test = await testNode();
    const [restarts, gaveUp] = [listen(test.node, 'restart'), listen(test.node, 'gave-up')];
    await start(test, options);
    for (let round = 0; round < 4; round++) {
      await crash(test, 'b');
      await test.advance(1_000);
    }
    return [restarts.map(({ delayMs }) => delayMs), gaveUp, running(test)];
  };

  it('that are undefined are as good as left out', async () => {
    const given = await fate({
      restartsMax: undefined,
      restartWindowMs: undefined,
      onExceeded: undefined,
      strategy: undefined,
      backoff: { minMs: undefined, maxMs: undefined, factor: undefined, jitter: undefined },
    });
    expect(given).toEqual(await fate({}));
    expect(given).toMatchObject([{ length: 3 }, [{ restartsMax: 3 }], '']);
    expect(await fate({ backoff: undefined })).toEqual(given);
  });
});

describe('quarantine', () => {
  const options = { onExceeded: 'quarantine', restartsMax: 2, backoff: 'off' } as const;

  it('takes only the poison child down: the others and the supervisor go on', async () => {
    await using test = await testNode();
    const quarantined = listen(test.node, 'quarantine');
    const gaveUp = listen(test.node, 'gave-up');
    const top = await start(test, options);
    for (let round = 0; round < 3; round++) await crash(test, 'b');
    expect(running(test)).toBe('ac');
    expect(quarantined).toMatchObject([{ child: 'b', reason: 'crash', error: 'crash: poison' }]);
    expect(gaveUp).toEqual([]);
    expect((await top.children())[1]).toMatchObject({
      id: 'b',
      pid: undefined,
      status: 'quarantined',
      restarts: 2,
      lastExit: 'crash: poison',
    });
    expect(await test.node.ref(worker, 'c').who()).toBe('c');
  });

  it('counts for each child: others may fail as often', async () => {
    await using test = await testNode();
    await start(test, options);
    for (const name of ['a', 'b', 'c', 'a', 'b', 'c']) await crash(test, name);
    expect(running(test)).toBe('abc');
    await crash(test, 'a');
    expect(running(test)).toBe('bc');
  });

  it('is over when the child is started by hand, with a clean slate', async () => {
    await using test = await testNode();
    const top = await start(test, options);
    for (let round = 0; round < 3; round++) await crash(test, 'b');
    expect(await top.restart('b')).toBe(true);
    expect(running(test)).toBe('abc');
    for (let round = 0; round < 2; round++) await crash(test, 'b');
    expect(running(test)).toBe('abc');
  });

  it('starts those again that the poison child has taken along', async () => {
    await using test = await testNode();
    await start(test, { ...options, strategy: 'one-for-all' });
    for (let round = 0; round < 3; round++) await crash(test, 'b');
    expect(running(test)).toBe('ac');
  });

  it('also takes a child that cannot even start', async () => {
    await using test = await testNode();
    const top = await start(test, options);
    broken.add('b');
    await crash(test, 'b');
    expect(running(test)).toBe('ac');
    expect((await top.children())[1]).toMatchObject({
      status: 'quarantined',
      lastExit: expect.stringContaining('b is broken'),
    });
    expect(await failure(top.restart('b'))).toMatchObject({ code: 'START_FAILED' });
    broken.clear();
    expect(await top.restart('b')).toBe(true);
  });
});

describe('a process under a supervisor', () => {
  const clinging = defineProcess('clinging', {
    trapExits: true,
    init: () => ({}),
    info: { exit: () => {} },
  });

  it('ends with it, also one that traps exits, and all below', async () => {
    await using test = await testNode();
    const inner = defineSupervisor('inner', { children: [child(clinging, { name: 'deep' })] });
    const killer = defineProcess('killer', {
      init: () => ({}),
      calls: {
        kill(ctx, target: AnyRef): void {
          ctx.link(target);
          ctx.stop('killed');
        },
      },
    });
    const top = await test.node.processes.start(
      defineSupervisor('outer', { children: [inner, child(clinging, { name: 'flat' })] }),
    );
    // A supervisor traps exits: only who is told to by its own supervisor, or killed, ends.
    await (await test.node.processes.start(killer)).kill(top);
    await test.settled();
    expect(test.node.ref(clinging, 'flat').pid).toBeDefined();
    await test.node.processes.stop(top, { reason: 'killed' });
    await test.settled();
    const left = await test.node.processes.list();
    expect(left.map(({ process }) => process).filter((each) => !each.includes('.'))).toEqual([]);
  });

  it('has no time of its own to stop in when it is a supervisor, and is not left behind', async () => {
    await using test = await testNode();
    const closing = gate();
    const slow = defineProcess('slow', { init: () => ({}), terminate: () => closing.opened });
    const abandoned = listen(test.node, 'abandoned');
    const inner = defineSupervisor('inner', { children: [child(slow, { shutdownMs: 10_000 })] });
    const outer = defineSupervisor('outer', { children: [inner] });
    const top = await test.node.processes.start(outer);
    const stopped = test.node.processes.stop(top, { timeoutMs: 60_000 });
    await test.advance(8_000);
    closing.open();
    await stopped;
    expect(abandoned).toEqual([]);
  });
});

describe('a child by hand', () => {
  it('is stopped until it is started again, whatever its restart type', async () => {
    await using test = await testNode();
    const top = await start(test, {});
    expect(await top.stop('b')).toBe(true);
    expect(await top.stop('b')).toBe(false);
    await test.advance(10_000);
    expect(running(test)).toBe('ac');
    expect(await top.restart('b')).toBe(true);
    expect(running(test)).toBe('abc');
  });

  it('is refused when there is none', async () => {
    await using test = await testNode();
    const top = await start(test, {});
    expect(await failure(top.restart('x'))).toMatchObject({ details: { code: 'NO_CHILD' } });
    expect(await failure(top.stop('x'))).toMatchObject({ details: { code: 'NO_CHILD' } });
  });

  it('that is stopped while others wait with it lets them go on', async () => {
    await using test = await testNode();
    const top = await start(test, { strategy: 'one-for-all', backoff: { jitter: 0 } });
    await crash(test, 'b');
    await crash(test, 'b');
    expect(running(test)).toBe('');
    await top.stop('b');
    expect(running(test)).toBe('ac');
  });

  it('that is started while others wait with it starts them, too', async () => {
    await using test = await testNode();
    const top = await start(test, { strategy: 'one-for-all', backoff: { jitter: 0 } });
    await crash(test, 'b');
    await crash(test, 'b');
    expect(await top.restart('b')).toBe(true);
    expect(running(test)).toBe('abc');
  });

  it('has an id of its own, also without a name and beside others of its definition', async () => {
    await using test = await testNode();
    const unnamed = [child(worker, { init: 'x' }), child(worker, { init: 'y' })];
    const top = await test.node.processes.start(
      defineSupervisor('top', { children: [...unnamed, child(worker, { init: 'z', name: 'z' })] }),
    );
    expect((await top.children()).map(({ id }) => id)).toEqual(['worker', 'worker#2', 'z']);
  });
});

describe('a restarted child', () => {
  it('knows how often it was started before', async () => {
    await using test = await testNode();
    await start(test, { backoff: 'off' });
    await crash(test, 'a');
    await crash(test, 'a');
    const listed = await test.node.processes.list();
    expect(listed.find(({ name }) => name === 'a')).toMatchObject({ restarts: 2 });
    expect(test.node.counters()).toMatchObject({ restarts: 2, crashes: 2 });
  });
});
