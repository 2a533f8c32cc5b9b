import { eventually } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { Node, NodeOptions } from '../src/index.ts';
import type { MemoryNetwork } from '../src/internal.ts';
import { memoryPlace as place, tally } from './memory-place.ts';

const given = { name: 'sum', strategy: 'singleton', preferNode: 'a' } as const;
/** Nobody is found dead before the network is well again. */
const patient = { profile: 'fast', suspicionMs: 60_000 } as const;
const hasty = { profile: 'fast', suspicionMs: 500 } as const;

interface Formed extends AsyncDisposable {
  readonly nodes: readonly Node[];
  readonly network: MemoryNetwork;
  /** Nodes that have lost the name to another one: two had it at a time. */
  readonly conflicts: readonly string[];
  /** Cuts each node of the one word from each of the other. */
  split(left: string, right: string): void;
}

describe('with the policy `majority`', () => {
  /** Nodes that all know of a singleton on the first one. */
  async function formed(
    names: readonly string[],
    detector: NonNullable<NodeOptions['detector']>,
    voters?: string[],
  ): Promise<Formed> {
    const { network, start } = place();
    const nodes: Node[] = [];
    for (const name of names) {
      nodes.push(
        await start(name, { splitPolicy: 'majority', detector, ...(voters && { voters }) }),
      );
    }
    await Promise.all(nodes.map((node) => node.cluster.reached(names.length)));
    const [first, ...others] = nodes;
    expect(await (await first?.processes.start(tally, given))?.add(1)).toBe(1);
    await eventually('the others know', () =>
      others.every((node) => node.registry.singletons('a').length === 1),
    );
    const conflicts: string[] = [];
    for (const { name, events } of nodes) events.on('name-conflict', () => conflicts.push(name));
    const split = (left: string, right: string): void => {
      for (const a of left) for (const b of right) network.cut(a, b);
    };
    return {
      nodes,
      network,
      conflicts,
      split,
      [Symbol.asyncDispose]: async () => void (await Promise.all(nodes.map((each) => each.stop()))),
    };
  }

  const ended = (nodes: readonly Node[]): Promise<unknown> =>
    eventually(
      'nobody has it',
      () => nodes.every((node) => node.registry.lookup('sum') === undefined),
      { timeoutMs: 30_000 },
    );
  const works = (node: Node, sum: number): Promise<unknown> =>
    eventually('it works', async () => (await node.ref(tally, 'sum').add(0)) === sum, {
      timeoutMs: 30_000,
    });
  const keepers = (nodes: readonly Node[]): number =>
    nodes.filter(({ name, registry }) => registry.singletons(name).length > 0).length;

  it('a singleton runs on the larger side of a split only, and is one again afterwards', async () => {
    await using cluster = await formed(['a', 'b', 'c'], hasty, ['a', 'b', 'c']);
    const [a, b] = cluster.nodes as [Node, Node, Node];
    cluster.split('a', 'bc');
    await works(b, 1);
    await ended([a]);
    const other = a.processes.start(tally, { name: 'other', strategy: 'singleton' });
    await expect(other).rejects.toMatchObject({ code: 'NO_QUORUM' });
    expect(await b.ref(tally, 'sum').add(1)).toBe(2);
    cluster.network.heal();
    await works(a, 2);
    await eventually('one node keeps it', () => keepers(cluster.nodes) === 1);
    expect(a.registry.singletons('a')).toEqual([]);
    expect(cluster.conflicts).toEqual([]);
  });

  it.each([
    { names: ['a', 'b'], left: 'a', voters: ['a', 'b'], detector: hasty },
    { names: ['a', 'b'], left: 'a', voters: ['a', 'b'], detector: patient },
    { names: ['a', 'b', 'c', 'd'], left: 'ab', voters: undefined, detector: hasty },
    { names: ['a', 'b', 'c', 'd'], left: 'ab', voters: undefined, detector: patient },
  ])(
    'a singleton of $names runs nowhere in an even split, and somewhere afterwards ($detector.suspicionMs ms)',
    async ({ names, left, voters, detector }) => {
      await using cluster = await formed(names, detector, voters);
      cluster.split(left, names.slice(left.length).join(''));
      // The others keep what they knew of it until they have given it up.
      await ended(cluster.nodes.filter(({ name }) => left.includes(name)));
      if (detector === hasty) {
        await eventually(
          'each side has given up the other',
          () => cluster.nodes.every((node) => node.cluster.all().length === left.length),
          { timeoutMs: 30_000 },
        );
      }
      cluster.network.heal();
      for (const node of cluster.nodes) await works(node, 1);
      await eventually('one node keeps it', () => keepers(cluster.nodes) === 1);
      expect(cluster.conflicts).toEqual([]);
    },
  );
});
