import { startNode, type Node } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentsNode } from './agents-node.ts';
import { hoarder, loner, worker } from './agents-processes.ts';
import { failure, listen } from './alone.ts';

const program = new URL('agents-node.ts', import.meta.url);

let cluster: TestCluster<AgentsNode>;
let here: Node;
let b: TestProcess<AgentsNode>;
let c: TestProcess<AgentsNode>;

beforeAll(async () => {
  cluster = new TestCluster(program);
  [here, [b, c]] = await Promise.all([
    startNode({ ...cluster.options('a'), processes: [worker, hoarder] }),
    cluster.startAll(['b', 'c']),
  ]);
  await cluster.formed(3, here);
});
afterAll(async () => {
  await here.stop();
  await cluster[Symbol.asyncDispose]();
});

const how = { process: worker, init: { rate: 1 }, capabilities: ['work'] };

/** Waits until every node knows of an agent what `line` says. */
function allKnow(line: string): Promise<unknown> {
  return cluster.eventually(`all know ${line}`, async () => {
    const own = here.mabeam.agents.find().map(({ id, node, status }) => `${id} ${node} ${status}`);
    const views = [own, await c.ask('agents'), b.isRunning ? await b.ask('agents') : [line]];
    return views.every((view) => view.includes(line));
  });
}

// In this order: the last ones need the cluster that the ones before leave.
describe('an agent registered on another node', () => {
  it('runs there, and is known, stopped, restarted and changed from every node', async () => {
    const { agents } = here.mabeam;
    const ref = await agents.register('w', { ...how, node: 'b', metadata: { team: 'red' } });
    expect(await ref.where()).toBe('b 1');
    expect(agents.find({ node: 'b', capability: 'work', metadata: { team: 'red' } })).toMatchObject(
      [{ id: 'w', status: 'active', pid: { node: 'b' } }],
    );
    await allKnow('w b active');
    await c.ask('update', 'w', 7);
    expect(await ref.where()).toBe('b 7');
    expect(agents.get('w')).toMatchObject({ version: 1 });
    await expect(c.ask('update', 'w', 0)).rejects.toMatchObject({ code: 'UPDATE_REJECTED' });
    await expect(c.ask('update', 'w', 101)).rejects.toMatchObject({ code: 'UPDATE_REJECTED' });
    await cluster.eventually('it is back as it was', async () => (await ref.where()) === 'b 7');
    await c.ask('stop', 'w');
    await allKnow('w b registered');
    await agents.start('w');
    expect(await ref.where()).toBe('b 7');
    await c.ask('restart', 'w');
    await allKnow('w b active');
    expect(await agents.usage('w')).toMatchObject({ cpuShare: { by: 'estimate' } });
    await expect(c.ask('register', 'w')).rejects.toMatchObject({ code: 'NAME_TAKEN' });
  });

  it('is refused there as it would be here, and leaves nothing behind', async () => {
    const { agents } = here.mabeam;
    const on = { node: 'c', capabilities: [] };
    const unsendable = { rate: (() => 1) as never };
    const cases = [
      [() => agents.register('x', { ...on, process: loner }), 'UNKNOWN_DEFINITION'],
      [() => agents.register('x', { ...on, process: worker, init: { rate: -1 } }), 'REFUSED'],
      [
        () => agents.register('x', { ...on, process: worker, init: unsendable }),
        'NOT_SERIALIZABLE',
      ],
    ] as const;
    for (const [register, code] of cases) expect(await failure(register())).toMatchObject({ code });
    expect((await c.ask('agents')).filter((line) => line.startsWith('x '))).toEqual([]);
    expect(agents.get('x')).toBeUndefined();
  });
});

describe('an agent in a thread of its own', () => {
  it('is measured, and ended alone when its memory is used up', async () => {
    const { agents } = here.mabeam;
    const lost = listen(here, 'thread-lost');
    const limits = { memoryMb: 24, messagesPerSecond: 50, mailboxMax: 40 };
    const health = { everyMs: Infinity };
    const restart = { type: 'permanent', restartsMax: 1 } as const;
    const options = { process: hoarder, capabilities: [], limits, health, restart };
    const ref = await agents.register('h', options);
    await ref.keep(2);
    const usage = await agents.usage('h');
    expect(usage).toMatchObject({ memoryBytes: { by: 'measured' }, cpuShare: { by: 'measured' } });
    expect(usage?.memoryBytes?.value).toBeGreaterThan(2 ** 20);
    expect(await failure(ref.with({ timeoutMs: 30_000 }).keep(1_000_000))).toMatchObject({
      code: 'PROCESS_DOWN',
      details: { reason: 'thread_lost' },
    });
    expect(lost).toMatchObject([{ why: expect.stringContaining('memory') }]);
    const isBack = async (): Promise<boolean> => (await ref.count()) === 0;
    // A thread takes its time to begin where others have the machine.
    await cluster.eventually('it is back', isBack, { timeoutMs: 30_000 });
    expect(agents.get('h')).toMatchObject({ status: 'active', restarts: 1 });
    // Its rate is enforced in the thread as everywhere.
    for (let count = 0; count < 100; count++) ref.cast.ping();
    expect(await failure(ref.count())).toMatchObject({ code: 'OVERLOADED' });
    await agents.deregister('h');
  });
});

describe('the agents of a node that is killed', () => {
  it('are lost, which all others see; a singleton goes on elsewhere', async () => {
    const { agents } = here.mabeam;
    const told: string[] = [];
    const singleton = { ...how, strategy: 'singleton', node: 'b' } as const;
    await agents.register('s', singleton);
    await allKnow('s b active');
    const still = await agents.register('still', singleton);
    await allKnow('still b active');
    await c.ask('update', 'still', 7);
    expect(await still.where()).toBe('b 7');
    await c.ask('stop', 'still');
    await allKnow('still b registered');
    agents.onEvent(({ kind, agent }) => told.push(`${agent.id} ${kind}`));
    await b.kill();
    await allKnow('w b lost');
    expect(agents.find({ status: 'lost' }).map(({ id }) => id)).toContain('w');
    expect(told).toContain('w lost');
    expect(await failure(agents.start('w'))).toMatchObject({ code: 'NODE_UNREACHABLE' });
    const heir = await cluster.eventually('an heir has it', () => {
      const { status, node } = agents.get('s') ?? {};
      return status === 'active' && node;
    });
    expect(['a', 'c']).toContain(heir);
    // One that was stopped stays so, and is as it was changed.
    const keeper = await cluster.eventually('an heir keeps it', () => {
      const { status, node } = agents.get('still') ?? {};
      return status === 'registered' && node;
    });
    await allKnow(`still ${keeper} registered`);
    await c.ask('start', 'still');
    expect(await still.where()).toBe(`${keeper} 7`);
    await agents.deregister('still');
  });

  it('may be registered again elsewhere, or be forgotten', async () => {
    const { agents } = here.mabeam;
    const ref = await agents.register('w', { ...how, node: 'c' });
    expect(await ref.where()).toBe('c 1');
    expect(agents.get('w')).toMatchObject({ node: 'c', status: 'active' });
    await agents.deregister('w');
    await agents.deregister('s');
    const isGone = (line: string): boolean => !/^[sw] /.test(line);
    await cluster.eventually('c has forgotten them', async () =>
      (await c.ask('agents')).every(isGone),
    );
    expect([agents.get('w'), agents.get('s')]).toEqual([undefined, undefined]);
  });
});
