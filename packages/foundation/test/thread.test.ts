import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import {
  child,
  defineProcess,
  defineSupervisor,
  FoundationError,
  type AnyRef,
  type Client,
} from '@foundation/core';
import { MemoryStore, type StorePromises } from '@foundation/core/internal';
import { describe, expect, it } from 'vitest';

import { threadSystem, type SpawnRequest } from '../src/thread/thread-system.ts';
import { alone, failure, listen, present } from './alone.ts';
import { member as namesake } from './thread-namesake.ts';
import { deaf, member, notExported, nowhere, slow, worker } from './thread-processes.ts';

/** A process of the main thread that remembers what it hears. */
const listener = defineProcess('listener', {
  init: () => ({ heard: [] as string[], n: 0 }),
  calls: {
    monitor: (ctx, target: AnyRef) => void ctx.monitor(target),
    link: (ctx, target: AnyRef) => ctx.link(target),
    heard: ({ state }) => state.heard,
    add: ({ state }, by: number) => (state.n += by),
    stop: (ctx) => ctx.stop(),
    crash: () => {
      throw new Error('crash');
    },
  },
  casts: { hear: ({ state }, text: string) => void state.heard.push(text) },
  info: { down: ({ state }, { reason }) => void state.heard.push(`down ${reason}`) },
});

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Threads that this program runs, as told by their ports. */
function threadCount(): number {
  return process.getActiveResourcesInfo().filter((each) => each === 'MessagePort').length;
}

/** A store that can be taken away, with leases that are soon over. */
class FleetingStore extends MemoryStore {
  override readonly promises: StorePromises = { ...new MemoryStore().promises, leaseMs: 2_400 };
  isAway = false;

  override get(key: string): ReturnType<MemoryStore['get']> {
    return this.isAway ? Promise.reject(this.#away()) : super.get(key);
  }

  override compareAndSet(
    ...given: Parameters<MemoryStore['compareAndSet']>
  ): ReturnType<MemoryStore['compareAndSet']> {
    return this.isAway ? Promise.reject(this.#away()) : super.compareAndSet(...given);
  }

  #away(): FoundationError {
    return new FoundationError('STORE_UNAVAILABLE', 'it was taken away');
  }
}

describe('a strong singleton in a thread', () => {
  it('knows its fencing token, and ends with its lease even when it does not listen', async () => {
    const store = new FleetingStore();
    await using node = await alone({ processes: [worker], ports: { store } });
    const strong = { name: 'one', strategy: 'singleton', consistency: 'strong' } as const;
    const ref = await node.processes.start(worker, { ...strong, init: 1 });
    const token = present(await ref.token());
    expect(node.registry.holder('one')?.fencingToken).toBe(token);
    const spinning = failure(ref.with({ timeoutMs: 60_000 }).spin(50_000));
    store.isAway = true;
    await until('it has ended', () => node.registry.lookup('one') === undefined);
    expect(await spinning).toMatchObject({ code: 'PROCESS_DOWN' });
    store.isAway = false;
    await until('it is back', () => node.registry.lookup('one') !== undefined);
    expect(await ref.token()).toBeGreaterThan(token);
  });
});

describe('a process in a thread', () => {
  it('is called, cast to and refuses like any other', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, { init: 1 });
    expect(await ref.add(2)).toBe(3);
    expect(ref.cast.put(10)).toBe(true);
    expect(await ref.add(0)).toBe(13);
    expect(await ref.try.no()).toMatchObject({ code: 'NO', data: { why: 'closed' } });
    expect(await failure(ref.no())).toMatchObject({ code: 'REFUSED', details: { code: 'NO' } });
    expect(await ref.thread()).not.toBe(0);
    expect(present(ref.pid).thread).not.toBe(0);
  });

  it('gets messages in the order sent', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, { init: 0 });
    const sums = await Promise.all(Array.from({ length: 200 }, () => ref.add(1)));
    expect(sums).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('calls and casts to processes of the main thread and of other threads', async () => {
    await using node = await alone();
    const [one, other] = [
      await node.processes.start(worker, { init: 0 }),
      await node.processes.start(worker, { init: 100 }),
    ];
    const main = await node.processes.start(listener, { name: 'main' });
    expect(await one.ask(other, 5)).toBe(105);
    expect(await one.ask(main, 7)).toBe(7);
    await one.tell(main, 'hello');
    expect(await main.heard()).toEqual(['hello']);
    expect(await one.thread()).not.toBe(await other.thread());
  });

