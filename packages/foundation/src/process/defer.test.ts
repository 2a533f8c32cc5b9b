import { defineProcess } from '@foundation/core';
import { testNode } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

/** Takes what is not there wait until it is. */
const shelf = defineProcess('shelf', {
  deferredMax: 3,
  init: () => ({ items: [] as string[], isOpen: true, log: [] as string[] }),
  calls: {
    take: ({ state, defer }) => state.items.shift() ?? defer(),
    takeSlowly: async ({ state, defer }) => {
      await settled();
      return state.items.shift() ?? defer();
    },
    log: ({ state }) => state.log,
  },
  casts: {
    put: ({ state }, item: string) => void state.items.push(item),
    note({ state, defer }, text: string) {
      if (state.items.length === 0) defer();
      else state.log.push(text);
    },
  },
});

describe('a deferred message', () => {
  it('comes again when another one has been handled, in the order in which it came', async () => {
    await using node = await alone();
    const ref = await node.processes.start(shelf);
    const takes = [ref.take(), ref.take(), ref.takeSlowly()];
    await settled();
    for (const item of ['a', 'b', 'c']) ref.cast.put(item);
    expect(await Promise.all(takes)).toEqual(['a', 'b', 'c']);
  });

  it('comes before what was sent later', async () => {
    await using node = await alone();
    const ref = await node.processes.start(shelf);
    ref.cast.note('first');
    ref.cast.put('x');
    ref.cast.note('second');
    expect(await ref.log()).toEqual(['first', 'second']);
  });

  it('keeps its deadline: what its caller has given up does not come again', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(shelf);
    const late = failure(ref.with({ timeoutMs: 100 }).take());
    await test.advance(200);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
    ref.cast.put('kept');
    expect(await ref.take()).toBe('kept');
  });

  it('is bounded: calls beyond fail with OVERLOADED, casts are dropped, both are told', async () => {
    await using node = await alone();
    const overflows = listen(node, 'overflow');
    const ref = await node.processes.start(shelf);
    const kept = [ref.take(), ref.take(), ref.take()];
    expect(await failure(ref.take())).toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
      details: { deferredMax: 3 },
    });
    ref.cast.note('dropped');
    await settled();
    expect(overflows.map(({ rule, kind }) => `${rule} ${kind}`)).toEqual([
      'deferred call',
      'deferred cast',
    ]);
    expect(node.counters().overflow).toBe(2);
    for (const item of ['a', 'b', 'c']) ref.cast.put(item);
    expect(await Promise.all(kept)).toEqual(['a', 'b', 'c']);
  });

  it('makes room when its caller has given up', async () => {
    await using test = await testNode();
    const ref = await test.node.processes.start(shelf);
    const given = Array.from({ length: 3 }, () => failure(ref.with({ timeoutMs: 50 }).take()));
    await test.advance(200);
    await Promise.all(given);
    const kept = ref.take();
    await test.settled();
    ref.cast.put('a');
    expect(await kept).toBe('a');
  });

  it('fails with the process', async () => {
    await using node = await alone();
    const ref = await node.processes.start(shelf);
    const waiting = failure(ref.take());
    await settled();
    await node.processes.stop(ref);
    expect(await waiting).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'normal' } });
  });

  it('cannot be put off when its handler is over', async () => {
    await using node = await alone();
    const late = defineProcess('late', {
      init: () => ({}),
      calls: {
        go: (ctx) =>
          ctx.later(async () => {
            await settled();
            ctx.defer();
          }),
      },
    });
    const ref = await node.processes.start(late);
    expect(await failure(ref.go())).toMatchObject({
      code: 'PROCESS_DOWN',
      cause: { code: 'INVALID_OPTION' },
    });
  });

  it('gives every item to the takers in turn, whatever order puts and takes come in', async () => {
    const steps = fc.array(fc.constantFrom('put', 'take'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        await using test = await testNode({ seed });
        const wide = defineProcess('wide', {
          init: () => ({ items: [] as number[] }),
          calls: { take: ({ state, defer }) => state.items.shift() ?? defer() },
          casts: { put: ({ state }, item: number) => void state.items.push(item) },
        });
        const ref = await test.node.processes.start(wide);
        const taken: Promise<number>[] = [];
        let put = 0;
        for (const step of given) {
          if (step === 'put') ref.cast.put(put++);
          else taken.push(ref.take());
        }
        while (put < taken.length) ref.cast.put(put++);
        expect(await Promise.all(taken)).toEqual(taken.map((_, index) => index));
      }),
      { numRuns: 200 },
    );
  });
});
