import { defineProcess, startNode } from '@foundation/core';
const visits = defineProcess('visits', {
  durable: true,
  init: () => ({ count: 0 }),
  calls: { add: ({ state }, by: number) => (state.count += by) },
});
const node = await startNode({ name: process.argv[2], processes: [visits] });
await node.cluster.reached(2);
const counter = await node.processes.start(visits, { name: 'visits', strategy: 'singleton' });
for (;;) {
  await counter.add(1).then(
    (c) => console.log(process.argv[2], c),
    (e) => console.log(e.code),
  );
  await new Promise((r) => setTimeout(r, 500));
}
