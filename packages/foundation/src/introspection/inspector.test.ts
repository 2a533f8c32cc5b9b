import { child, defineProcess, defineSupervisor, type Ref } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

const opened = { open: (): void => {} };
const account = defineProcess('account', {
  init: () => ({ balance: 10, log: [] as string[] }),
  timers: { tick: () => {} },
  calls: {
    balance: ({ state }) => state.balance,
    deposit: ({ state }, amount: number) => (state.balance += amount),
    hold: async ({ state }) => {
      state.balance = -1; // half changed
      await new Promise<void>((resolve) => {
        opened.open = resolve;
      });
      state.balance = 20;
      return 'done';
    },
    setTimer: (ctx) => ctx.after(60_000, 'tick'),
    take: ({ defer }) => defer(),
    watch: (ctx, other: Ref<object>) => void ctx.monitor(other as never),
  },
  casts: {
    note: ({ state }, text: string) => void state.log.push(text),
    noteSlowly: async ({ state }, text: string) => {
      await settled();
      state.log.push(text);
    },
  },
});

describe('the state of a process', () => {
  it('is read without its handlers knowing, ahead of what waits in its mailbox', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    for (let index = 0; index < 100; index++) ref.cast.noteSlowly('x');
    const state = (await node.processes.inspect(ref).state()) as { log: string[] };
    expect(state.log.length).toBeLessThan(10);
    expect((await node.processes.inspect(ref).statistics()).mailbox).toBeGreaterThan(50);
  });

  it('is a copy where messages are', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const state = (await node.processes.inspect(ref).state()) as { balance: number };
    state.balance = 1_000_000;
    expect(await ref.balance()).toBe(10);
  });

  it('is never one that a handler has half changed: it is read when the handler is done', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const held = ref.hold();
    await settled();
    const asked = node.processes.inspect(ref).state();
    await settled();
    opened.open();
    expect(await held).toBe('done');
    expect(await asked).toMatchObject({ balance: 20 });
  });

  it('is not to be had while a handler does not end: UNRESPONSIVE; the numbers are', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(account);
    const held = failure(ref.with({ timeoutMs: 60_000 }).hold());
    await test.settled();
    const look = test.node.processes.inspect(ref, { timeoutMs: 100 });
    const asked = failure(look.state());
    await test.advance(200);
    expect(await asked).toMatchObject({
      code: 'UNRESPONSIVE',
      outcome: 'unknown',
      details: { timeoutMs: 100 },
    });
    expect(await look.statistics()).toMatchObject({ status: 'busy', current: 'call hold' });
    await test.node.processes.stop(ref, { reason: 'killed' });
    await held;
  });

  it('is replaced between two messages', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    await node.processes.inspect(ref).replaceState({ balance: 99, log: [] });
    expect(await ref.deposit(1)).toBe(100);
    expect(await failure(node.processes.inspect(ref).replaceState(5 as never))).toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  it('that cannot be sent is named by its path', async () => {
    const odd = defineProcess('odd', { init: () => ({ socket: { close: () => {} } }) });
    await using node = await alone();
    const ref = await node.processes.start(odd);
    expect(await failure(node.processes.inspect(ref).state())).toMatchObject({
      code: 'INVALID_REPLY',
      cause: { code: 'NOT_SERIALIZABLE', message: expect.stringContaining('socket.close') },
    });
  });
});

describe('a suspended process', () => {
  it('handles nothing until it is resumed; what came meanwhile is kept in order', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const look = node.processes.inspect(ref);
    await look.suspend();
    ref.cast.note('a');
    ref.cast.note('b');
    await settled();
    expect(await look.state()).toMatchObject({ log: [] });
    expect(await look.statistics()).toMatchObject({ status: 'suspended', mailbox: 2 });
    await look.suspend();
    await look.resume();
    await settled();
    expect(await look.state()).toMatchObject({ log: ['a', 'b'] });
    await look.resume();
    expect(await ref.balance()).toBe(10);
  });

  it('still stops, and hears of the end of what it is linked to', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const ref = await node.processes.start(account);
    await node.processes.inspect(ref).suspend();
    const waiting = failure(ref.balance());
    await node.processes.stop(ref);
    expect(exits).toMatchObject([{ reason: 'normal' }]);
    expect(await waiting).toMatchObject({ code: 'PROCESS_DOWN' });
  });

  it('finishes the handler it is at', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const held = ref.hold();
    await settled();
    await node.processes.inspect(ref).suspend();
    const next = ref.balance();
    opened.open();
    expect(await held).toBe('done');
    await settled();
    expect(await node.processes.inspect(ref).statistics()).toMatchObject({ mailbox: 1 });
    await node.processes.inspect(ref).resume();
    expect(await next).toBe(20);
  });
});

