import { defineProcess, startNode } from '@foundation/core';
const p = defineProcess('p', { init: () => ({}) });
process.on('uncaughtException', (e) => {
  console.log('UNCAUGHT', (e as { code?: string }).code, e.message);
});
await using a = await startNode({ name: 'a', clusterName: 'probe2', processes: [p] });
await a.processes.start(p, { name: 'odd', metadata: { f: () => 1 } }).then(
  () => console.log('alone: started'),
  (e) => console.log('alone:', e.code),
);
await using b = await startNode({ name: 'b', clusterName: 'probe2', processes: [p] });
await b.cluster.reached(2, 3000).catch((e) => console.log('reached', e.code));
await new Promise((r) => setTimeout(r, 500));
console.log('b sees', b.registry.all().length);
await b.processes.start(p, { name: 'odd2', metadata: { f: () => 1 } }).then(
  () => console.log('with peer: started'),
  (e) => console.log('with peer:', e.code),
);
console.log('b lookup', String(b.registry.lookup('odd2')), 'a', String(a.registry.lookup('odd2')));
await b.processes.start(p, { name: 'fine' }).catch((e) => console.log(e.code));
await new Promise((r) => setTimeout(r, 500));
console.log('a sees fine', String(a.registry.lookup('fine')));
