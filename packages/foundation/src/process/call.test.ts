import { defineProcess, isRefused, refuse } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

describe('a call', () => {
  const worker = defineProcess('worker', {
    init: () => ({ done: 0 }),
    calls: {
      done: ({ state }) => state.done,
      add: ({ state }, by: number) => (state.done += by),
      wait: async ({ state }, ms: number) => {
        state.done++;
        await new Promise((resolve) => {
          setTimeout(resolve, ms);
        });
        return state.done;
      },
      no: () => refuse('NO_WAY', { why: 'closed' }),
      crash: ({ state }) => {
        state.done++;
        throw new RangeError('out of paper');
      },
      crashLate: async () => {
        await settled();
        throw new RangeError('out of paper');
      },
      functionOf: (): unknown => ({ list: [() => 1] }),
      any: (_ctx, value: unknown) => typeof value,
    },
  });

  const forever = defineProcess('forever', {
    init: () => ({}),
    calls: { never: () => new Promise<void>(() => {}) },
  });

  it('ends with the reply', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(await ref.add(2)).toBe(2);
  });

  it('ends with a refusal, an error or a value as the caller likes, and the process lives on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(await failure(ref.no())).toMatchObject({
      code: 'REFUSED',
      outcome: 'not-executed',
      details: { code: 'NO_WAY', data: { why: 'closed' } },
    });
    const answer = await ref.try.no();
    expect(isRefused(answer) && answer.data.why).toBe('closed');
    expect(await ref.try.add(1)).toBe(1);
  });

  it('ends with PROCESS_DOWN whatever the handler throws, and the others go on', async () => {
    await using node = await alone();
    const odd = defineProcess('odd', {
      init: () => ({}),
      calls: {
        now: () => {
          throw Object.create(null);
        },
        later: (ctx) => ctx.later(() => Promise.reject(Object.create(null) as Error)),
      },
    });
    const other = await node.processes.start(worker);
    for (const way of ['now', 'later'] as const) {
      const ref = await node.processes.start(odd);
      expect(await failure(ref[way]())).toMatchObject({ code: 'PROCESS_DOWN' });
      expect(await other.add(0)).toBe(0);
    }
  });

  it('ends with PROCESS_DOWN when the handler throws, and carries the very error', async () => {
    await using node = await alone();
    for (const way of ['crash', 'crashLate'] as const) {
      const ref = await node.processes.start(worker);
      const error = await failure(ref[way]());
      expect(error).toMatchObject({
        code: 'PROCESS_DOWN',
        outcome: 'unknown',
        details: { reason: 'crash' },
      });
      expect(error.cause).toBeInstanceOf(RangeError);
      expect(error.message).toContain('out of paper');
      expect((await node.processes.list()).map(({ pid }) => pid)).not.toContain(String(ref.pid));
    }
  });

  it('ends with PROCESS_DOWN for all that waited behind the message that crashed', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const [first, second] = [failure(ref.crash()), failure(ref.add(1))];
    expect(await first).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await second).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
  });

  it('ends with NO_PROCESS where nobody lives: nothing was executed', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    await failure(ref.crash());
    const expected = { code: 'NO_PROCESS', outcome: 'not-executed', retryable: true };
    expect(await failure(ref.add(1))).toMatchObject(expected);
    expect(await failure(node.ref(worker, 'never started').add(1))).toMatchObject(expected);
    expect(await failure(node.ref(worker, 'never started').add(1))).toHaveProperty(
      'message',
      expect.stringContaining('never started'),
    );
  });

  it('ends with CALL_TIMEOUT at its deadline; the late reply is dropped', async () => {
    const clock = new ManualClock();
    const opening = gate();
    const slow = defineProcess('slow', {
      init: () => ({ count: 0 }),
      calls: {
        slow: async ({ state }) => {
          await opening.opened;
          return `late ${++state.count}`;
        },
        quick: ({ state }) => `quick ${++state.count}`,
      },
    });
    await using node = await alone({ clock });
    const ref = await node.processes.start(slow);
    const late = failure(ref.with({ timeoutMs: 100 }).slow());
    let isOver = false;
    void late.then(() => (isOver = true));
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(30);
    expect(await late).toMatchObject({
      code: 'CALL_TIMEOUT',
      outcome: 'unknown',
      details: { timeoutMs: 100 },
    });
    const quick = ref.quick();
    opening.open();
    expect(await quick).toBe('quick 2');
  });

  it('tells how long it really waited, where its caller or the request had less time left', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(forever);
    const late = node.context.run({ timeoutMs: 70 }, () => failure(ref.never()));
    await clock.advance(200);
    expect(await late).toMatchObject({
      details: { timeoutMs: 70 },
      hint: expect.stringContaining('the whole request'),
    });
    await stopAnyway(node, clock);
  });

  it('ends with NODE_STOPPED, for good, once its node has stopped', async () => {
    const node = await alone();
    const ref = await node.processes.start(worker, { name: 'worker' });
    await node.stop();
    for (const each of [ref, node.ref(worker, 'worker')]) {
      const expected = { code: 'NODE_STOPPED', retryable: false, outcome: 'not-executed' };
      expect(await failure(each.add(1))).toMatchObject(expected);
    }
  });

  it('that fails tells the line that made it, in the development and test profiles', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(worker);
    async function askFromHere(): Promise<void> {
      await ref.crash();
    }
    const [first, second] = await Promise.all([failure(askFromHere()), failure(ref.add(1))]);
    expect(first.stack).toMatch(
      /^FoundationError: .* ended during the call.*\n(.*\n)?.*askFromHere/,
    );
    const { code, hint, details, cause } = first;
    expect(second).toMatchObject({ code, hint, details, cause });
    expect(second.stack).not.toContain('askFromHere');
  });

  it('waits five seconds unless told otherwise', async () => {
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const ref = await node.processes.start(forever);
    let code: string | undefined;
    void failure(ref.never()).then((error) => (code = error.code));
    await clock.advance(4_990);
    expect(code).toBeUndefined();
    await clock.advance(50);
    expect(code).toBe('CALL_TIMEOUT');
    await stopAnyway(node, clock);
  });

  it('that timed out before its turn is not executed', async () => {
    const clock = new ManualClock();
    const opening = gate();
    const queue = defineProcess('queue', {
      init: () => ({ ran: [] as string[] }),
      calls: {
        block: async () => opening.opened,
        run: ({ state }, name: string) => void state.ran.push(name),
        ran: ({ state }) => state.ran,
      },
    });
    await using node = await alone({ clock });
    const ref = await node.processes.start(queue);
    const blocked = ref.block();
    const late = failure(ref.with({ timeoutMs: 50 }).run('late'));
    await clock.advance(100);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
    opening.open();
    await blocked;
    expect(await ref.ran()).toEqual([]);
  });

  it('ends with ABORTED when the caller gives it up, before or after it was sent', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const controller = new AbortController();
    const given = failure(ref.with({ signal: controller.signal }).wait(10));
    await settled();
    controller.abort(new Error('changed my mind'));
    expect(await given).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    expect((await given).cause).toMatchObject({ message: 'changed my mind' });
    expect(await failure(ref.with({ signal: controller.signal }).add(1))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await ref.done()).toBe(1);
  });

  it('ends with INVALID_MESSAGE for a message that the process does not have, counted', async () => {
    await using node = await alone();
    const unknown = listen(node, 'unknown-message');
    await node.processes.start(worker, { name: 'worker' });
    const other = defineProcess('worker', {
      init: () => ({}),
      calls: { fly: () => 1 },
      casts: { sing: () => {} },
    });
    expect(await failure(node.ref(other, 'worker').fly())).toMatchObject({
      code: 'INVALID_MESSAGE',
      outcome: 'not-executed',
      message: expect.stringContaining('"fly"'),
    });
    node.ref(other, 'worker').cast.sing();
    expect(await node.ref(worker, 'worker').add(1)).toBe(1);
    expect(node.counters().unknownMessages).toBe(2);
    expect(unknown.map(({ message }) => message)).toEqual(['fly', 'sing']);
  });

  it('refuses an argument that cannot be sent, names its path and disturbs nothing', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const error = await failure(ref.any({ list: [{}, { socket: () => 1 }] }));
    expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', outcome: 'not-executed' });
    expect(error.details['path']).toBe('args[0].list[1].socket');
    expect(await ref.done()).toBe(0);
    const listed = await node.processes.list();
    expect(listed.find(({ pid }) => pid === String(ref.pid))?.mailbox).toBe(0);
  });

  it('ends with INVALID_REPLY when the reply cannot be sent; the process lives on', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    const error = await failure(ref.functionOf());
    expect(error).toMatchObject({ code: 'INVALID_REPLY', outcome: 'unknown' });
    expect(error.cause).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      details: { path: 'reply.list[0]' },
    });
    expect(await ref.add(1)).toBe(1);
  });

  it('refuses a limit that is none', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    for (const timeoutMs of [0, -1, Number.NaN, Infinity, '500' as unknown as number]) {
      expect(() => ref.with({ timeoutMs })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      );
    }
    expect(() => ref.with({ signal: { aborted: true } as AbortSignal })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });

  it('refuses to be made in ways that do not exist, and stays with its target', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker);
    expect(() => ref.with({ timeout: 1 } as object)).toThrow('did you mean `timeoutMs`?');
    expect(() => ref.with({ name: 'another' } as object)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});

/** Ends a node whose clock is ours: nobody waits for its processes but the clock. */
async function stopAnyway(node: { stop(): Promise<void> }, clock: ManualClock): Promise<void> {
  const stopped = node.stop();
  await clock.advance(60_000);
  await stopped;
}

describe('values', () => {
  const mirror = defineProcess('mirror', {
    init: () => ({ kept: [] as object[] }),
    calls: {
      keep: ({ state }, value: { n: number }) => {
        state.kept.push(value);
        return value;
      },
      kept: ({ state }) => state.kept as { n: number }[],
    },
  });

  it('go by copy in the development and test profiles, so that what works there works remotely', async () => {
    for (const profile of ['development', 'test'] as const) {
      await using node = await alone({ profile });
      const ref = await node.processes.start(mirror);
      const value = { n: 1 };
      const back = await ref.keep(value);
      value.n = 2;
      back.n = 3;
      expect(await ref.kept()).toEqual([{ n: 1 }]);
    }
  });

  it('go by reference in production', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(mirror);
    const value = { n: 1 };
    expect(await ref.keep(value)).toBe(value);
  });
});
