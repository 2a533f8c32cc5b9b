import { child, defineSupervisor } from '@foundation/core';
import { eventually } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen, present } from './alone.ts';
import {
  echo,
  endless,
  largeGroup,
  ledger,
  patient,
  slowStart,
  small,
  smallGroup,
  stuckSoon,
  threadEcho,
  watched,
  watchedGroup,
} from './crossing-processes.ts';

describe('a thread whose memory is limited', () => {
  it('ends alone when it needs more, and its process is started again', async () => {
    await using node = await alone();
    const lost = listen(node, 'thread-lost');
    const exits = listen(node, 'exit');
    const top = defineSupervisor('top', {
      children: [child(small, { name: 'small' }), child(echo, { name: 'beside' })],
    });
    const supervisor = await node.processes.start(top);
    const ref = node.ref(small, 'small');
    const first = present(ref.pid);
    const error = await failure(ref.with({ timeoutMs: 60_000 }).grow());
    expect(error).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'thread_lost' } });
    await eventually('it is there again', () => ref.pid !== undefined && !ref.pid.equals(first));
    expect(await ref.ping()).toBe('pong');
    expect(lost).toMatchObject([
      { node: 'alone', thread: first.thread, why: expect.stringContaining('memory') },
    ]);
    expect((await supervisor.children()).map(({ id, restarts }) => `${id} ${restarts}`)).toEqual([
      'small 1',
      'beside 0',
    ]);
    expect(exits).toEqual([]);
  });

  it('is shared only by definitions that agree on the limit', async () => {
    await using node = await alone();
    await node.processes.start(smallGroup);
    expect(await failure(node.processes.start(largeGroup))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('threadMemoryMb'),
    });
    expect(await (await node.processes.start(smallGroup)).ping()).toBe('pong');
  });
});

describe('a handler that never lets go of its thread', () => {
  it.each(['spin', 'spinLate'] as const)(
    'loses it after `maxBusyMs`, and only that one: %s',
    async (way) => {
      await using node = await alone();
      const lost = listen(node, 'thread-lost');
      const beside = await node.processes.start(threadEcho);
      const ref = await node.processes.start(watched, { name: 'watched', restart: 'permanent' });
      const first = present(ref.pid);
      const patience = ref.with({ timeoutMs: 60_000 });
      const error = await failure(way === 'spin' ? patience.spin(60_000) : patience.spinLate());
      expect(error).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'thread_lost' } });
      await eventually('it is there again', () => ref.pid !== undefined && !ref.pid.equals(first));
      expect(await ref.ping()).toBe('pong');
      expect(await beside.ping()).toBe('pong');
      expect(lost).toMatchObject([
        { thread: first.thread, why: expect.stringContaining('held it for') },
      ]);
      expect(lost[0]?.pid?.toString()).toBe(first.toString());
    },
  );

  it('may be busy for a while, again and again', async () => {
    await using node = await alone();
    const lost = listen(node, 'thread-lost');
    const ref = await node.processes.start(watched);
    for (let round = 0; round < 8; round++) await ref.spin(150);
    expect(lost).toEqual([]);
  });

  it('takes the others of its group along; one that may be busy for ever does not', async () => {
    await using node = await alone();
    const lost = listen(node, 'thread-lost');
    const [busy, calm] = [
      await node.processes.start(watchedGroup),
      await node.processes.start(patient),
    ];
    await calm.with({ timeoutMs: 60_000 }).spin(1_000);
    expect(lost).toEqual([]);
    expect(await busy.ping()).toBe('pong');
    const both = [
      failure(busy.with({ timeoutMs: 60_000 }).spin(60_000)),
      failure(calm.with({ timeoutMs: 60_000 }).hold()),
    ];
    for (const each of await Promise.all(both)) {
      expect(each).toMatchObject({ details: { reason: 'thread_lost' } });
    }
    expect(lost).toHaveLength(1);
  });

  it('is not taken for the `init` of a neighbour that may be busy for longer', async () => {
    await using node = await alone();
    const lost = listen(node, 'thread-lost');
    const ref = await node.processes.start(watchedGroup);
    await node.processes.start(slowStart, { init: 1_000 });
    expect(lost).toEqual([]);
    expect(await ref.ping()).toBe('pong');
  });

  it('in `init` fails the start', async () => {
    await using node = await alone();
    const error = await failure(node.processes.start(endless));
    expect(error).toMatchObject({
      code: 'START_FAILED',
      outcome: 'not-executed',
      message: expect.stringContaining('endless'),
      cause: { code: 'PROCESS_DOWN', details: { reason: 'thread_lost' } },
    });
    const ref = await node.processes.start(threadEcho);
    expect(await ref.ping()).toBe('pong');
  });
});

