import { builtInProtocols, requestTypes } from '@foundation/core/mabeam';
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

const trusted = { problems: [], isWhole: true, isReplayed: true };

/**
 * What `coordinator` decides by a mechanism among agents that keep account of what they say. An outcome that can be
 * replayed depends on the record alone; here, all that counts in that has been said, and nobody was asked twice.
 */
async function held(
  coordinator: Program,
  all: readonly Program[],
  index: number,
): ReturnType<typeof coordinator.ask<'hold'>> {
  await Promise.all(all.map((node) => node.ask('use', index)));
  const outcome = await coordinator.ask('hold', index);
  const said = (await Promise.all(all.map((node) => node.ask('said')))).flat();
  expect(new Set(said.map(({ nonce }) => nonce)).size).toBe(said.length);
  const { protocol: wanted = '', spec } = mechanisms[index] ?? {};
  const protocol = builtInProtocols.find(({ name }) => name === wanted);
  for (const { nonce, body } of outcome?.counted ?? []) {
    const own = said.find((each) => each.nonce === nonce);
    expect(requestTypes(wanted, spec)).toContain(own?.type);
    expect(protocol?.parseReply(own?.type ?? '', own?.body)).toEqual({ ok: true, value: body });
  }
  return outcome;
}

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
  it('go through every built-in mechanism', () => {
    const names = new Set(mechanisms.map(({ protocol }) => protocol));
    expect(builtInProtocols.filter(({ name }) => !names.has(name))).toEqual([]);
  });

  it.each(mechanisms.map((mechanism, index) => ({ ...mechanism, index })))(
    'decide by $protocol, from what they say and nothing else',
    async ({ index, whole }) => {
      const outcome = await held(nodes[0], nodes, index);
      expect(outcome).toMatchObject({ ...whole, ...trusted });
    },
  );

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
      const outcome = await held(index % 2 === 0 ? a : b, [a, b], index);
      const reasons = { c1: 'silent', c2: 'silent' };
      expect(outcome, protocol).toMatchObject({ reasons, ...bereft, ...trusted });
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
    const refused = { status: 'failed', ...trusted };
    expect(await a.ask('outcome', id)).toMatchObject(refused);
    expect(await b.ask('asked')).toEqual(heard);
  });
});
