import { defineProcess } from '@foundation/core';
import { testNode, type TestNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

/** Crashes in each of its lives while it is told to. */
const health = { isPoor: false };
const frail = defineProcess('frail', {
  init: () => ({}),
  continue: () => {
    if (health.isPoor) throw new Error('poor health');
  },
  calls: {
    hang: () => new Promise<void>(() => {}),
    crash: () => {
      throw new Error('crash');
    },
  },
});

async function running({ node }: Pick<TestNode, 'node'>): Promise<readonly string[]> {
  const listed = await node.processes.list();
  return listed.map(({ process }) => process).filter((each) => !each.startsWith('foundation.'));
}

describe('a permanent process that is stopped by hand', () => {
  it('ends for good when it is killed, with its supervisor, whatever it is at', async () => {
    await using node = await alone();
    const ref = await node.processes.start(frail, { name: 'frail', restart: 'permanent' });
    const hanging = failure(ref.hang());
    await settled();
    await node.processes.stop(ref, { reason: 'killed', timeoutMs: 500 });
    expect(await hanging).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
    expect(await running({ node })).toEqual([]);
  });

  it.each([{ name: 'frail' }, {}])(
    'ends for good while it waits between two lives: %o',
    async (known) => {
      health.isPoor = false;
      await using test = await testNode();
      const { processes } = test.node;
      const ref = await processes.start(frail, { ...known, restart: 'permanent' });
      health.isPoor = true;
      await failure(ref.crash());
      await test.settled();
      expect(await running(test)).toEqual(['keeper of frail']);
      const spawns = listen(test.node, 'spawn');
      await processes.stop(ref);
      expect(await running(test)).toEqual([]);
      await test.advance(60_000);
      expect(spawns).toEqual([]);
      expect(await failure(processes.stop(ref))).toMatchObject({ code: 'NO_PROCESS' });
    },
  );

  it('is found by the first address that it had, in a later life, too', async () => {
    health.isPoor = false;
    await using test = await testNode();
    const { processes } = test.node;
    const ref = await processes.start(frail, { restart: 'permanent' });
    await failure(ref.crash());
    await test.settled();
    expect(await running(test)).toEqual(['keeper of frail', 'frail']);
    await processes.stop(ref);
    expect(await running(test)).toEqual([]);
  });
});

describe('a name that nobody has', () => {
  it('cannot be stopped: NO_PROCESS, also while others wait between two lives', async () => {
    health.isPoor = false;
    await using test = await testNode();
    const { node } = test;
    const other = await node.processes.start(frail, { name: 'other', restart: 'permanent' });
    health.isPoor = true;
    await failure(other.crash());
    await test.settled();
    expect(await failure(node.processes.stop(node.ref(frail, 'nobody')))).toMatchObject({
      code: 'NO_PROCESS',
    });
    expect(await running(test)).toEqual(['keeper of frail']);
  });
});

describe('a singleton that is stopped by hand', () => {
  it.each(['normal', 'shutdown', 'killed'] as const)('is not started again: %s', async (reason) => {
    health.isPoor = false;
    await using test = await testNode({ processes: [frail] });
    const { processes } = test.node;
    const ref = await processes.start(frail, { name: 'one', strategy: 'singleton' });
    await processes.stop(ref, { reason });
    await test.advance(10_000);
    expect(await running(test)).toEqual([]);
    expect(test.node.registry.lookup('one')).toBeUndefined();
  });

  it('is started again when it has failed too often, but not when that is stopped', async () => {
    health.isPoor = false;
    await using test = await testNode({ processes: [frail] });
    const { processes } = test.node;
    const ref = await processes.start(frail, { name: 'one', strategy: 'singleton' });
    for (let times = 0; times < 4; times++) {
      await failure(ref.crash());
      await test.advance(400);
    }
    await test.advance(2_000);
    expect(await running(test)).toEqual(['keeper of frail', 'frail']);
  });
});

describe('a process that is stopped while its supervisor starts it again', () => {
  it('does not start any more', async () => {
    const lives = { count: 0 };
    const slow = defineProcess('slow', {
      init: () => (++lives.count === 1 ? {} : new Promise<object>(() => {})),
      calls: {
        crash: (): never => {
          throw new Error('crash');
        },
      },
    });
    await using node = await alone();
    const ref = await node.processes.start(slow, { name: 'slow', restart: 'permanent' });
    await failure(ref.crash());
    await settled();
    expect(await running({ node })).toEqual(['keeper of slow', 'slow']);
    await node.processes.stop(ref, { reason: 'killed' });
    expect(await running({ node })).toEqual([]);
    lives.count = 0;
    await node.processes.start(slow, { name: 'slow' });
  });
});

describe('a node that has stopped', () => {
  it('says so when it is to stop a process', async () => {
    const node = await alone();
    const [named, other] = [
      await node.processes.start(frail, { name: 'frail' }),
      await node.processes.start(frail),
    ];
    await node.stop();
    for (const ref of [named, other]) {
      expect(await failure(node.processes.stop(ref))).toMatchObject({ code: 'NODE_STOPPED' });
    }
  });
});
