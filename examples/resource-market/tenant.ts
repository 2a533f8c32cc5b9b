import { defineProcess } from '@foundation/core';
import { fisherBuyer, participant, type Utility } from '@foundation/core/mabeam';

/** What the park has. */
export const supply = { gpus: 16, memory: 64 } as const;

/** Whole units of what the park has. */
export type Share = { readonly [Good in keyof typeof supply]: number };

export interface Tenant {
  /** What a part of all gpus, and of all memory, is worth to it. */
  worth: readonly [gpus: number, memory: number];
  share: Share;
}

/** It knows what it needs; nobody else does until it is asked. */
export const tenant = defineProcess('tenant', {
  init: (self: Tenant) => ({ ...self }),
  calls: {
    needs({ state }, worth: Tenant['worth']) {
      state.worth = worth;
    },
    share: ({ state }) => state.share,
    // What the AgentRegistry calls when its configuration changes.
    configure({ state }, { share }: Tenant) {
      state.share = share;
    },
  },
  coordinate: participant(
    fisherBuyer(({ state }: { state: Tenant }): Utility => ({
      kind: 'linear',
      weights: state.worth,
    })),
  ),
});
