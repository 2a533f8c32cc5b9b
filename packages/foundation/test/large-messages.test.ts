import { defineProcess, startNode, type FoundationError, type Node } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';
import { parrot, witness } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);
const megabyte = 'm'.repeat(2 ** 20);

let cluster: TestCluster<ClusterNode>;
let here: Node;
let there: TestProcess<ClusterNode>;

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

async function startThere(definition: string, name: string): Promise<void> {
  await there.ask('start', definition, { name });
  await cluster.eventually(`${name} is known`, () => here.registry.lookup(name) !== undefined);
}

describe('messages of a megabyte to another node', () => {
  it('arrive in the order sent, with small ones between them', async () => {
    await startThere('parrot', 'heard');
    const remote = here.ref(parrot, 'heard');
    for (let index = 0; index < 8; index++) {
      remote.cast.hear(`large ${index} ${megabyte}`);
      remote.cast.hear(`small ${index}`);
    }
    const heard = await remote.heard();
    expect(heard.map((text) => text.slice(0, 8).trim())).toStrictEqual(
      Array.from({ length: 8 }, (_, index) => [`large ${index}`, `small ${index}`]).flat(),
    );
    expect(heard.filter((text) => text.endsWith(megabyte))).toHaveLength(8);
  });

  it('are overtaken by a call to another process', async () => {
    await startThere('parrot', 'stream');
    await startThere('parrot', 'call');
    const [stream, call] = [here.ref(parrot, 'stream'), here.ref(parrot, 'call')];
    const order: string[] = [];
    const streamed = Array.from({ length: 8 }, (_, index) =>
      stream.say(megabyte).then(() => order.push(`large ${index}`)),
    );
    await call.say('small').then(() => order.push('small'));
    expect(order).toStrictEqual(['small']);
    await Promise.all(streamed);
    expect(order).toHaveLength(9);
  });

  it('come back as replies, many at a time', async () => {
    await startThere('parrot', 'echo');
    const echo = here.ref(parrot, 'echo');
    const replies = await Promise.all(Array.from({ length: 12 }, () => echo.say(megabyte)));
    expect(replies.every((reply) => reply === megabyte)).toBe(true);
  });

  it('of a process that ends arrive before the notice of its end', async () => {
    const talker = defineProcess('talker', {
      init: () => ({}),
      casts: {
        talk: (ctx) => {
          ctx.node.ref(witness, 'watcher').cast.note(megabyte);
          ctx.stop();
        },
      },
    });
    await startThere('witness', 'watcher');
    const ref = await here.processes.start(talker, { restart: 'temporary' });
    const watcher = here.ref(witness, 'watcher');
    await watcher.watch(ref);
    ref.cast.talk();
    const seen = await cluster.eventually('the end is seen', async () => {
      const told = await watcher.seen();
      return told.length === 2 && told;
    });
    expect(seen.map((text) => text.slice(0, 11))).toStrictEqual(['mmmmmmmmmmm', 'down normal']);
  });
});

describe('a node that reads nothing', () => {
  it('is sent no more than the bound, calls to it fail at once, and it gets all that was taken', async () => {
    await startThere('parrot', 'slow');
    const slow = here.ref(parrot, 'slow');
    await slow.say('awake');
    there.freeze();
    const before = process.memoryUsage().rss;
    let taken = 0;
    let refused: unknown;
    try {
      while (slow.cast.hear(`${taken} ${megabyte}`)) {
        taken++;
        await new Promise(setImmediate);
      }
      refused = await slow.say(megabyte).catch((error: FoundationError) => error);
    } finally {
      there.thaw();
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
    expect(taken).toBeGreaterThan(10);
    expect(taken).toBeLessThan(20);
    expect(refused).toMatchObject({ code: 'OVERLOADED', outcome: 'not-executed' });
    const heard = await cluster.eventually('it has caught up', async () => {
      const told = await slow.heardFirst();
      return told.length === taken && told;
    });
    expect(heard).toStrictEqual(Array.from({ length: taken }, (_, index) => `${index}`));
  });
});
