// A node of the cluster that the tests look into: `member-node.ts <options of startNode as JSON>`
import { startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

import { greeter, thinker } from './member-processes.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode(options);
const name = `greeter of ${node.name}`;
const ref = await node.processes.start(greeter, { name, capabilities: ['greets', 'nods'] });
await node.processes.start(thinker, { name: `thinker of ${node.name}` });

/** Everybody who was ever seen, by role, and all numbers of members there ever were. */
const observers = new Set<string>();
const counts = new Set<number>();
node.cluster.onChange(() => {
  counts.add(node.cluster.members().length);
  for (const each of node.cluster.all()) if (each.role === 'observer') observers.add(each.node);
});

const commands = {
  members: () => node.cluster.members(),
  view: () => node.cluster.all(),
  greet: () => ref.greet('you'),
  seen: () => ({ observers: observers.size, countMax: Math.max(0, ...counts) }),
};
export type MemberNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
