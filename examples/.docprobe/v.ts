import { defineProcess, startNode } from '@foundation/core';

const visits = defineProcess('visits', {
  durable: true,
  init: () => ({ count: 0 }),
  calls: { add: ({ state }, by: number) => (state.count += by) },
});

await using node = await startNode({ processes: [visits] });
const counter = await node.processes.start(visits, { name: 'visits', strategy: 'singleton' });
console.log(await counter.add(2));
