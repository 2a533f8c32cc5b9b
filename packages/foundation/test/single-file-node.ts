// A program that defines a threaded process and starts a node in the same file: a thread imports it again.
import { defineProcess, startNode } from '@foundation/core';

export const model = defineProcess('model', {
  isolation: 'thread',
  module: import.meta.url,
  init: () => ({}),
});
process.stdout.write('started\n');
await using node = await startNode({ cluster: 'off' });
await node.processes.start(model);
