// A node whose keys must not show: prints all that it hears of and can be asked, as deep as it goes.
import { inspect } from 'node:util';

import { defineProcess, onNodeEvent, startNode } from '@foundation/core';

const deep = { depth: 20, showHidden: true } as const;
const names = ['member-up', 'member-down', 'refused', 'problem', 'crash', 'spawn'] as const;
for (const name of names) onNodeEvent(name, (event) => console.log(name, inspect(event, deep)));
process.on('warning', (warning) => console.log(inspect(warning, deep)));

const failing = defineProcess('failing', {
  init: () => ({}),
  calls: {
    fail: () => {
      throw new Error('as it should');
    },
  },
});

try {
  const [name = '', members = '1'] = process.argv.slice(2);
  const node = await startNode({ name, processes: [failing] });
  await node.cluster.reached(Number(members), 20_000);
  const ref = await node.processes.start(failing);
  const asked = [
    node,
    await node.cluster.health(),
    node.counters(),
    node.cluster.all(),
    await node.processes.tree(),
    await ref.fail().catch((error: unknown) => error),
  ];
  console.log(inspect(asked, deep));
  process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)));
  console.log('READY');
} catch (error) {
  console.log(inspect(error, deep));
  throw error;
}