  it('crashes alone: its caller gets PROCESS_DOWN with the error, its keeper starts it again', async () => {
    await using node = await alone();
    const crashes = listen(node, 'crash');
    const ref = await node.processes.start(worker, { init: 5, name: 'kept', restart: 'permanent' });
    const first = present(ref.pid);
    const error = await failure(ref.crash());
    expect(error).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'out of paper' });
    await until('it is there again', () => ref.pid !== undefined && !ref.pid.equals(first));
    expect(await ref.add(1)).toBe(6);
    expect(crashes).toMatchObject([{ pid: first, error: 'out of paper' }]);
  });

  it('does not start with REFUSED or START_FAILED, as its `init` says', async () => {
    await using node = await alone();
    expect(await failure(node.processes.start(worker, { init: -1, name: 'x' }))).toMatchObject({
      code: 'REFUSED',
      details: { code: 'NEGATIVE', data: { start: -1 } },
    });
    expect(
      await failure(node.processes.start(worker, { init: Number.NaN, name: 'x' })),
    ).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('no number'),
    });
    const ref = await node.processes.start(worker, { init: 1, name: 'x' });
    expect(await ref.add(1)).toBe(2);
  });

  it('is known by name and capabilities, here and in other threads, until it ends', async () => {
    await using node = await alone();
    const options = { name: 'known', capabilities: ['sums'], metadata: { cost: 3 } };
    const ref = await node.processes.start(worker, { init: 0, ...options });
    const other = await node.processes.start(worker, { init: 0, name: 'other' });
    expect(node.registry.withCapability('sums')).toMatchObject([options]);
    expect(await other.ask(ref, 4)).toBe(4);
    expect(await failure(node.processes.start(worker, { init: 0, name: 'known' }))).toMatchObject({
      code: 'NAME_TAKEN',
    });
    await ref.stop();
    await until('the name is free', () => node.registry.lookup('known') === undefined);
    expect(node.registry.withCapability('sums')).toEqual([]);
    expect(await failure(ref.add(1))).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('keeps a name to itself when two ask for it at the same time', async () => {
    await using node = await alone();
    const both = await Promise.allSettled([
      node.processes.start(worker, { init: 0, name: 'one' }),
      node.processes.start(worker, { init: 0, name: 'one' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(node.registry.all().filter(({ name }) => name === 'one')).toHaveLength(1);
  });

  it('inherits the deadline of its caller, and a late reply is dropped and counted', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, { init: 0 });
    const remaining = await ref.with({ timeoutMs: 1_000 }).remaining();
    expect(remaining).toBeGreaterThan(500);
    expect(remaining).toBeLessThanOrEqual(1_000);
    expect(await failure(ref.with({ timeoutMs: 20 }).spin(200))).toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    expect(await ref.add(1)).toBe(1);
    expect(node.counters().lateReplies).toBe(1);
  });

  it('names the path of what cannot be sent, in either direction', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, { init: 0 });
    expect(await failure(ref.echo({ list: [() => 1] }))).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      details: { path: 'args[0].list[0]' },
    });
    expect(await failure(ref.socket())).toMatchObject({
      code: 'INVALID_REPLY',
      cause: { code: 'NOT_SERIALIZABLE', details: { path: 'reply.list[0]' } },
    });
    expect(await ref.add(1)).toBe(1);
  });
});

