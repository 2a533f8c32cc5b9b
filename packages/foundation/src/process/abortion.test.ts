import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

describe('the signal of a handler', () => {
  it('is aborted when it is first looked at after the process has ended', async () => {
    const going = gate();
    const seen: boolean[] = [];
    const late = defineProcess('late', {
      init: () => ({}),
      casts: {
        go: async (ctx) => {
          await going.opened;
          seen.push(ctx.signal.aborted);
        },
      },
    });
    await using node = await alone();
    const ref = await node.processes.start(late);
    ref.cast.go();
    await settled();
    await node.processes.stop(ref, { reason: 'killed' });
    going.open();
    await settled();
    expect(seen).toEqual([true]);
  });

  it('of a cast aborts at the deadline of its request, whatever is handled meanwhile', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    await using node = await alone({ clock });
    const watcher = defineProcess('watcher', {
      init: () => ({}),
      casts: {
        watch: (ctx) =>
          void ctx.later(
            () =>
              new Promise<void>((resolve) => {
                ctx.signal.addEventListener('abort', () => resolve(void seen.push('watched')));
              }),
          ),
        pass: ({ signal }) => signal.addEventListener('abort', () => seen.push('passed')),
      },
    });
    const ref = await node.processes.start(watcher);
    node.context.run({ timeoutMs: 100 }, () => ref.cast.watch());
    node.context.run({ timeoutMs: 50 }, () => ref.cast.pass());
    ref.cast.pass();
    await clock.advance(99);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['watched']);
  });

  it('tells its listeners in the request of their own message', async () => {
    const clock = new ManualClock();
    const seen: (string | undefined)[] = [];
    await using node = await alone({ clock });
    const waiting = defineProcess('waiting', {
      init: () => ({}),
      calls: {
        wait: ({ signal }) =>
          new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => {
              seen.push(node.context.current()?.requestId);
              resolve();
            });
          }),
      },
    });
    const [a, b] = [await node.processes.start(waiting), await node.processes.start(waiting)];
    // The first one sets the wheel of deadlines going, which turns for both.
    const ends = [
      node.context.run({ requestId: 'a' }, () => failure(a.with({ timeoutMs: 400 }).wait())),
      node.context.run({ requestId: 'b' }, () => failure(b.with({ timeoutMs: 60 }).wait())),
    ];
    await clock.advance(500);
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([
      'CALL_TIMEOUT',
      'CALL_TIMEOUT',
    ]);
    expect(seen).toEqual(['b', 'a']);
  });
});

describe('the signals of two handlers', () => {
  it('are apart: who asks late for one does not take that of the handler at work', async () => {
    const [asking, seen] = [gate(), [] as string[]];
    const worker = defineProcess('worker', {
      init: () => ({}),
      calls: {
        leave: async (ctx) => {
          await settled();
          void asking.opened.then(() => ctx.signal.aborted);
        },
        second: async (ctx) => {
          ctx.signal.addEventListener('abort', () => seen.push('second is told'));
          await new Promise<void>(() => {});
        },
      },
    });
    await using node = await alone();
    const ref = await node.processes.start(worker);
    await ref.leave();
    const second = failure(ref.second());
    await settled();
    asking.open();
    await settled();
    await node.processes.stop(ref, { reason: 'killed' });
    await second;
    expect(seen).toEqual(['second is told']);
  });
});
