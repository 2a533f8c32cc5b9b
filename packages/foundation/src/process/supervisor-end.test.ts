import { child, defineProcess, defineSupervisor, type Node } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, present } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

async function running(node: Node): Promise<readonly string[]> {
  const listed = await node.processes.list();
  return listed.map(({ process }) => process).filter((each) => !each.startsWith('foundation.'));
}

/** Three children in a row: the start of the second one, and each end, wait for somebody. */
function row() {
  const [starting, ending] = [gate(), gate()];
  const log: string[] = [];
  const slow = defineProcess('slow', {
    init: async (name: string) => {
      if (name === 'b') await starting.opened;
      log.push(`+${name}`);
      return { name };
    },
    terminate: async ({ state }) => {
      await ending.opened;
      log.push(`-${state.name}`);
    },
  });
  const children = ['a', 'b', 'c'].map((name) => child(slow, { init: name, name }));
  return { starting, ending, log, top: defineSupervisor('top', { children }) };
}

const frail = defineProcess('frail', {
  init: () => ({}),
  continue: () => {
    throw new Error('poor health');
  },
});
/** Supervisors of a child that crashes in each of its lives. */
const tops = {
  static: (node: Node) =>
    node.processes.start(defineSupervisor('top', { children: [frail], backoff: { minMs: 8_000 } })),
  dynamic: async (node: Node) => {
    const rules = { strategy: 'dynamic', child: frail, backoff: { minMs: 8_000 } } as const;
    const top = await node.processes.start(defineSupervisor('top', rules));
    await top.start();
    return top;
  },
};

describe('a supervisor that is killed', () => {
  it('takes its children along, also those that hang in a handler or in their end', async () => {
    const deaf = defineProcess('deaf', {
      init: () => ({}),
      calls: { hang: () => new Promise<void>(() => {}), close: (ctx) => ctx.stop() },
      terminate: () => new Promise<void>(() => {}),
    });
    await using node = await alone();
    const children = [child(deaf, { name: 'deaf' }), child(deaf, { name: 'closing' })];
    const top = await node.processes.start(defineSupervisor('top', { children }));
    const hanging = failure(node.ref(deaf, 'deaf').hang());
    await node.ref(deaf, 'closing').close();
    await node.processes.stop(top, { reason: 'killed' });
    expect(await hanging).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
    expect(await running(node)).toEqual([]);
  });

  it('starts no further children', async () => {
    const { starting, log, top } = row();
    await using node = await alone();
    const started = failure(node.processes.start(top, { name: 'top' }));
    await settled();
    await node.processes.stop(present(node.registry.lookup('top')), { reason: 'killed' });
    expect(await started).toMatchObject({ code: 'START_FAILED' });
    starting.open();
    await settled();
    expect(log).toEqual(['+a', '+b']);
    expect(await running(node)).toEqual([]);
  });

  it.each(['static', 'dynamic'] as const)(
    'leaves no wait for a restart behind: %s',
    async (kind) => {
      const clock = new ManualClock();
      await using node = await alone({ clock });
      const top = await tops[kind](node);
      await settled();
      expect(await top.children()).toMatchObject([{ status: 'waiting', restarts: 1 }]);
      await node.processes.stop(top, { reason: 'killed' });
      // What is left is the wheel of deadlines, which stops by itself.
      await clock.advance(100);
      expect(clock.pending).toBe(0);
    },
  );
});

describe('a supervisor that is stopped while it starts', () => {
  it('has stopped what it had started, last one first, when it has ended', async () => {
    const { starting, ending, log, top } = row();
    await using node = await alone();
    const started = failure(node.processes.start(top, { name: 'top' }));
    await settled();
    const stopped = node.processes
      .stop(present(node.registry.lookup('top')))
      .then(() => log.push('stopped'));
    starting.open();
    await settled();
    ending.open();
    await stopped;
    expect(log).toEqual(['+a', '+b', '-b', '-a', 'stopped']);
    expect(await started).toMatchObject({ code: 'START_FAILED' });
    expect(await running(node)).toEqual([]);
  });
});

describe('a child that is still being started when its supervisor ends', () => {
  const endless = defineProcess('endless', { init: () => new Promise<object>(() => {}) });

  it('ends at once when that was killed', async () => {
    await using node = await alone();
    const top = await node.processes.start(
      defineSupervisor('top', { strategy: 'dynamic', child: endless }),
    );
    const started = failure(top.start());
    await settled();
    await node.processes.stop(top, { reason: 'killed' });
    expect(await running(node)).toEqual([]);
    expect(await started).toMatchObject({ code: 'PROCESS_DOWN' });
  });

  it('has five seconds otherwise', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const top = await node.processes.start(
      defineSupervisor('top', { strategy: 'dynamic', child: endless, shutdownMs: 50 }),
    );
    const started = failure(top.start());
    await settled();
    const stopped = node.processes.stop(top);
    await clock.advance(60);
    await stopped;
    expect(await started).toMatchObject({ code: 'PROCESS_DOWN' });
    await clock.advance(4_900);
    expect(await running(node)).toEqual(['endless']);
    await clock.advance(200);
    expect(await running(node)).toEqual([]);
  });
});