describe('threads', () => {
  it('are shared by a group, and are one for each process otherwise', async () => {
    await using node = await alone();
    const members = await Promise.all([1, 2, 3].map(() => node.processes.start(member)));
    expect(new Set(await Promise.all(members.map((each) => each.thread()))).size).toBe(1);
    const others = await Promise.all([1, 2].map(() => node.processes.start(worker, { init: 0 })));
    expect(new Set(await Promise.all(others.map((each) => each.thread()))).size).toBe(2);
  });

  it('run the right one of two definitions that have a name in common', async () => {
    await using node = await alone();
    const [one, other] = [await node.processes.start(member), await node.processes.start(namesake)];
    expect(await one.thread()).toBe(await other.thread());
    expect(await one.module()).toContain('thread-processes');
    expect(await other.module()).toContain('thread-namesake');
  });

  it('survive the crash of one process of a group', async () => {
    await using node = await alone();
    const [one, other] = [await node.processes.start(member), await node.processes.start(member)];
    const thread = await other.thread();
    await failure(one.crash());
    expect(await other.thread()).toBe(thread);
  });

  it('let the main thread go on while one of them is busy', async () => {
    await using node = await alone();
    const [busy, main] = [
      await node.processes.start(worker, { init: 0 }),
      await node.processes.start(listener),
    ];
    const spinning = busy.spin(400);
    let [answers, isOver] = [0, false];
    void spinning.then(() => (isOver = true));
    while (!isOver) {
      await main.add(1);
      answers++;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(answers).toBeGreaterThan(100);
    expect(await spinning).toBe(400);
  });

  it('end with the process that they were made for', async () => {
    await using node = await alone();
    const before = threadCount();
    const ref = await node.processes.start(worker, { init: 0 });
    expect(threadCount()).toBe(before + 1);
    const watcher = await node.processes.start(listener);
    await watcher.monitor(ref);
    await ref.stop();
    await until('the thread is gone', () => threadCount() === before);
    const kept = await node.processes.start(worker, {
      init: 0,
      name: 'kept',
      restart: 'permanent',
    });
    await failure(kept.crash());
    await until('it is there again', async () => (await kept.add(1).catch(() => 0)) > 0);
    await until('the old thread is gone', () => threadCount() === before + 1);
    // Once for the process, and not again for its thread.
    expect(await watcher.heard()).toEqual(['down normal']);
  });
});

describe('a thread that is lost', () => {
  it('is told to monitors, to calls that wait, and to those that link, as thread_lost', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, {
      init: 0,
      name: 'lost',
      capabilities: ['sums'],
    });
    const [watcher, linked] = [
      await node.processes.start(listener),
      await node.processes.start(listener),
    ];
    const far = await node.processes.start(worker, { init: 0 });
    await watcher.monitor(ref);
    await watcher.monitor(linked);
    await linked.link(ref);
    await far.monitor(ref);
    const dying = failure(ref.die());
    expect(await dying).toMatchObject({
      code: 'PROCESS_DOWN',
      outcome: 'unknown',
      details: { reason: 'thread_lost' },
    });
    await until('both are heard of', async () => (await watcher.heard()).length === 2);
    expect(await watcher.heard()).toEqual(['down thread_lost', 'down thread_lost']);
    await until('other threads hear of it', async () => (await far.downs()).length > 0);
    expect(await far.downs()).toEqual(['thread_lost']);
    expect(node.registry.lookup('lost')).toBeUndefined();
    expect(node.registry.withCapability('sums')).toEqual([]);
    expect(await failure(ref.add(1))).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('is replaced by the keeper of its process', async () => {
    await using node = await alone();
    const ref = await node.processes.start(worker, { init: 5, name: 'kept', restart: 'permanent' });
    const first = present(ref.pid);
    await failure(ref.die());
    await until('it is there again', () => ref.pid !== undefined && !ref.pid.equals(first));
    expect(await ref.add(1)).toBe(6);
  });

  it('takes nothing else along', async () => {
    await using node = await alone();
    const [ref, other] = [
      await node.processes.start(worker, { init: 0 }),
      await node.processes.start(worker, { init: 0 }),
    ];
    await failure(ref.die());
    expect(await other.add(1)).toBe(1);
  });
});

describe('links and monitors across threads', () => {
  it('fire in both directions', async () => {
    await using node = await alone();
    const far = await node.processes.start(worker, { init: 0 });
    const [one, other, main] = [
      await node.processes.start(listener),
      await node.processes.start(listener),
      await node.processes.start(listener),
    ];
    await far.monitor(one);
    await one.stop();
    await until('the thread hears of it', async () => (await far.downs()).length === 1);
    expect(await far.downs()).toEqual(['normal']);
    await far.monitor(one);
    await until('and of the dead one', async () => (await far.downs()).length === 2);
    expect(await far.downs()).toEqual(['normal', 'no_process']);
    await main.monitor(far);
    await far.link(other);
    await failure(other.crash());
    await until('the link took it along', async () => (await main.heard()).length === 1);
    expect(await main.heard()).toEqual(['down crash']);
  });
});

describe('a start that takes longer than somebody waits for it', () => {
  it('goes on: the process is there, and supervised', async () => {
    await using node = await alone();
    const starter = defineProcess('starter', {
      init: () => ({}),
      calls: {
        start: async () => {
          const options = { name: 'slow', restart: 'permanent' } as const;
          await node.processes.start(slow, { init: { ms: 1_500 }, ...options });
        },
      },
    });
    const ref = await node.processes.start(starter);
    expect(await failure(ref.with({ timeoutMs: 800 }).start())).toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    const started = node.ref(slow, 'slow');
    await until('it is there', () => started.pid !== undefined);
    const first = present(started.pid);
    await started.stop('killed');
    await until('it is there again', () => started.pid?.equals(first) === false);
    expect(await started.ok()).toBe(true);
  });

  it('leaves nothing behind when the start itself has failed by then', async () => {
    await using node = await alone();
    const exits = listen(node, 'exit');
    const starter = node.processes.start(threadSystem) as unknown as Promise<
      Client<{ calls: { spawn(request: SpawnRequest): unknown } }>
    >;
    const request = {
      module: new URL('thread-processes.ts', import.meta.url).href,
      definition: 'slow',
      linkTo: undefined,
      restarts: undefined,
    };
    const late = { ...request, init: { ms: 100 }, name: 'late' };
    expect(await failure((await starter).with({ timeoutMs: 20 }).spawn(late))).toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    await until('it has ended', () => exits.length > 0);
    expect(exits).toMatchObject([{ who: 'slow "late"', reason: 'killed' }]);
    expect(node.registry.lookup('late')).toBeUndefined();
  });
});

describe('shutting down', () => {
  it('runs `terminate` of processes in threads, whether or not they are supervised', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'foundation-thread-'));
    const files = ['alone', 'kept'].map((name) => join(directory, name));
    const [file, kept] = files;
    await using node = await alone();
    await node.processes.start(slow, { init: { ...(file && { file }) } });
    await node.processes.start(slow, {
      init: { ...(kept && { file: kept }) },
      restart: 'permanent',
    });
    await node.stop();
    expect(files.map((each) => readFileSync(each, 'utf8'))).toEqual(['shutdown', 'shutdown']);
    rmSync(directory, { recursive: true });
  });

  it('is final: nothing can be started afterwards', async () => {
    await using node = await alone();
    await node.stop();
    const before = threadCount();
    const stopped = { code: 'NODE_STOPPED', message: expect.stringContaining('alone') };
    expect(await failure(node.processes.start(worker, { init: 0 }))).toMatchObject(stopped);
    expect(
      await failure(node.processes.start(worker, { init: 0, restart: 'permanent' })),
    ).toMatchObject(stopped);
    expect(await failure(node.processes.start(listener))).toMatchObject(stopped);
    expect(
      await failure(node.processes.start(listener, { name: 'x', strategy: 'singleton' })),
    ).toMatchObject(stopped);
    expect(threadCount()).toBe(before);
  });

  it('ends a thread that does not listen after the limit of its process', async () => {
    await using node = await alone();
    const abandoned = listen(node, 'abandoned');
    const top = defineSupervisor('top', {
      children: [child(deaf, { name: 'deaf', shutdownMs: 50 })],
    });
    await node.processes.start(top);
    const spinning = failure(node.ref(deaf, 'deaf').spin());
    await node.stop();
    expect(abandoned).toMatchObject([{ who: 'deaf', shutdownMs: 50 }]);
    expect(await spinning).toMatchObject({ code: 'PROCESS_DOWN' });
  });
});

