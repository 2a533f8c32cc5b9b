import { once } from 'node:events';

import { startNode } from '@foundation/core';

import { tenant } from './tenant.ts';

const [name = 'park', directory = ''] = process.argv.slice(2);

await using _node = await startNode({
  name,
  clusterName: 'resource-market',
  directory,
  processes: [tenant],
});
await once(process, 'disconnect');