describe('the statistics of a process', () => {
  it('count what it did and has', async () => {
    await using node = await alone();
    const other = await node.processes.start(account);
    const ref = await node.processes.start(account, { name: 'acme' });
    for (let index = 0; index < 200; index++) ref.cast.note('x');
    await ref.deposit(1);
    await ref.setTimer();
    await ref.watch(other);
    void failure(ref.take());
    await settled();
    const found = await node.processes.inspect(ref).statistics({ stateBytes: true });
    expect(found).toMatchObject({
      process: 'account',
      name: 'acme',
      status: 'idle',
      mailbox: 0,
      mailboxHighWater: 201,
      deferred: 1,
      timers: 1,
      monitors: 1,
      monitoredBy: 0,
      restarts: 0,
      thread: 0,
      current: undefined,
    });
    expect(found.handled).toBe(203);
    expect(found.stateBytes).toBeGreaterThan(400);
    expect(found.waitsSampled).toBeGreaterThan(1);
    expect(found.waitP50Ms).toBeGreaterThan(0);
    expect(found.waitP99Ms).toBeGreaterThanOrEqual(found.waitP50Ms ?? 0);
  });

  it('tell how long messages waited and handlers held the loop, from a sample', async () => {
    const slow = defineProcess('slow', {
      init: () => ({}),
      casts: {
        work: () => {
          const end = performance.now() + 1;
          while (performance.now() < end);
        },
      },
      calls: { done: () => true },
    });
    await using node = await alone();
    const ref = await node.processes.start(slow);
    for (let index = 0; index < 256; index++) ref.cast.work();
    await ref.done();
    const { busyMs, waitP50Ms, waitP99Ms } = await node.processes.inspect(ref).statistics();
    expect(busyMs).toBeGreaterThan(128);
    expect(busyMs).toBeLessThan(2_560);
    expect(waitP99Ms).toBeGreaterThan(waitP50Ms ?? Infinity);
    expect(waitP99Ms).toBeGreaterThan(100);
  });

  it('of nobody are NO_PROCESS', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const pid = ref.pid;
    await node.processes.stop(ref);
    expect(await failure(node.processes.inspect(pid as never).statistics())).toMatchObject({
      code: 'NO_PROCESS',
    });
    const nobody = node.ref(account, 'nobody');
    await expect(async () => node.processes.inspect(nobody).state()).rejects.toMatchObject({
      code: 'NO_PROCESS',
    });
  });
});

describe('a trace', () => {
  it('follows the messages of a process as they are handled, with what they carry', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    await using trace = await node.processes.inspect(ref).trace();
    await node.context.run({ requestId: 'r-1' }, () => ref.deposit(7));
    ref.cast.note('x'.repeat(1_000));
    const [first, second] = [await trace.next(), await trace.next()];
    expect(first.value).toMatchObject({
      kind: 'call',
      name: 'deposit',
      args: '7',
      requestId: 'r-1',
    });
    expect(second.value).toMatchObject({ kind: 'cast', name: 'note', requestId: undefined });
    expect(String(second.value?.args).length).toBeLessThan(210);
  });

  it('ends with the process, and with its own end nothing is told any more', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    const trace = await node.processes.inspect(ref).trace();
    await ref.balance();
    await node.processes.stop(ref);
    const seen: string[] = [];
    for await (const each of trace) seen.push(each.name);
    expect(seen).toEqual(['balance']);
    const before = (await node.processes.list()).length;
    const other = await node.processes.start(account);
    {
      await using _trace = await node.processes.inspect(other).trace();
    }
    await settled();
    expect((await node.processes.list()).length).toBe(before + 1);
  });

  it('keeps no more than it may: the oldest go, and are counted', async () => {
    await using node = await alone();
    const ref = await node.processes.start(account);
    await using trace = await node.processes.inspect(ref).trace({ max: 3 });
    for (let index = 0; index < 10; index++) await ref.deposit(index);
    await settled();
    expect(trace.dropped).toBe(7);
    expect((await trace.next()).value?.args).toBe('7');
    expect(await failure(node.processes.inspect(ref).trace({ max: 0 }))).toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  it('tells how long an asynchronous handler took', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(account);
    await using trace = await test.node.processes.inspect(ref).trace();
    const held = ref.hold();
    await test.advance(250);
    opened.open();
    await held;
    expect((await trace.next()).value).toMatchObject({ name: 'hold', tookMs: 250 });
  });
});

