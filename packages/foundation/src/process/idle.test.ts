import { defineProcess } from '@foundation/core';
import { testNode } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { listen } from '../../test/alone.ts';

const session = defineProcess('session', {
  idleMs: 1_000,
  init: () => ({ idles: [] as number[], open: (): void => {} }),
  calls: {
    touch: () => {},
    idles: ({ state }) => state.idles,
  },
  info: { idle: ({ state }, { idleMs }) => void state.idles.push(idleMs) },
});

describe('an idle process', () => {
  it('is told once when no message has come for its time, and again after the next one', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(session);
    await test.advance(990);
    expect(await ref.idles()).toEqual([]);
    await test.advance(500);
    await ref.touch();
    await test.advance(990);
    expect(await ref.idles()).toEqual([]);
    await test.advance(10_000);
    expect(await ref.idles()).toEqual([1_000]);
    await test.advance(10_000);
    expect(await ref.idles()).toEqual([1_000, 1_000]);
  });

  it('ends normally when it has no handler for that', async () => {
    const brief = defineProcess('brief', {
      idleMs: 1_000,
      init: () => ({}),
      calls: { touch: () => {} },
    });
    await using test = await testNode();
    const exits = listen(test.node, 'exit');
    const ref = await test.node.processes.start(brief);
    for (let round = 0; round < 5; round++) {
      await test.advance(800);
      await ref.touch();
    }
    expect(exits).toEqual([]);
    await test.advance(1_050);
    expect(exits).toMatchObject([{ pid: ref.pid, reason: 'normal' }]);
  });

  it('is not idle while a handler of it is at work', async () => {
    const opened = { open: (): void => {} };
    const working = defineProcess('working', {
      idleMs: 1_000,
      init: () => ({ idles: 0 }),
      calls: {
        work: () =>
          new Promise<void>((resolve) => {
            opened.open = resolve;
          }),
        idles: ({ state }) => state.idles,
      },
      info: { idle: ({ state }) => void state.idles++ },
    });
    await using test = await testNode();
    const ref = await test.node.processes.start(working);
    const work = ref.with({ timeoutMs: 60_000 }).work();
    await test.advance(5_000);
    opened.open();
    await work;
    expect(await ref.idles()).toBe(0);
    await test.advance(1_100);
    expect(await ref.idles()).toBe(1);
  });
});
