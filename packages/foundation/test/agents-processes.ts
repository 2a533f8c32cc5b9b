// Processes that agents.test.ts registers as agents on three nodes.
import { defineProcess, refuse } from '@foundation/core';

/** Tells where it is, and takes a new rate. */
export const worker = defineProcess('worker', {
  init: (job: { rate: number }) => (job.rate < 0 ? refuse('NEGATIVE') : { rate: job.rate }),
  calls: {
    where: ({ node, state }) => `${node.name} ${state.rate}`,
    configure: ({ state }, { rate }: { rate: number }) => {
      if (rate === 0) return refuse('TOO_SLOW');
      if (rate > 100) throw new Error('too hot');
      return (state.rate = rate);
    },
  },
});

/** Keeps what it is given, in a thread of its own. */
export const hoarder = defineProcess('hoarder', {
  isolation: 'thread',
  module: import.meta.url,
  init: () => ({ things: [] as unknown[][] }),
  calls: {
    keep: ({ state }, count: number) => {
      for (let each = 0; each < count; each++)
        state.things.push(Array.from({ length: 50_000 }, () => each));
      return state.things.length;
    },
    count: ({ state }) => state.things.length,
  },
  casts: { ping: () => {} },
});

/** No other node lists it. */
export const loner = defineProcess('loner', { init: () => ({}) });
