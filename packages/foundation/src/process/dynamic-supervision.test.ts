import { queryObjects } from 'node:v8';

import { defineProcess, defineSupervisor, refuse, startNode } from '@foundation/core';
import { eventually, testNode } from '@foundation/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

const room = defineProcess('room', {
  init: (topic: string) => (topic === 'forbidden' ? refuse('FORBIDDEN') : { topic }),
  calls: {
    topic: ({ state }) => state.topic,
    crash: () => {
      throw new Error('crash');
    },
    stop: (ctx) => ctx.stop(),
  },
});
const rooms = defineSupervisor('rooms', { strategy: 'dynamic', child: room, childrenMax: 3 });

describe('a dynamic supervisor', () => {
  it('starts children on request and gives typed refs to them', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(rooms);
    const [a, b] = [await top.start({ init: 'a', name: 'lobby' }), await top.start({ init: 'b' })];
    expectTypeOf(a.topic).returns.resolves.toEqualTypeOf<string>();
    expect([await a.topic(), await b.topic()]).toEqual(['a', 'b']);
    expect(await test.node.ref(room, 'lobby').topic()).toBe('a');
    expect(await top.children()).toMatchObject([
      { id: 'lobby', name: 'lobby', status: 'running', restart: 'permanent' },
      { id: 'room#1', name: undefined, status: 'running' },
    ]);
  });

  it('has no more children than it may, and room again when one is gone', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(rooms);
    for (const name of ['a', 'b', 'c']) await top.start({ init: name, name });
    expect(await failure(top.start({ init: 'd' }))).toMatchObject({
      code: 'REFUSED',
      details: { code: 'TOO_MANY_CHILDREN', data: { childrenMax: 3 } },
    });
    expect(await top.stop('b')).toBe(true);
    expect(await top.count()).toBe(2);
    expect(await (await top.start({ init: 'd' })).topic()).toBe('d');
  });

  it('tells why a child does not start, and lives on', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(rooms);
    expect(await failure(top.start({ init: 'forbidden' }))).toMatchObject({
      code: 'REFUSED',
      details: { code: 'FORBIDDEN' },
    });
    await top.start({ init: 'a', name: 'a' });
    expect(await failure(top.start({ init: 'b', name: 'a' }))).toMatchObject({
      details: { code: 'CHILD_EXISTS' },
    });
    await test.node.processes.start(room, { init: 'x', name: 'taken' });
    expect(await failure(top.start({ init: 'b', name: 'taken' }))).toMatchObject({
      code: 'NAME_TAKEN',
    });
    expect(await failure(top.start({ init: 'b', name: '' }))).toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(await top.count()).toBe(1);
  });

  it('refuses options that do not exist or are none, and keeps its children', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(rooms);
    const lobby = await top.start({ init: 'a', name: 'lobby' });
    for (const options of [{ init: 'b', nmae: 'x' }, null]) {
      expect(await failure(top.start(options as never))).toMatchObject({ code: 'INVALID_OPTION' });
    }
    expect(await lobby.topic()).toBe('a');
    expect(await top.count()).toBe(1);
  });

  it('starts several side by side: a slow one holds nobody back', async () => {
    const opening = gate();
    const slow = defineProcess('slow', {
      init: async (isSlow: boolean) => {
        if (isSlow) await opening.opened;
        return { isSlow };
      },
      calls: { ok: () => true },
    });
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('slows', { strategy: 'dynamic', child: slow }),
    );
    const first = top.start({ init: true });
    const second = await top.start({ init: false });
    expect(await second.ok()).toBe(true);
    expect((await top.children()).map(({ status }) => status)).toEqual(['starting', 'running']);
    opening.open();
    expect(await (await first).ok()).toBe(true);
  });

  it('stops and starts again side by side, too: nobody waits for another one', async () => {
    const gates = { opening: gate(), closing: gate() };
    let starts = 0;
    const heavy = defineProcess('heavy', {
      init: async (isHeavy: boolean) => {
        if (isHeavy && ++starts > 1) await gates.opening.opened;
        return { isHeavy };
      },
      calls: { ok: () => true, crash: () => Promise.reject(new Error('crash')) },
      terminate: async ({ state }) => {
        if (state.isHeavy) await gates.closing.opened;
      },
    });
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('heavies', { strategy: 'dynamic', child: heavy }),
    );
    const slow = await top.start({ init: true, name: 'slow' });
    void failure(slow.crash());
    gates.closing.open();
    await test.settled();
    expect(starts).toBe(2);
    // Its second start does not end, and the others do not care.
    await top.start({ init: false, name: 'quick' });
    expect(await top.stop('quick')).toBe(true);
    const [stopped, again] = [top.stop('slow'), failure(top.restart('slow'))];
    await test.settled();
    gates.opening.open();
    expect(await stopped).toBe(true);
    expect(await again).toMatchObject({ details: { code: 'NO_CHILD' } });
    expect(await top.count()).toBe(0);
  });

  it('loses no child that is stopped while it starts', async () => {
    const opening = gate();
    const slow = defineProcess('slow', {
      init: async () => {
        await opening.opened;
        return {};
      },
      calls: { ok: () => true },
    });
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('slows', { strategy: 'dynamic', child: slow }),
    );
    const started = top.start({ name: 'slow' });
    const stopped = top.stop('slow');
    await test.settled();
    opening.open();
    const ref = await started;
    expect(await stopped).toBe(true);
    expect(await failure(ref.ok())).toMatchObject({ code: 'NO_PROCESS' });
    expect(await top.children()).toEqual([]);
    const left = (await test.node.processes.list()).filter((each) => each.process === 'slow');
    expect(left).toEqual([]);
  });

  it('starts no child again that is stopped by hand when it fails', async () => {
    let starts = 0;
    const opening = gate();
    const frail = defineProcess('frail', {
      init: async () => {
        starts++;
        await opening.opened;
        return {};
      },
      continue: () => {
        throw new Error('crash');
      },
    });
    await using node = await alone();
    const top = await node.processes.start(
      defineSupervisor('frails', { strategy: 'dynamic', child: frail }),
    );
    const started = top.start({ name: 'frail' });
    const stopped = top.stop('frail');
    await settled();
    opening.open();
    await started;
    expect(await stopped).toBe(true);
    await settled();
    expect([starts, await top.children()]).toEqual([1, []]);
  });

  it('hears of a child that ends before it is known to have started', async () => {
    let starts = 0;
    const frail = defineProcess('frail', {
      init: () => ({}),
      continue: () => {
        if (++starts === 1) throw new Error('crash');
      },
      calls: { ok: () => true },
    });
    for (const seed of [1, 2, 3, 4, 5]) {
      starts = 0;
      await using test = await testNode({ seed });
      const top = await test.node.processes.start(
        defineSupervisor('frails', { strategy: 'dynamic', child: frail }),
      );
      await top.start({ name: 'frail' });
      await test.settled();
      expect(await test.node.ref(frail, 'frail').ok()).toBe(true);
      expect(await top.children()).toMatchObject([{ status: 'running', restarts: 1 }]);
    }
    starts = 0;
    await using node = await startNode({ cluster: 'off' });
    const top = await node.processes.start(
      defineSupervisor('frails', { strategy: 'dynamic', child: frail }),
    );
    await top.start({ name: 'frail' });
    await eventually('it runs again', () => node.ref(frail, 'frail').ok());
    expect(await top.children()).toMatchObject([{ status: 'running', restarts: 1 }]);
  });

  it('forgets the ends of those that it has stopped, also while it never rests from starting', async () => {
    class Trouble extends Error {}
    const gates = [gate(), gate()];
    const guest = defineProcess('guest', {
      init: async (wait: number | undefined) => {
        if (wait !== undefined) await gates[wait]?.opened;
        return {};
      },
      terminate: () => {
        throw new Trouble();
      },
    });
    await using test = await testNode({ profile: 'production' });
    const top = await test.node.processes.start(
      defineSupervisor('guests', { strategy: 'dynamic', child: guest }),
    );
    const trouble = (): number => queryObjects(Trouble, { format: 'count' });
    await top.start({ name: 'brief' });
    const first = top.start({ init: 0, name: 'first' });
    await top.stop('brief');
    await test.settled();
    expect(trouble()).toBe(1);
    const second = top.start({ init: 1, name: 'second' });
    await test.settled();
    gates[0]?.open();
    await first;
    await test.settled();
    expect(trouble()).toBe(0);
    gates[1]?.open();
    await second;
  });

  it('starts children again that crash, under their names, and gives up when they fail too often', async () => {
    await using test = await testNode();
    const exits = listen(test.node, 'exit');
    const top = await test.node.processes.start(
      defineSupervisor('rooms', { strategy: 'dynamic', child: room, backoff: 'off' }),
    );
    const a = await top.start({ init: 'a', name: 'a' });
    await top.start({ init: 'b', name: 'b' });
    for (let round = 0; round < 3; round++) {
      await failure(a.crash());
      await settled();
      await test.settled();
      expect(await a.topic()).toBe('a');
    }
    await failure(a.crash());
    await test.settled();
    expect(await failure(top.count())).toMatchObject({ code: 'NO_PROCESS' });
    expect(exits.at(-1)).toMatchObject({ who: expect.stringContaining('rooms') });
    expect(test.node.registry.all()).toEqual([]);
  });

  it('waits and puts in quarantine like any other', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('rooms', {
        strategy: 'dynamic',
        child: room,
        restartsMax: 2,
        onExceeded: 'quarantine',
        backoff: { minMs: 100, jitter: 0 },
      }),
    );
    const [a, b] = [
      await top.start({ init: 'a', name: 'a' }),
      await top.start({ init: 'b', name: 'b' }),
    ];
    await failure(a.crash());
    await test.settled();
    await failure(a.crash());
    await test.settled();
    expect(a.pid).toBeUndefined();
    await test.advance(101);
    await failure(a.crash());
    await test.settled();
    expect((await top.children()).map(({ id, status }) => `${id} ${status}`)).toEqual([
      'a quarantined',
      'b running',
    ]);
    expect(await b.topic()).toBe('b');
    expect(await top.restart('a')).toBe(true);
    expect(await a.topic()).toBe('a');
  });

  it('forgets a child that ended as its restart type allows', async () => {
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('rooms', { strategy: 'dynamic', child: room, restart: 'transient' }),
    );
    const a = await top.start({ init: 'a' });
    await a.stop();
    await test.settled();
    expect(await top.count()).toBe(0);
  });

  it('stops all children side by side when it ends', async () => {
    const log: string[] = [];
    const slow = defineProcess('slow', {
      init: (name: string) => ({ name }),
      terminate: async ({ state }) => {
        log.push(`${state.name} begins`);
        await settled();
        log.push(`${state.name} ends`);
      },
    });
    await using test = await testNode();
    const top = await test.node.processes.start(
      defineSupervisor('slows', { strategy: 'dynamic', child: slow }),
    );
    for (const name of ['a', 'b']) await top.start({ init: name });
    await test.node.processes.stop(top);
    expect(log.slice(0, 2)).toEqual(['a begins', 'b begins']);
    expect(log).toHaveLength(4);
  });

  it('keeps ten thousand children as easily as ten', async () => {
    await using test = await testNode({ profile: 'production' });
    const top = await test.node.processes.start(
      defineSupervisor('rooms', { strategy: 'dynamic', child: room, restart: 'temporary' }),
    );
    await Promise.all(
      Array.from({ length: 10_000 }, (_, index) =>
        top.with({ timeoutMs: 60_000 }).start({ init: `${index}` }),
      ),
    );
    expect(await top.count()).toBe(10_000);
    await test.node.processes.stop(top, { timeoutMs: 60_000 });
    expect((await test.node.processes.list()).length).toBe(1);
  });
});

describe('the options of a supervisor', () => {
  it('are refused when they are wrong, with the offending value', () => {
    const children: never[] = [];
    const wrong: readonly object[] = [
      { children, restartsMax: '3' },
      { children, restartWindowMs: Number.NaN },
      { children, backoff: 'of' },
      { children, backoff: { minMs: -1 } },
      { children, backoff: { maxMs: Number.NaN } },
      { children, backoff: { factor: 0.5 } },
      { children, backoff: { jitter: 2 } },
      { children, backoff: { jiter: 0 } },
      { children, onExceeded: 'explode' },
      { children: 'none' },
      { strategy: 'dynamic', child: room, childrenMax: 0 },
      { strategy: 'dynamic', child: room, childrenMax: 1.5 },
      { strategy: 'dynamic', child: room, children },
      { strategy: 'dynamic', child: room, shutdownMs: -5 },
    ];
    for (const options of wrong) {
      expect(() => defineSupervisor('bad', options as never), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      );
    }
    expect(() => defineSupervisor('bad', { strategy: 'dynamic', child: {} as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_DEFINITION' }),
    );
  });
});
