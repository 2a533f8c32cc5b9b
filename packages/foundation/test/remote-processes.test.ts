import { startNode, type AnyRef, type Node, type Pid, type Ref } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';
import { chatterbox, nursery, parrot, thinker, witness } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);

// Two nodes for all tests of this file: none harms a node, and each starts processes of its own.
let cluster: TestCluster<ClusterNode>;
let here: Node;
let there: TestProcess<ClusterNode>;
let started = 0;
const hatchery = nursery(() => Promise.reject(new Error('hatched elsewhere')));

beforeAll(async () => {
  cluster = new TestCluster(program);
  here = await startNode(cluster.options('here'));
  there = await cluster.start('there');
  await cluster.formed(2, here);
});
afterAll(async () => {
  await here.stop();
  await cluster[Symbol.asyncDispose]();
});

/** Starts a process on the other node; gives its name when this node knows it. */
async function startThere(definition: string): Promise<string> {
  const name = `${definition} ${++started}`;
  const pid = await there.ask('start', definition, { name });
  await cluster.eventually(
    `${name} is known`,
    () => here.registry.lookup(name)?.toString() === pid,
  );
  return name;
}

async function speaker(): Promise<Ref<typeof parrot>> {
  return here.ref(parrot, await startThere('parrot'));
}

async function watch(target: AnyRef | Pid): Promise<Ref<typeof witness>> {
  const observer = await here.processes.start(witness);
  await observer.watch(target);
  return observer;
}

async function seenBy(observer: Ref<typeof witness>, count: number): Promise<readonly string[]> {
  return cluster.eventually(`${count} notices`, async () => {
    const seen = await observer.seen();
    return seen.length >= count && seen;
  });
}

describe('a call to a process of another node', () => {
  it('is answered there', async () => {
    const remote = await speaker();
    expect(await remote.host()).toBe(`there ${String(there.ready)}`);
    const value = {
      text: 'ä',
      list: [1n, new Date(0), new Map([['key', new Set([1])]])],
      none: undefined,
    };
    expect(await remote.say(value)).toEqual(value);
  });

  it('may be refused, which the process survives', async () => {
    const remote = await speaker();
    const answer = await remote.try.refuse('busy');
    expect(answer).toMatchObject({ code: 'NOT_NOW', data: { reason: 'busy' } });
    await expect(remote.refuse('busy')).rejects.toMatchObject({
      code: 'REFUSED',
      details: { code: 'NOT_NOW', data: { reason: 'busy' } },
    });
    expect(await remote.say('well')).toBe('well');
  });

  it('fails with the error of a handler that crashes', async () => {
    const remote = await speaker();
    await expect(remote.crash('no voice')).rejects.toMatchObject({
      code: 'PROCESS_DOWN',
      outcome: 'unknown',
      details: { reason: 'crash' },
      cause: { message: 'no voice' },
    });
  });

  it('times out, and its late reply goes to nobody', async () => {
    const remote = await speaker();
    await expect(remote.with({ timeoutMs: 50 }).hang()).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
      outcome: 'unknown',
    });
    expect(await remote.say('well')).toBe('well');
  });

  it('names the path of what cannot be sent, and nothing is executed', async () => {
    const remote = await speaker();
    const socket = (): void => {};
    await expect(remote.say({ deep: [{ socket }] })).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      outcome: 'not-executed',
      details: { path: 'args[0].deep[0].socket' },
    });
    expect(() => remote.cast.hear(socket as never)).toThrow(/args\[0\]/);
    expect(await remote.say('well')).toBe('well');
    expect(await remote.heard()).toEqual([]);
  });

  it('is not executed when it is too large for a frame, and the link goes on', async () => {
    const remote = await speaker();
    await expect(remote.say('x'.repeat(16 * 2 ** 20))).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
      outcome: 'not-executed',
    });
    expect(await remote.say('well')).toBe('well');
  });

  it('is not executed when the process has ended, or there is none of that name', async () => {
    const dead = await here.ref(hatchery, await startThere('nursery')).hatch();
    expect(await dead.say('well')).toBe('well');
    await dead.stop();
    for (const nobody of [dead, here.ref(parrot, 'nobody')]) {
      await expect(nobody.say('hello')).rejects.toMatchObject({
        code: 'NO_PROCESS',
        outcome: 'not-executed',
      });
    }
    expect(here.ref(parrot, 'nobody').cast.hear('hello')).toBe(false);
  });

  it('of an unknown method is refused, counted, and does no harm', async () => {
    const name = await startThere('witness');
    const misled = here.ref(parrot, name);
    const before = (await there.ask('counters')).unknownMessages;
    await expect(misled.say('hello')).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
      message: expect.stringContaining('"say"'),
    });
    expect((await there.ask('counters')).unknownMessages).toBe(before + 1);
    expect(await here.ref(witness, name).seen()).toEqual([]);
  });
});