describe('the tree of processes', () => {
  it('shows supervisors with their children, and those children that do not run', async () => {
    await using test = await testNode();
    const inner = defineSupervisor('inner', {
      onExceeded: 'quarantine',
      restartsMax: 0,
      children: [child(account, { name: 'x' }), child(account, { name: 'y' })],
    });
    await test.node.processes.start(
      defineSupervisor('outer', { children: [child(inner), child(account, { name: 'z' })] }),
    );
    const poison = defineProcess('poison', { init: () => ({}) });
    await test.node.processes.start(poison, { name: 'alone' });
    await test.node.processes.stop(test.node.ref(account, 'x'), { reason: 'killed' });
    await test.settled();
    const trees = await test.node.processes.tree();
    const brief = (tree: (typeof trees)[number]): unknown => [
      tree.name ?? tree.process,
      tree.status,
      ...tree.children.map(brief),
    ];
    expect(trees.map(brief)).toEqual([
      ['foundation.node', expect.any(String)],
      ['outer', 'idle', ['inner', 'idle', ['y', 'idle'], ['x', 'quarantined']], ['z', 'idle']],
      ['alone', 'idle'],
    ]);
    const quarantined = trees[1]?.children[0]?.children[1];
    expect(quarantined).toMatchObject({ pid: undefined, lastExit: 'killed' });
  });
});

describe('stopping a process by hand', () => {
  const clerk = defineProcess('clerk', {
    init: () => ({}),
    calls: {
      hang: (_ctx, until: 'never' | 'now') =>
        until === 'now' ? undefined : new Promise<void>(() => {}),
    },
    terminate: () => void ends.push('terminate'),
  });
  const ends: string[] = [];

  it('lets it finish and terminate, and resolves when it has ended', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const ref = await node.processes.start(clerk, { name: 'clerk' });
    await node.processes.stop(ref);
    expect([exits[0]?.reason, ends.splice(0), ref.pid]).toEqual([
      'normal',
      ['terminate'],
      undefined,
    ]);
    await node.processes.stop((await node.processes.start(clerk)).pid as never, {
      reason: 'shutdown',
    });
    expect(exits[1]?.reason).toBe('shutdown');
    await node.processes.stop(await node.processes.start(clerk), { reason: 'killed' });
    expect([exits[2]?.reason, ends]).toEqual(['killed', ['terminate']]);
  });

  it('ends the supervisor that was made for it alone', async () => {
    await using node = await alone();
    const before = (await node.processes.list()).length;
    const ref = await node.processes.start(clerk, { name: 'kept', restart: 'permanent' });
    await node.processes.stop(ref);
    await settled();
    expect((await node.processes.list()).length).toBe(before);
  });

  it('fails with CALL_TIMEOUT when it does not end, and with NO_PROCESS when there is none', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(clerk, { name: 'stuck' });
    const hanging = failure(ref.with({ timeoutMs: 60_000 }).hang('never'));
    await test.settled();
    const stopped = failure(test.node.processes.stop(ref, { timeoutMs: 300 }));
    await test.advance(400);
    expect(await stopped).toMatchObject({ code: 'CALL_TIMEOUT' });
    await test.node.processes.stop(ref, { reason: 'killed' });
    expect(await hanging).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await failure(test.node.processes.stop(ref))).toMatchObject({ code: 'NO_PROCESS' });
    expect(
      await failure(test.node.processes.stop(ref, { reason: 'crash' as never })),
    ).toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});
