import { defineProcess } from '@foundation/core';

/** There is one desk in the cluster, on whatever machine. */
export const desk = defineProcess('desk', {
  init: () => ({ asked: 0 }),
  calls: {
    open: ({ state, self }) => ({ asked: ++state.asked, node: self.node }),
  },
});
