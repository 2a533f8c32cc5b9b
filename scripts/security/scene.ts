import { defineProcess, type Node } from '../../packages/foundation/src/index.ts';
import type { Mallory } from './mallory.ts';

/** What is dropped without a word, as from a version that is not known. */
export const ignored = 'IGNORED';

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export const ledger = defineProcess('ledger', {
  init: () => ({ sum: 0 }),
  calls: {
    add: ({ state }, by: number) => (state.sum += by),
    slowly: (ctx, ms: number) => ctx.later(() => sleep(ms).then(() => 'the true reply')),
  },
});

/** Two nodes of a cluster, and a third that is a member as well. */
export interface Scene {
  readonly here: Node;
  readonly good: Node;
  readonly mallory: Mallory;
}

/** Whether saying something is counted as malformed. */
export async function counted({ here, mallory }: Scene, packet: unknown): Promise<string> {
  const before = here.counters().malformed;
  await mallory.say(packet);
  return here.counters().malformed > before ? 'MALFORMED' : ignored;
}
