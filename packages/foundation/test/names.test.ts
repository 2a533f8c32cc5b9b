import { startNode } from '@foundation/core';
import { TestCluster } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';
import { parrot } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);

describe('names and capabilities', () => {
  it('are unique in the cluster, known on every node, and gone with their process', async () => {
    await using cluster = new TestCluster<ClusterNode>(program);
    await using here = await startNode(cluster.options('here'));
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    const pid = await a.ask('start', 'parrot', { name: 'polly', capabilities: ['talk', 'fly'] });
    await cluster.eventually('all know it', async () => {
      const known = [here.registry.lookup('polly')?.toString(), await b.ask('lookup', 'polly')];
      return known.every((each) => each === pid);
    });
    const taken = { code: 'NAME_TAKEN', hint: expect.stringContaining('unique') };
    await expect(here.processes.start(parrot, { name: 'polly' })).rejects.toMatchObject(taken);
    await expect(b.ask('start', 'thinker', { name: 'polly' })).rejects.toMatchObject(taken);

    await here.processes.start(parrot, { name: 'coco', capabilities: ['talk'] });
    await cluster.eventually('all see the same, in the same order', async () => {
      const views = [
        here.registry.withCapability('talk').map(({ name }) => name),
        await a.ask('capable', 'talk'),
        await b.ask('capable', 'talk'),
      ];
      return views.every((view) => view.join() === 'polly,coco');
    });
    expect(await b.ask('capable', 'fly')).toEqual(['polly']);

    await here.ref(parrot, 'polly').stop();
    await cluster.eventually('its name and capabilities are gone', async () => {
      const capable = [await b.ask('capable', 'fly'), await a.ask('capable', 'fly')];
      return (
        capable.every((each) => each.length === 0) && here.registry.lookup('polly') === undefined
      );
    });
    await here.processes.start(parrot, { name: 'polly' });
    await cluster.eventually('its name leads to the new holder', async () =>
      (await b.ask('lookup', 'polly'))?.startsWith('<here.'),
    );
    expect(await here.ref(parrot, 'polly').host()).toBe(`here ${here.incarnation}`);
  });

  it('are known to a node that comes later', async () => {
    await using cluster = new TestCluster<ClusterNode>(program);
    await using here = await startNode(cluster.options('here'));
    await here.processes.start(parrot, {
      name: 'polly',
      capabilities: ['talk'],
      metadata: { age: 7 },
    });
    const late = await cluster.start('late');
    await cluster.eventually(
      'it knows',
      async () => (await late.ask('capable', 'talk')).length === 1,
    );
    expect(await late.ask('lookup', 'polly')).toBe(String(here.registry.lookup('polly')));
  });
});
