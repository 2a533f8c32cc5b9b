import { once } from 'node:events';

import { startNode } from '@foundation/core';

import { bidders, seatsOf } from './bidder.ts';

const [name = 'house', directory = ''] = process.argv.slice(2);

await using node = await startNode({ name, clusterName: 'auction-house', directory });
for (const [bidder, init] of seatsOf(name)) {
  await node.processes.start(bidders[init.temper], { name: bidder, init, capabilities: ['bid'] });
}
await once(process, 'disconnect');
