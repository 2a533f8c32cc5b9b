// A cluster at work, for a Node without `__proto__`: prints what a call across it gives.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { defineProcess, startNode } from '../../packages/foundation/src/index.ts';

const counter = defineProcess('counter', {
  durable: true,
  init: () => ({ sum: 0 }),
  calls: { add: ({ state, node }, by: number) => `${(state.sum += by)} on ${node.name}` },
});

const directory = mkdtempSync(join(tmpdir(), 'foundation-proto-'));
const options = { config: false, clusterName: 'proto', directory, processes: [counter] } as const;
const one = await startNode({ ...options, name: 'one' });
const two = await startNode({ ...options, name: 'two' });
await two.cluster.reached(2);
const placed = { name: 'counter', strategy: 'singleton', preferNode: 'one' } as const;
const ref = await two.processes.start(counter, placed);
console.log(await ref.add(2));
await two.stop();
await one.stop();
rmSync(directory, { recursive: true });
