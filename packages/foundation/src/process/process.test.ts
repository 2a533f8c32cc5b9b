import { defineProcess, Pid, refuse } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

describe('messages', () => {
  const notebook = defineProcess('notebook', {
    init: () => ({ notes: [] as string[] }),
    calls: {
      note: ({ state }, text: string) => void state.notes.push(text),
      slowNote: async ({ state }, text: string) => {
        state.notes.push(`${text} begins`);
        await settled();
        state.notes.push(`${text} ends`);
      },
      read: ({ state }) => [...state.notes],
    },
    casts: { jot: ({ state }, text: string) => void state.notes.push(text) },
  });

  it('arrive in the order in which they were sent, calls and casts alike', async () => {
    await using node = await alone();
    const ref = await node.processes.start(notebook);
    const sent = Array.from({ length: 200 }, (_, index) => `${index}`);
    const calls = sent.map((text, index) =>
      index % 2 === 0 ? ref.note(text) : ref.cast.jot(text),
    );
    expect(calls).not.toContain(false);
    expect(await ref.read()).toEqual(sent);
  });

  it('are handled one at a time: a handler that awaits keeps the next one waiting', async () => {
    await using node = await alone();
    const ref = await node.processes.start(notebook);
    await Promise.all([ref.slowNote('a'), ref.note('b'), ref.slowNote('c')]);
    expect(await ref.read()).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends']);
  });

  it('wait for `init`, also while it awaits', async () => {
    const opening = gate();
    const slow = defineProcess('slow', {
      init: async () => {
        await opening.opened;
        return { log: ['init'] };
      },
      calls: { log: ({ state }) => state.log },
    });
    await using node = await alone();
    const started = node.processes.start(slow, { name: 'slow' });
    const answer = node.ref(slow, 'slow').log();
    opening.open();
    expect(await answer).toEqual(['init']);
    await started;
  });
});

describe('a start', () => {
  it('fails with START_FAILED and the error of `init`, or REFUSED; the name is free again', async () => {
    await using node = await alone();
    const picky = defineProcess('picky', {
      init: (what: 'throw' | 'refuse' | 'nothing' | 'fine') => {
        if (what === 'throw') throw new RangeError('no such file');
        if (what === 'refuse') return refuse('NOT_TODAY', { until: 5 });
        return what === 'nothing' ? (undefined as unknown as { ok: boolean }) : { ok: true };
      },
      calls: { ok: ({ state }) => state.ok },
    });
    const start = (init: 'throw' | 'refuse' | 'nothing' | 'fine') =>
      node.processes.start(picky, { init, name: 'picky' });
    const failed = await failure(start('throw'));
    expect(failed).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('no such file'),
    });
    expect(failed.cause).toBeInstanceOf(RangeError);
    expect(await failure(start('refuse'))).toMatchObject({
      code: 'REFUSED',
      details: { code: 'NOT_TODAY', data: { until: 5 } },
    });
    expect(await failure(start('nothing'))).toMatchObject({
      code: 'START_FAILED',
      cause: { code: 'INVALID_DEFINITION' },
    });
    expect(await (await start('fine')).ok()).toBe(true);
  });

  it('of a durable process without a name is refused and leaves nothing behind', async () => {
    await using node = await alone();
    const durable = defineProcess('durable', { durable: true, init: () => ({ n: 0 }) });
    const before = (await node.processes.list()).length;
    expect(await failure(node.processes.start(durable))).toMatchObject({ code: 'INVALID_OPTION' });
    expect(await node.processes.list()).toHaveLength(before);
  });

  it('leaves no name behind when the first message is the last', async () => {
    const opening = gate();
    const brief = defineProcess('brief', {
      init: async () => {
        await opening.opened;
        return {};
      },
      casts: { end: (ctx) => ctx.stop() },
    });
    await using node = await alone();
    const started = node.processes.start(brief, { name: 'brief' });
    node.ref(brief, 'brief').cast.end();
    opening.open();
    await started;
    await settled();
    expect(node.registry.lookup('brief')).toBeUndefined();
    expect(node.registry.all()).toEqual([]);
    await node.processes.start(brief, { name: 'brief' });
  });

  it('refuses a name that is taken', async () => {
    await using node = await alone();
    const any = defineProcess('any', { init: () => ({}) });
    await node.processes.start(any, { name: 'taken' });
    expect(await failure(node.processes.start(any, { name: 'taken' }))).toMatchObject({
      code: 'NAME_TAKEN',
      details: { name: 'taken' },
    });
  });

  it('refuses options that do not exist or are wrong, before anything has changed', async () => {
    await using node = await alone();
    const any = defineProcess('any', { init: () => ({}) });
    const before = (await node.processes.list()).length;
    const wrong: readonly object[] = [
      { nam: 'x' },
      { name: '' },
      { strategy: 'global' },
      { restart: 'always' },
      { capabilities: [7] },
      { strategy: 'singleton' },
    ];
    for (const options of wrong) {
      expect(await failure(node.processes.start(any, options))).toMatchObject({
        code: 'INVALID_OPTION',
      });
    }
    expect(await node.processes.list()).toHaveLength(before);
  });
});