describe('a definition that a thread cannot find', () => {
  it('is refused without `module`', () => {
    expect(() => defineProcess('bad', { isolation: 'thread', init: () => ({}) })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: expect.stringContaining('module'),
      }),
    );
  });

  it('is refused when its module does not export it, and leaves no thread behind', async () => {
    await using node = await alone();
    const before = threadCount();
    expect(await failure(node.processes.start(notExported.hidden))).toMatchObject({
      code: 'UNKNOWN_DEFINITION',
      message: expect.stringContaining('hidden'),
    });
    await until('the thread is gone', () => threadCount() === before);
  });

  it('is refused when its module does not load', async () => {
    await using node = await alone();
    expect(await failure(node.processes.start(nowhere))).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('no-such-module'),
    });
  });
});

describe('a program that defines a threaded process and starts a node in the same file', () => {
  it('is told so, and does not start itself again and again', async () => {
    const program = fileURLToPath(new URL('single-file-node.ts', import.meta.url));
    const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
    const run = promisify(execFile)(process.execPath, [...flags, program]);
    const error = await run.then(
      () => undefined,
      (failed: { stdout: string; stderr: string }) => failed,
    );
    expect(error?.stderr).toContain('must define processes and do nothing else');
    expect(error?.stdout.match(/started/g)).toHaveLength(2);
  });
});
