import { defineProcess } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

describe('a continuation after init', () => {
  const log: string[] = [];
  const opening = gate();
  const slowStart = defineProcess('slowStart', {
    init: async () => {
      await opening.opened;
      log.push('init');
      return {};
    },
    continue: async () => {
      log.push('continue');
      await settled();
      log.push('continued');
    },
    casts: { note: () => void log.push('note') },
  });

  it('runs before any message that waited during init, and the start does not wait for it', async () => {
    await using node = await alone();
    const started = node.processes.start(slowStart, { name: 'slow' });
    node.ref(slowStart, 'slow').cast.note();
    opening.open();
    await started;
    expect(log).not.toContain('continued');
    await settled();
    await settled();
    expect(log).toEqual(['init', 'continue', 'continued', 'note']);
  });

  it('that throws is a crash, after the start has succeeded', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const broken = defineProcess('broken', {
      init: () => ({}),
      continue: () => {
        throw new Error('no warehouse');
      },
    });
    await node.processes.start(broken);
    await settled();
    expect(exits).toMatchObject([{ reason: 'crash' }]);
  });
});

describe('the time limit of init', () => {
  const hanging = defineProcess('hanging', {
    initTimeoutMs: 500,
    init: () => new Promise<{ ok: boolean }>(() => {}),
    calls: { ok: ({ state }) => state.ok },
  });

  it('fails the start with START_FAILED, and frees the name', async () => {
    await using test = await testNode();
    const started = failure(test.node.processes.start(hanging, { name: 'hanging' }));
    await test.advance(400);
    expect(test.node.ref(hanging, 'hanging').pid).toBeDefined();
    await test.advance(200);
    expect(await started).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('500 ms'),
      cause: { code: 'START_FAILED', details: { initTimeoutMs: 500 } },
    });
    expect(test.node.ref(hanging, 'hanging').pid).toBeUndefined();
  });

  it('does not hold back who kills the process meanwhile', async () => {
    await using test = await testNode();
    const started = failure(test.node.processes.start(hanging, { name: 'hanging' }));
    const waiting = failure(test.node.ref(hanging, 'hanging').ok());
    await test.node.processes.stop(test.node.ref(hanging, 'hanging'), { reason: 'killed' });
    expect(await started).toMatchObject({ code: 'START_FAILED' });
    expect(await waiting).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
  });

  it('tells who watches a process that is starting', async () => {
    await using test = await testNode();
    const reasons: string[] = [];
    const watcher = defineProcess('watcher', {
      init: () => ({}),
      continue: (ctx) => void ctx.monitor(ctx.node.ref(hanging, 'hanging')),
      info: { down: (_ctx, { reason }) => void reasons.push(reason) },
    });
    const started = failure(test.node.processes.start(hanging, { name: 'hanging' }));
    await test.node.processes.start(watcher);
    await test.advance(1_000);
    await started;
    expect(reasons).toEqual(['start_failed']);
  });
});