describe('a cast to a process of another node', () => {
  it('arrives once, in the order sent', async () => {
    const remote = await speaker();
    const words = Array.from({ length: 500 }, (_, index) => String(index));
    for (const word of words) expect(remote.cast.hear(word)).toBe(true);
    expect(await remote.heard()).toEqual(words);
  });
});

describe('a ref that is sent to another node', () => {
  it('leads from there to the process here', async () => {
    const local = await here.processes.start(witness);
    local.cast.note('hello');
    const remote = here.ref(chatterbox, await startThere('chatterbox'));
    expect(await remote.callBack(local)).toEqual(['hello']);
  });

  it('comes back as one that works, and so does a pid', async () => {
    const remote = await speaker();
    const ref = (await remote.say({ remote })) as unknown as { remote: Ref<typeof parrot> };
    expect(await ref.remote.say('well')).toBe('well');
    const pid = await remote.self();
    expect(String(pid)).toBe(String(remote.pid));
    const observer = await watch(pid);
    await remote.stop();
    expect(await seenBy(observer, 1)).toEqual(['down normal']);
  });
});

describe('a monitor across nodes', () => {
  it('tells the end once, with its reason, after the last message', async () => {
    const remote = here.ref(chatterbox, await startThere('chatterbox'));
    const observer = await watch(remote);
    await expect(remote.chatter(observer, 200)).rejects.toMatchObject({ code: 'PROCESS_DOWN' });
    const notes = Array.from({ length: 200 }, (_, index) => String(index));
    expect(await seenBy(observer, 201)).toEqual([...notes, 'down crash: out of breath']);
  });

  it('tells at once when there is nobody', async () => {
    const remote = await speaker();
    const { pid } = remote;
    await remote.stop();
    const observer = await watch({ pid });
    expect(await seenBy(observer, 1)).toEqual(['down no_process']);
  });

  it('tells nothing while the process lives, and "normal" when it stops', async () => {
    const remote = await speaker();
    const observer = await watch(remote);
    expect(await remote.say('well')).toBe('well');
    expect(await observer.seen()).toEqual([]);
    await remote.stop();
    expect(await seenBy(observer, 1)).toEqual(['down normal']);
  });
});

describe('a link across nodes', () => {
  it('takes a crash to the other side, whichever it is', async () => {
    const remote = await speaker();
    const trapper = await here.processes.start(witness);
    await trapper.tie(remote);
    await expect(remote.crash('no voice')).rejects.toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await seenBy(trapper, 1)).toEqual(['exit crash: no voice']);

    const other = await speaker();
    const observer = await watch(other);
    await trapper.tie(other);
    await expect(trapper.stop()).resolves.toBeUndefined();
    expect(await seenBy(observer, 1)).toEqual(['down killed']);
  });
});

describe('a process in a worker thread of another node', () => {
  it('is called, monitored and named as any other', async () => {
    const remote = here.ref(thinker, await startThere('thinker'));
    expect(remote.pid?.thread).toBeGreaterThan(0);
    const observer = await watch(remote);
    expect(await remote.think('nodes')).toBe('thought about nodes');
    await expect(remote.crash('headache')).rejects.toMatchObject({
      code: 'PROCESS_DOWN',
      cause: { message: 'headache' },
    });
    expect(await seenBy(observer, 1)).toEqual(['down crash: headache']);
    await cluster.eventually('the name is gone', () => remote.pid === undefined);
  });

  it('is lost with its thread: calls fail, monitors tell, its name is free, its node goes on', async () => {
    const name = await startThere('thinker');
    const remote = here.ref(thinker, name);
    const observer = await watch(remote);
    await expect(remote.breakDown()).rejects.toMatchObject({
      code: 'PROCESS_DOWN',
      details: { reason: 'thread_lost' },
    });
    expect(await seenBy(observer, 1)).toEqual(['down thread_lost']);
    await cluster.eventually('the name is gone', () => remote.pid === undefined);
    await there.ask('start', 'parrot', { name });
    await cluster.eventually('it is taken again', () => here.registry.lookup(name));
    expect(await here.ref(parrot, name).say('well')).toBe('well');
  });
});
