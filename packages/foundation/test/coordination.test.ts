import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CoordinationNode } from './coordination-node.ts';
import { agents, mechanisms } from './mechanisms.ts';

type Program = TestProcess<CoordinationNode>;
const program = new URL('coordination-node.ts', import.meta.url);

let cluster: TestCluster<CoordinationNode>;
let nodes: readonly [Program, Program, Program];

beforeAll(async () => {
  cluster = new TestCluster<CoordinationNode>(program);
  nodes = await cluster.startAll(['a', 'b', 'c']);
  const [a, b] = nodes;
  await cluster.formed(3);
  const ids = Object.values(agents);
  await Promise.all(nodes.map((node, at) => node.ask('agents', ids[at] ?? [])));
  await a.ask('counting', 'v', 2);
  for (const [name, worth] of [
    ['w', 1],
    ['x', 1],
    ['y', 2],
  ] as const) {
    await b.ask('counting', name, worth);
  }
  const names = [...ids.flat(), 'v', 'w', 'x', 'y'];
  await cluster.eventually('all know who takes part', async () => {
    const views = await Promise.all(nodes.map((node) => node.ask('knows')));
    return views.every((view) => names.every((name) => view.includes(name)));
  });
}, 90_000);
afterAll(() => cluster[Symbol.asyncDispose]());

const trusted = { problems: [], isWhole: true };

/** Begins a durable session of which the first of `roster`, on node b, answers twice only when it is let. */
async function underWay(coordinator: Program, roster: readonly string[]): Promise<string> {
  const [, b] = nodes;
  const undisturbed = await coordinator.ask('begin', roster);
  expect(await coordinator.ask('outcome', undisturbed)).toMatchObject(summed);
  await b.ask('setOpen', false);
  const before = (await b.ask('asked')).length;
  const id = await coordinator.ask('begin', roster);
  await cluster.eventually('it is in its second round', async () => {
    return (await b.ask('asked')).slice(before).includes('1.2');
  });
  return id;
}

// Each gives its worth and what it was told: (1 + 2) + (4 + 5) + (13 + 14).
const summed = { status: 'decided', result: 39, ...trusted };

// In this order: the last ones need the cluster that the ones before leave.
describe('agents of three nodes', () => {
  it.each(mechanisms)('decide by $protocol', async ({ protocol, whole }) => {
    const index = mechanisms.findIndex((each) => each.protocol === protocol);
    const outcome = await nodes[0].ask('hold', index, protocol);
    expect(outcome).toMatchObject({ ...whole, ...trusted });
  });

  it('come to the same outcome with another coordinator when theirs is killed', async () => {
    const [, b, c] = nodes;
    const id = await underWay(c, ['w', 'v']);
    await c.kill();
    expect(await b.ask('resume', id)).toBe(id);
    await b.ask('setOpen', true);
    expect(await b.ask('outcome', id)).toMatchObject(summed);
    // Asked again by the second coordinator what the first had asked, and then on.
    expect((await b.ask('asked')).slice(-2)).toEqual(['2.2', '2.3']);
  });

  it('decide without those of a killed node, by every mechanism', async () => {
    const [a, b] = nodes;
    for (const [index, { protocol, bereft }] of mechanisms.entries()) {
      const outcome = await (index % 2 === 0 ? a : b).ask('hold', index, protocol);
      expect(outcome, protocol).toMatchObject({ ...bereft, ...trusted });
      expect(outcome, protocol).toMatchObject({ reasons: { c1: 'silent', c2: 'silent' } });
    }
  });

  it('do not hear of a coordinator any more that stood still while another took over', async () => {
    const [a, b] = nodes;
    const id = await underWay(a, ['x', 'y']);
    a.freeze();
    await b.ask('resume', id);
    await b.ask('setOpen', true);
    expect(await b.ask('outcome', id)).toMatchObject(summed);
    const heard = await b.ask('asked');
    a.thaw();
    const refused = { status: 'failed', replayed: 'failed', ...trusted };
    expect(await a.ask('outcome', id)).toMatchObject(refused);
    expect(await b.ask('asked')).toEqual(heard);
  });
});
