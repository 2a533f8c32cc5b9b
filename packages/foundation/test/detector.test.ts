import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DetectorNode } from './detector-node.ts';

const program = new URL('detector-node.ts', import.meta.url);
const names = ['a', 'b', 'c', 'd', 'e'] as const;
/** Milliseconds of a suspicion: the machine may be busy. */
const suspicionMs = 3_000;

type Node = TestProcess<DetectorNode>;

// One cluster for all tests of this file: what one of them does to it must be over when the next begins.
let cluster: TestCluster<DetectorNode>;
let nodes: readonly Node[];

beforeAll(async () => {
  cluster = new TestCluster(program);
  nodes = await cluster.startAll(names, { detector: { profile: 'fast', suspicionMs } });
  await allUp();
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Each of the running nodes sees each other one up. */
async function allUp(): Promise<void> {
  const running = nodes.filter(({ isRunning }) => isRunning);
  await cluster.eventually(
    'all are up',
    async () => {
      const views = await Promise.all(running.map((node) => node.ask('members')));
      return views.every(
        (view) => view.length === running.length && view.every(({ status }) => status === 'up'),
      );
    },
    { timeoutMs: 30_000 },
  );
}

/** What the nodes tell, from now on. */
async function listen(): Promise<() => Promise<readonly string[]>> {
  const heard = await Promise.all(nodes.map(async (node) => (await node.ask('events')).length));
  return async () => {
    const running = nodes.filter(({ isRunning }) => isRunning);
    const events = await Promise.all(
      running.map(async (node) => (await node.ask('events')).slice(heard[nodes.indexOf(node)])),
    );
    return events.flat();
  };
}

const isDown = (event: string): boolean => event.startsWith('down');
const nodeOf = (name: (typeof names)[number]): Node => nodes[names.indexOf(name)] as Node;

describe('the nodes of a cluster', () => {
  it('lose nobody while many probes are lost', async () => {
    const events = await listen();
    await Promise.all(nodes.map((node) => node.ask('lose', 0.3)));
    await cluster.eventually(
      'many are lost',
      async () => {
        const lost = await Promise.all(nodes.map((node) => node.ask('lost')));
        return lost.every((count) => (count ?? 0) > 20);
      },
      { timeoutMs: 30_000 },
    );
    expect((await events()).filter(isDown)).toEqual([]);
    await Promise.all(nodes.map((node) => node.ask('lose', 0)));
    await allUp();
  });

  it('lose nobody when no datagram passes, and say so', async () => {
    const events = await listen();
    await nodeOf('a').ask('lose', 1);
    await cluster.eventually(
      'it is told',
      async () => (await events()).filter((event) => event === 'problem probes').length >= 4,
      { timeoutMs: 40_000 },
    );
    expect((await events()).filter(isDown)).toEqual([]);
    await nodeOf('a').ask('lose', 0);
    await allUp();
  });

  it('see that the event loop of one stands still, and do not take it for dead', async () => {
    const events = await listen();
    const others = nodes.filter((node) => node !== nodeOf('b'));
    const isStalledSeen = async (): Promise<readonly boolean[]> => {
      const views = await Promise.all(others.map((node) => node.ask('members')));
      return views.map((view) => view.find(({ node }) => node === 'b')?.isStalled === true);
    };
    await nodeOf('b').ask('stall', suspicionMs * 2);
    await cluster.eventually('it is seen by all', async () =>
      (await isStalledSeen()).every(Boolean),
    );
    await cluster.eventually('it is over', async () => !(await isStalledSeen()).some(Boolean), {
      timeoutMs: 20_000,
    });
    expect((await events()).filter(isDown)).toEqual([]);
    await allUp();
  });

  it('forgive one that is frozen for a moment', async () => {
    const events = await listen();
    nodeOf('c').freeze();
    await cluster.eventually('it is suspected', async () => {
      const told = await Promise.all(
        ['a', 'b', 'd', 'e'].map((name) => nodeOf(name as 'a').ask('events')),
      );
      return told.some((each) => each.at(-1) === 'suspect c');
    });
    nodeOf('c').thaw();
    await allUp();
    expect((await events()).filter(isDown)).toEqual([]);
  });

  it('all find one dead that stays frozen, and have it back when it wakes up', async () => {
    const before = await listen();
    nodeOf('d').freeze();
    await cluster.eventually(
      'all know',
      async () => {
        const told = await Promise.all(
          ['a', 'b', 'c', 'e'].map((name) => nodeOf(name as 'a').ask('events')),
        );
        return told.every((each) => each.includes('down d unresponsive'));
      },
      { timeoutMs: 20_000 },
    );
    nodeOf('d').thaw();
    await allUp();
    const downs = (await before()).filter(isDown).filter((event) => !event.startsWith('down d'));
    // The one that was declared dead leaves the others behind when it begins its new life, nobody else does.
    expect(downs.filter((event) => !event.endsWith('cut-off'))).toEqual([]);
  });

  it('all know at once that one was killed', async () => {
    await nodeOf('e').kill();
    const killedAt = performance.now();
    await cluster.eventually('all know', async () => {
      const told = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => nodeOf(name as 'a').ask('events')),
      );
      return told.every((each) => each.includes('down e crashed'));
    });
    // Not only when its silence is noticed.
    expect(performance.now() - killedAt).toBeLessThan(suspicionMs);
    await allUp();
  });
});
