import { defineProcess } from '@foundation/core';

export const greeter = defineProcess('greeter', {
  init: () => ({}),
  calls: { greet: (_ctx, who: string) => `hello ${who}` },
});

/** Lives in a worker thread. */
export const thinker = defineProcess('thinker', {
  isolation: 'thread',
  module: import.meta.url,
  init: () => ({}),
  calls: { think: () => 42 },
});
