// A process that has its name and its thread in common with one of thread-processes.ts.
import { threadId } from 'node:worker_threads';

import { defineProcess } from '@foundation/core';

export const member = defineProcess('member', {
  isolation: 'thread',
  thread: 'group',
  module: import.meta.url,
  init: () => ({}),
  calls: { thread: () => threadId, module: () => import.meta.url },
});
