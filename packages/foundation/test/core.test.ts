import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CoreNode } from './core-node.ts';

type Program = TestProcess<CoreNode>;
const ids = ['worker-a', 'worker-b', 'worker-c'];

let cluster: TestCluster<CoreNode>;
let nodes: readonly [Program, Program, Program];

beforeAll(async () => {
  cluster = new TestCluster<CoreNode>(new URL('core-node.ts', import.meta.url));
  nodes = await cluster.startAll(['a', 'b', 'c']);
  await cluster.formed(3);
  await Promise.all(nodes.map((node, at) => node.ask('register', ids[at] ?? '')));
  await cluster.eventually('all know the agents', async () => {
    const views = await Promise.all(nodes.map((node) => node.ask('knows')));
    return views.every((view) => ids.every((id) => view.includes(id)));
  });
  await nodes[0].ask('variable', ids);
}, 90_000);
afterAll(() => cluster[Symbol.asyncDispose]());

const allocations = (): Promise<readonly bigint[]> =>
  Promise.all(ids.map((id) => nodes[0].ask('allocation', id)));

// In this order: the last one ends a node.
describe('a variable of three nodes', () => {
  it('is decided on a node that did not register it, for agents everywhere', async () => {
    const [, b] = nodes;
    expect(await b.ask('coordinate', 5)).toMatchObject({ status: 'changed', version: 1 });
    expect(await allocations()).toEqual([5n, 5n, 5n]);
    expect(await b.ask('coordinate', 50)).toMatchObject({ status: 'refused' });
    expect(await allocations()).toEqual([5n, 5n, 5n]);
  });

  it('is changed by one at a time, and all see the same in the end', async () => {
    const results = await Promise.all(nodes.map((node, at) => node.ask('coordinate', at + 10)));
    const changed = results.filter(({ status }) => status === 'changed');
    expect(changed.length).toBeGreaterThan(0);
    expect(results.every(({ status }) => status === 'changed' || status === 'busy')).toBe(true);
    expect(new Set(changed.map(({ version }) => version)).size).toBe(changed.length);
    const [first, ...others] = await Promise.all(nodes.map((node) => node.ask('get')));
    for (const other of others) expect(other).toEqual(first);
    expect(await allocations()).toEqual(Object.values(Object(first?.value)));
  });

  it('is decided by another when the node that decides is killed', async () => {
    const [a, , c] = nodes;
    const { version } = await a.ask('get');
    await c.ask('setOpen', false);
    await c.ask('begin', 20);
    await cluster.eventually('it decides', () => c.ask('isWaiting'));
    expect(await a.ask('coordinate', 21)).toMatchObject({ status: 'busy' });
    await c.kill();
    const done = await cluster.eventually('its lease is free', async () => {
      const result = await a.ask('coordinate', 21);
      return result.status === 'busy' ? undefined : result;
    });
    // The agent of the dead node cannot be configured: what the others were given was taken back.
    expect(done).toMatchObject({ status: 'failed', detail: expect.stringContaining('worker-c') });
    expect(await a.ask('get')).toMatchObject({ version });
    const [before] = Object.values(Object((await a.ask('get')).value));
    expect(await a.ask('allocation', 'worker-a')).toBe(before);
    expect(await a.ask('allocation', 'worker-b')).toBe(before);
  });
});
