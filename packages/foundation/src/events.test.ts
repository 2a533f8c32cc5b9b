import { child, defineProcess, defineSupervisor, onNodeEvent, type Ref } from '@foundation/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { alone, failure, gate } from '../test/alone.ts';
import { ManualClock, settled } from '../test/manual-clock.ts';

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

describe('a listener', () => {
  it('acts in nobody’s name: what it does is not done for whoever has set the event off', async () => {
    const working = gate();
    const small = defineProcess('small', {
      mailboxMax: 1,
      init: () => ({}),
      casts: { fill: () => {} },
    });
    const sender = defineProcess('sender', {
      init: () => ({}),
      calls: {
        send: async (_ctx, to: Ref<typeof small>) => {
          to.cast.fill();
          to.cast.fill();
          await working.opened;
        },
        look: (ctx) => ({ remainingMs: ctx.remainingMs, requestId: ctx.request?.requestId }),
      },
    });
    await using node = await alone({ clock: new ManualClock() });
    const [ref, to] = [await node.processes.start(sender), await node.processes.start(small)];
    const looks: Promise<unknown>[] = [];
    node.events.on('overflow', () => looks.push(ref.look()));
    using _everywhere = onNodeEvent('overflow', () => looks.push(ref.look()));
    const sent = node.context.run({ requestId: 'r' }, () => ref.with({ timeoutMs: 300 }).send(to));
    await settled();
    working.open();
    await sent;
    const nobodys = { remainingMs: 5_000, requestId: undefined };
    expect(await Promise.all(looks)).toEqual([nobodys, nobodys]);
  });
});

describe('a listener to what does not exist, or that is no function', () => {
  it.each([
    ['nope', () => {}, /`name` to be 'spawn', .*, got: 'nope'$/u],
    [Symbol('exit'), () => {}, /got: Symbol\(exit\)$/u],
    ['exit', 5, /`listener` to be a function, got: 5$/u],
    ['exit', undefined, /got: undefined$/u],
  ])('is refused, with the value: %s, %s', async (name, listener, message) => {
    await using node = await alone();
    const refused = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(message),
    });
    expect(() => onNodeEvent(name as never, listener as never)).toThrow(refused);
    expect(() => node.events.on(name as never, listener as never)).toThrow(refused);
  });
});