describe('an endless loop in a thread without `maxBusyMs`', () => {
  it.each(['temporary', 'permanent'] as const)(
    'is not stopped by asking, but ends with its thread when it is killed: %s',
    async (restart) => {
      await using node = await alone();
      const ref = await node.processes.start(threadEcho, { name: 'loop', restart });
      const looping = failure(ref.with({ timeoutMs: 60_000 }).spin(Infinity));
      expect(await failure(node.processes.stop(ref, { timeoutMs: 200 }))).toMatchObject({
        code: 'CALL_TIMEOUT',
        outcome: 'unknown',
        details: { process: String(ref.pid), timeoutMs: 200 },
      });
      await node.processes.stop(ref, { reason: 'killed' });
      expect(await looping).toMatchObject({
        code: 'PROCESS_DOWN',
        details: { reason: 'thread_lost' },
      });
      expect(ref.pid).toBeUndefined();
      expect(await failure(ref.ping())).toMatchObject({ code: 'NO_PROCESS' });
    },
  );
});

describe('a process in a thread that does not answer', () => {
  it('shows the counters that it shares, and is UNRESPONSIVE for the rest', async () => {
    await using node = await alone();
    const ref = await node.processes.start(threadEcho, { name: 'busy' });
    for (let index = 0; index < 10; index++) await ref.ping();
    const spinning = ref.with({ timeoutMs: 60_000 }).spin(2_000);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const look = node.processes.inspect(ref, { timeoutMs: 200 });
    const [state, numbers, listed] = await Promise.all([
      failure(look.state()),
      look.statistics(),
      node.processes.list(),
    ]);
    expect(state).toMatchObject({ code: 'UNRESPONSIVE' });
    expect(numbers).toMatchObject({ name: 'busy', status: 'unresponsive', restarts: 0 });
    expect(numbers.handled).toBeGreaterThanOrEqual(10);
    const row = listed.find(({ name }) => name === 'busy');
    expect(row).toMatchObject({ process: 'threadEcho', status: 'unresponsive' });
    await spinning;
    expect(await look.statistics()).toMatchObject({ status: 'idle', handled: 11 });
  });
});

describe('a handler in a thread that does not settle', () => {
  it('ends its process as stuck; the thread goes on', async () => {
    await using node = await alone();
    const stuck = listen(node, 'stuck');
    const ref = await node.processes.start(stuckSoon, { name: 'stuck' });
    const error = await failure(ref.with({ timeoutMs: 60_000 }).hold());
    expect(error).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'stuck' } });
    expect(stuck).toMatchObject([{ who: 'stuckSoon "stuck"', afterMs: 300 }]);
  });
});

describe('a floating rejection in a thread', () => {
  it('ends the process that left it behind, and not the thread', async () => {
    await using node = await alone();
    const crashes = listen(node, 'crash');
    const lost = listen(node, 'thread-lost');
    const ref = await node.processes.start(watchedGroup, { name: 'careless' });
    const other = await node.processes.start(patient);
    await ref.dropRejection().catch(() => {});
    await eventually('it has ended', () => ref.pid === undefined);
    expect(crashes).toMatchObject([{ who: 'watchedGroup "careless"', error: 'nobody waits' }]);
    expect(await other.ping()).toBe('pong');
    expect(lost).toEqual([]);
  });
});

describe('a durable process in a thread', () => {
  it('keeps its state in the store of its node, and begins again with it', async () => {
    await using node = await alone();
    const ref = await node.processes.start(ledger, { name: 'sums', restart: 'permanent' });
    expect(await ref.add(2)).toBe(2);
    await failure(ref.crash());
    await eventually('it is there again', () => ref.pid !== undefined);
    expect(await eventually('it counts on', () => ref.add(3).catch(() => 0))).toBe(5);
  });
});

describe('a supervisor', () => {
  it('shows children in threads in its tree, and says when it had to terminate one', async () => {
    await using node = await alone();
    const abandoned = listen(node, 'abandoned');
    const deaf = child(threadEcho, { name: 'deaf', shutdownMs: 100 });
    const ref = await node.processes.start(defineSupervisor('top', { children: [deaf] }));
    const trees = await node.processes.tree();
    const top = present(trees.find(({ process }) => process === 'top'));
    expect(top.children).toMatchObject([{ process: 'threadEcho', name: 'deaf', status: 'idle' }]);
    void failure(node.ref(threadEcho, 'deaf').with({ timeoutMs: 60_000 }).spin(60_000));
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    await node.processes.stop(ref);
    expect(abandoned).toMatchObject([{ who: 'threadEcho', shutdownMs: 100, how: 'terminated' }]);
  });
});
