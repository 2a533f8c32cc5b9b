import { defineProcess } from '@foundation/core';
import type { ProcessContext } from '@foundation/core/internal';
import { describe, expect, it, vi } from 'vitest';

import { alone, failure, gate, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import type { Process } from '../process/process.ts';

describe('a look at the state', () => {
  const slow = (opened: Promise<void>) =>
    defineProcess('slow', {
      init: async () => {
        await opened;
        return { count: 1 };
      },
      calls: { count: ({ state }) => state.count },
    });

  it('waits for it while `init` is at work, and so does what replaces it', async () => {
    const starting = gate();
    const definition = slow(starting.opened);
    await using node = await alone();
    const started = node.processes.start(definition, { name: 'slow' });
    await settled();
    const look = node.processes.inspect(node.ref(definition, 'slow'));
    const [state, replaced] = [look.state(), look.replaceState({ count: 40 })];
    await settled();
    starting.open();
    expect(await state).toEqual({ count: 1 });
    await replaced;
    expect(await (await started).count()).toBe(40);
  });

  it('fails with the start', async () => {
    const starting = gate();
    const definition = slow(
      starting.opened.then(() => {
        throw new Error('no start');
      }),
    );
    await using node = await alone();
    const started = failure(node.processes.start(definition, { name: 'slow' }));
    await settled();
    const look = node.processes.inspect(node.ref(definition, 'slow'));
    const [state, replaced] = [failure(look.state()), failure(look.replaceState({ count: 40 }))];
    await settled();
    starting.open();
    expect(await started).toMatchObject({ code: 'START_FAILED' });
    expect(await state).toMatchObject({ code: 'NO_PROCESS' });
    expect(await replaced).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('leaves nothing behind in the process', async () => {
    const looked: Process[] = [];
    const plain = defineProcess('plain', {
      init: () => ({ count: 1 }),
      calls: { show: (ctx) => void looked.push((ctx as unknown as ProcessContext).owner) },
    });
    await using node = await alone();
    const ref = await node.processes.start(plain);
    await ref.show();
    const process = present(looked[0]);
    const [begun, over] = [vi.spyOn(process, 'onEnded'), vi.spyOn(process, 'offEnded')];
    const look = node.processes.inspect(ref);
    for (let round = 0; round < 10; round++) await look.state();
    await look.replaceState({ count: 2 });
    expect(begun).toHaveBeenCalledTimes(11);
    expect(over.mock.calls).toEqual(begun.mock.calls);
  });
});
