import { defineProcess, startNode, type Node } from '@foundation/core';

import type { Counters } from './local.ts';

/** Processes started so far, counted where they make their state. */
let begun = 0;

export const counter = defineProcess('counter', {
  init: () => {
    begun++;
    return { count: 0 };
  },
  calls: {
    add: ({ state }, by: number) => (state.count += by),
    /** A value of the request context that the call came with. */
    tenant: ({ request }) => String(request?.values['tenant']),
  },
  casts: {
    note({ state }) {
      state.count++;
    },
  },
});

/** A node alone, in the production profile. */
export function startLoneNode(): Promise<Node> {
  return startNode({ cluster: 'off', profile: 'production', processes: [counter] });
}

export function begunCounters(): number {
  return begun;
}

/** Counters of a new node. */
export async function openCounters(length: number): Promise<Counters> {
  const node = await startLoneNode();
  const counters = await Promise.all(Array.from({ length }, () => node.processes.start(counter)));
  return {
    call: (index) => counters[index]?.add(1),
    cast: (index) => counters[index]?.cast.note(),
    count: (index) => counters[index]?.add(0),
    close: () => node[Symbol.asyncDispose](),
  };
}

/** Whether a handler sees the context in which it is called. */
export async function sawContext(): Promise<boolean> {
  await using node = await startLoneNode();
  const ref = await node.processes.start(counter);
  const seen = await node.context.run({ values: { tenant: 'acme' } }, () => ref.tenant());
  return seen === 'acme';
}
