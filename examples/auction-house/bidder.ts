import { defineProcess } from '@foundation/core';
import { participant, proxy, truthful, withBudget } from '@foundation/core/mabeam';

/** How a bidder behaves: `watches` every tick, leaves it to a `proxy`, or wants more than it has. */
export type Temper = 'watches' | 'proxy' | 'dreams';

export interface Bidder {
  readonly temper: Temper;
  /** The most it pays. */
  readonly limit: bigint;
}

interface Bidding {
  readonly state: Bidder;
}
const ownLimit = ({ state }: Bidding): bigint => state.limit;

/** Each temper is a process definition with other handlers, and none knows which auction it is in. */
export const bidders = {
  watches: defineProcess('watches', {
    init: (self: Bidder) => self,
    coordinate: participant<Bidding>(truthful(ownLimit)),
  }),
  proxy: defineProcess('proxy', {
    init: (self: Bidder) => self,
    coordinate: participant<Bidding>(proxy(ownLimit)),
  }),
  dreams: defineProcess('dreams', {
    init: (self: Bidder) => self,
    coordinate: participant<Bidding>(withBudget(ownLimit, truthful(1_000_000n))),
  }),
};

/** The ten who sit in one house. */
export function seatsOf(house: string): readonly (readonly [name: string, bidder: Bidder])[] {
  const tempers: readonly Temper[] = ['watches', 'proxy', 'dreams'];
  return Array.from({ length: 10 }, (_, seat) => {
    const number = seat * 3 + house.length;
    const limit = 40n + BigInt((number * number * 37) % 389);
    return [`${house}-${seat + 1}`, { temper: tempers[seat % 3] ?? 'watches', limit }];
  });
}
