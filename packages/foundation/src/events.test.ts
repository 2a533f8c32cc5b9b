import { child, defineProcess, defineSupervisor, onNodeEvent } from '@foundation/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone, failure } from '../test/alone.ts';
import { settled } from '../test/manual-clock.ts';

const worker = defineProcess('worker', {
  init: () => ({}),
  calls: {
    crash: () => {
      throw new Error('crash');
    },
  },
});

describe('an event of every node', () => {
  it('is heard with its type, also of nodes that start later, until the listener is disposed', async () => {
    const restarts: string[] = [];
    const listening = onNodeEvent('restart', (event) => {
      expectTypeOf(event.delayMs).toEqualTypeOf<number>();
      restarts.push(`${event.node} ${event.child} ${event.reason}`);
    });
    for (const name of ['a', 'b']) {
      await using node = await alone({ name });
      await node.processes.start(
        defineSupervisor('top', { children: [child(worker, { name: 'w' })] }),
      );
      await failure(node.ref(worker, 'w').crash());
      await settled();
    }
    listening[Symbol.dispose]();
    expect(restarts).toEqual(['a w crash', 'b w crash']);
    await using node = await alone({ name: 'c' });
    await node.processes.start(worker, { name: 'w', restart: 'permanent' });
    await failure(node.ref(worker, 'w').crash());
    await settled();
    expect(restarts).toHaveLength(2);
  });

  it('does not disturb the node when its listener throws', async () => {
    using _listening = onNodeEvent('spawn', () => {
      throw new Error('oops');
    });
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(ref.pid).toBeDefined();
  });
});
