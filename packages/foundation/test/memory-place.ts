import { defineProcess, startNode, type Node, type NodeOptions } from '../src/index.ts';
import {
  MemoryDiscovery,
  MemoryHub,
  MemoryNetwork,
  MemoryStore,
  MemoryTransport,
} from '../src/internal.ts';

export const tally = defineProcess('tally', {
  durable: true,
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by), where: ({ node }) => node.name },
});

/** Nodes of one program with a network that can be cut and a common store. */
export function memoryPlace(): {
  readonly network: MemoryNetwork;
  readonly start: (name: string, options?: NodeOptions) => Promise<Node>;
} {
  const [network, hub, store] = [new MemoryNetwork(), new MemoryHub(), new MemoryStore()];
  const start = (name: string, options: NodeOptions = {}): Promise<Node> => {
    const ports = {
      transport: new MemoryTransport(network),
      discovery: new MemoryDiscovery(hub),
      store,
    };
    return startNode({ name, config: false, ports, processes: [tally], ...options });
  };
  return { network, start };
}