describe('the end of a process', () => {
  const ends = (log: string[]) =>
    defineProcess('ends', {
      init: () => ({}),
      calls: {
        stop: (ctx, reason: 'normal' | 'shutdown' | 'killed') => {
          ctx.stop(reason);
          return 'bye';
        },
        stopSlowly: async (ctx) => {
          ctx.stop();
          await settled();
          return 'bye';
        },
        crash: () => {
          throw new Error('crash');
        },
        hello: () => void log.push('hello'),
      },
      terminate: (_ctx, reason) => void log.push(`terminate ${reason}`),
    });

  it('comes after the reply to the message that asked for it, and after `terminate`', async () => {
    const log: string[] = [];
    await using node = await alone();
    for (const reason of ['normal', 'shutdown'] as const) {
      const ref = await node.processes.start(ends(log));
      expect(await ref.stop(reason)).toBe('bye');
      expect(await failure(ref.hello())).toMatchObject({ code: 'NO_PROCESS' });
    }
    const ref = await node.processes.start(ends(log));
    expect(await ref.stopSlowly()).toBe('bye');
    expect(log).toEqual(['terminate normal', 'terminate shutdown', 'terminate normal']);
  });

  it('lets `terminate` run after a crash too, not after `killed`', async () => {
    const log: string[] = [];
    await using node = await alone();
    await failure((await node.processes.start(ends(log))).crash());
    expect(log).toEqual(['terminate crash']);
    await (await node.processes.start(ends(log))).stop('killed');
    expect(log).toEqual(['terminate crash']);
  });

  it('waits for an asynchronous `terminate` and handles no further message meanwhile', async () => {
    const log: string[] = [];
    const opening = gate();
    const slow = defineProcess('slow', {
      init: () => ({}),
      calls: { note: () => void log.push('note') },
      terminate: async () => {
        log.push('begins');
        await opening.opened;
        log.push('ends');
      },
    });
    await using node = await alone();
    const ref = await node.processes.start(slow);
    // Ready, with mail, when it is told to stop.
    const waiting = failure(ref.note());
    const stopped = node.stop();
    await settled();
    opening.open();
    await stopped;
    expect(await waiting).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'shutdown' } });
    expect(log).toEqual(['begins', 'ends']);
  });

  it('for a reason that does not exist is a crash, and told as one', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const ref = await node.processes.start(ends([]));
    expect(await failure(ref.stop('banana' as 'normal'))).toMatchObject({
      code: 'PROCESS_DOWN',
      cause: { code: 'INVALID_OPTION', details: { option: 'reason' } },
    });
    expect(exits.map(({ reason }) => reason)).toEqual(['crash']);
  });

  it('is a crash when `terminate` throws', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const bad = defineProcess('bad', {
      init: () => ({}),
      calls: { stop: (ctx) => ctx.stop() },
      terminate: () => {
        throw new Error('no end');
      },
    });
    await (await node.processes.start(bad)).stop();
    expect(exits.map(({ reason }) => reason)).toEqual(['crash']);
  });
});

describe('a pid', () => {
  it('is never used again, and one of an earlier life of the node leads nowhere', async () => {
    await using node = await alone();
    const watcher = defineProcess('watcher', {
      init: () => ({ downs: [] as string[] }),
      calls: {
        watch: (ctx, pid: Pid) => void ctx.monitor(pid),
        downs: ({ state }) => state.downs,
      },
      info: { down: ({ state }, { reason }) => void state.downs.push(reason) },
    });
    const pids = new Set<string>();
    for (let round = 0; round < 20; round++) {
      pids.add(String((await node.processes.start(watcher)).pid));
    }
    expect(pids.size).toBe(20);
    const [ref, target] = [
      await node.processes.start(watcher),
      await node.processes.start(watcher),
    ];
    const pid = present(target.pid);
    await ref.watch(new Pid(pid.node, pid.incarnation - 1, pid.serial));
    await settled();
    expect(await ref.downs()).toEqual(['node_down']);
  });
});
