import { defineProcess } from '@foundation/core';

/** What a thread runs: this module only defines, since threads import it. */

/** Work for a processor alone: a chain of integers, each made of the one before (xorshift, Marsaglia 2003). */
export function crunch(steps: number): number {
  let x = 1;
  for (let step = 0; step < steps; step++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

const work = { module: import.meta.url, isolation: 'thread' } as const;
const calls = { crunch: (_ctx: unknown, steps: number) => crunch(steps) };

export const cruncherA = defineProcess('cruncher-a', {
  ...work,
  thread: 'a',
  init: () => ({}),
  calls,
});
export const cruncherB = defineProcess('cruncher-b', {
  ...work,
  thread: 'b',
  init: () => ({}),
  calls,
});

/** Never comes back from its cast; nothing but the end of its thread ends it. */
export const endless = defineProcess('endless', {
  ...work,
  init: () => ({}),
  calls: { isThere: () => true },
  casts: {
    spin() {
      // oxlint-disable-next-line no-constant-condition, no-empty -- this is what is measured
      while (true) {}
    },
  },
});
