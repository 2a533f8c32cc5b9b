import { defineProcess, refuse } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

/** Vitest fails a run on unhandled rejections: here they are the point. */
let others: NodeJS.UnhandledRejectionListener[] = [];
beforeEach(() => {
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
});
afterEach(() => {
  process.removeAllListeners('unhandledRejection');
  for (const each of others) process.on('unhandledRejection', each);
  vi.restoreAllMocks();
});

async function rejectLate(): Promise<never> {
  await settled();
  throw new Error('nobody waits');
}

const careless = defineProcess('careless', {
  init: () => ({}),
  casts: {
    drop: () => void rejectLate(),
    dropInAsync: async () => {
      void rejectLate();
      await Promise.resolve();
    },
  },
  calls: { ok: () => true },
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await settled();
}

describe('a promise that rejects and that nobody waits for', () => {
  it('ends the process that left it behind, alone', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const crashes = listen(node, 'crash');
    const other = await node.processes.start(careless);
    for (const way of ['drop', 'dropInAsync'] as const) {
      const ref = await node.processes.start(careless, { name: way });
      ref.cast[way]();
      await turns();
      expect(ref.pid).toBeUndefined();
    }
    expect(exits.map(({ reason }) => reason)).toEqual(['crash', 'crash']);
    expect(crashes[0]).toMatchObject({ who: 'careless "drop"', error: 'nobody waits' });
    expect(await other.ok()).toBe(true);
  });

  it('during an asynchronous `init` fails the start: nothing is terminated, the name is free', async () => {
    const opening = gate();
    const log: string[] = [];
    const hasty = defineProcess('hasty', {
      init: async () => {
        void rejectLate();
        await opening.opened;
        return {};
      },
      terminate: () => void log.push('terminated'),
    });
    await using node = await alone();
    const error = await failure(node.processes.start(hasty, { name: 'hasty' }));
    expect(error).toMatchObject({ code: 'START_FAILED', cause: { message: 'nobody waits' } });
    expect(node.registry.lookup('hasty')).toBeUndefined();
    opening.open();
    await turns();
    expect(log).toEqual([]);
    expect(await (await node.processes.start(careless, { name: 'hasty' })).ok()).toBe(true);
  });

  it('is told from others in production where the handler is asynchronous or part of a request', async () => {
    await using node = await alone({ profile: 'production' });
    for (let round = 0; round < 30; round++) {
      await (await node.processes.start(careless)).ok();
    }
    const a = await node.processes.start(careless, { name: 'a' });
    a.cast.dropInAsync();
    const b = await node.processes.start(careless, { name: 'b' });
    node.context.run({ requestId: 'r' }, () => b.cast.drop());
    await turns();
    expect([a.pid, b.pid]).toEqual([undefined, undefined]);
  });

  it('is reported by the node otherwise, loudly, and ends nothing', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await using node = await alone({ profile: 'production' });
    const problems = listen(node, 'problem');
    const ref = await node.processes.start(careless, { name: 'a' });
    await ref.ok();
    // By then the handler is known to be synchronous, and has no asynchronous context of its own.
    ref.cast.drop();
    await turns();
    void rejectLate();
    await turns();
    expect(problems.at(-1)).toMatchObject({ error: { message: 'nobody waits' } });
    expect(node.counters().floatingRejections).toBeGreaterThanOrEqual(1);
    expect(warned).toHaveBeenCalledWith(
      expect.stringContaining('nobody waits'),
      expect.objectContaining({ type: 'FoundationWarning' }),
    );
    const other = await node.processes.start(careless);
    expect(await other.ok()).toBe(true);
  });

  it('is not laid at the door of whoever happened to set the turn off', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const caller = defineProcess('caller', {
      init: () => ({}),
      calls: {
        tell: async (ctx, name: string) => {
          await settled();
          ctx.node.ref(careless, name).cast.drop();
        },
        ok: () => true,
      },
    });
    await using node = await alone({ profile: 'production' });
    // By then the handler is known to be synchronous.
    (await node.processes.start(careless)).cast.drop();
    await turns();
    await node.processes.start(careless, { name: 'careless' });
    const ref = await node.processes.start(caller);
    const before = node.counters().floatingRejections;
    await ref.tell('careless');
    await turns();
    expect(await ref.ok()).toBe(true);
    expect(node.counters().floatingRejections).toBe(before + 1);
  });

  it('is laid to who made a call and does not await it, and not to who was called', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const till = defineProcess('till', {
      init: () => ({}),
      calls: {
        refuse: () => refuse('TOO_LITTLE'),
        hang: () => new Promise<void>(() => {}),
        ok: () => true,
      },
    });
    const forgetful = defineProcess('forgetful', {
      init: () => ({}),
      calls: {
        refused: (ctx, name: string) => void ctx.node.ref(till, name).refuse(),
        late: (ctx, name: string) => void ctx.node.ref(till, name).with({ timeoutMs: 20 }).hang(),
        ok: () => true,
      },
    });
    for (const profile of ['test', 'production'] as const) {
      await using test = await testNode({ profile });
      const { node } = test;
      const crashes = listen(node, 'crash');
      const one = await node.processes.start(till, { name: 'one' });
      void one.refuse();
      node.context.run({ requestId: 'r' }, () => void one.refuse());
      await test.settled();
      expect(await one.ok()).toBe(true);
      expect(node.counters().floatingRejections).toBe(2);
      // Whoever starts the wheel of deadlines has nothing to do with what is due later.
      const innocent = await node.processes.start(forgetful, { name: 'innocent' });
      await innocent.ok();
      for (const way of ['refused', 'late'] as const) {
        const ref = await node.processes.start(forgetful, { name: way });
        await ref[way]('one');
        await test.advance(100);
        expect(ref.pid).toBeUndefined();
      }
      expect(crashes.map(({ who }) => who)).toEqual(['forgetful "refused"', 'forgetful "late"']);
      expect(await innocent.ok()).toBe(true);
    }
    expect(warned).toHaveBeenCalled();
  });

  it('is nobody else’s business once the nodes have stopped', async () => {
    const before = process.listenerCount('unhandledRejection');
    const [a, b] = [await alone({ name: 'a' }), await alone({ name: 'b' })];
    expect(process.listenerCount('unhandledRejection')).toBe(before + 1);
    await a.stop();
    expect(process.listenerCount('unhandledRejection')).toBe(before + 1);
    await b.stop();
    expect(process.listenerCount('unhandledRejection')).toBe(before);
  });
});
