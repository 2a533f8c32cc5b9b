import { defineProcess, startNode } from '@foundation/core';
const p = defineProcess('p', { init: () => ({}) });
await using a = await startNode({ name: 'a', clusterName: 'probe7000', processes: [p] });
const t = performance.now();
for (let i = 0; i < 7000; i++) await a.processes.start(p, { name: `n${i}`, capabilities: ['x'] });
console.log('started', performance.now() - t);
process.on('uncaughtException', (e) => {
  console.log('UNCAUGHT', (e as { code?: string }).code, e.message);
});
await using b = await startNode({ name: 'b', clusterName: 'probe7000', processes: [p] });
await b.cluster.reached(2, 3000).catch((e) => console.log('reached', e.code));
await new Promise((r) => setTimeout(r, 1000));
console.log('b sees', b.registry.all().length);
