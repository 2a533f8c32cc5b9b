import { MemoryDiscovery, MemoryHub } from '../src/cluster/discoveries/memory.ts';
import { MemoryNetwork, MemoryTransport } from '../src/cluster/transports/memory.ts';
import type { Node, NodeOptions } from '../src/index.ts';
import { startNode } from '../src/index.ts';
import { settled } from './manual-clock.ts';

/** Two nodes on a network inside this program; the second one with options of its own. */
export async function pair(ofThere: NodeOptions = {}): Promise<{
  readonly network: MemoryNetwork;
  readonly here: Node;
  readonly there: Node;
}> {
  const network = new MemoryNetwork();
  const hub = new MemoryHub();
  const start = (name: string, options?: NodeOptions): Promise<Node> =>
    startNode({
      name,
      clusterName: 'pair',
      ports: { transport: new MemoryTransport(network), discovery: new MemoryDiscovery(hub) },
      ...options,
    });
  const [here, there] = [await start('here'), await start('there', ofThere)];
  await Promise.all([here.cluster.reached(2), there.cluster.reached(2)]);
  return { network, here, there };
}

/** Resolves when something has become true; turns of the event loop pass meanwhile. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await settled();
}
