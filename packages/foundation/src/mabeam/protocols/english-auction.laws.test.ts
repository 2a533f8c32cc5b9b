import { protocolLaws, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { readyReplies } from './english-auction-ready.ts';
import { englishAuction } from './english-auction.ts';

const amount = fc.bigInt({ min: 0n, max: 20n });
const bidder = fc.record({ limit: amount, isProxy: fc.boolean() });

const sittings = fc
  .record({
    variant: fc.constantFrom('clock', 'outcry'),
    side: fc.constantFrom('sell', 'buy'),
    increment: fc.bigInt(1n, 5n),
    bidders: fc.array(bidder, { maxLength: 6 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ variant, side, increment, bidders, tie }): Sitting => {
    const roster = bidders.map((_, index) => `bidder-${index}`);
    return {
      spec: {
        lot: 'lot',
        variant,
        side,
        increment,
        start: side === 'buy' ? 20n : 0n,
        roundMs: 100,
      },
      roster,
      options: { tie },
      answer(request): Scripted {
        const { limit, isProxy } = bidders[roster.indexOf(request.to)] ?? { limit: 0n };
        if (isProxy) return { body: { limit } };
        const { stayUpTo, bidUpTo } = readyReplies;
        return { body: (request.type === 'stay' ? stayUpTo : bidUpTo)(limit)(request) };
      },
    };
  });

protocolLaws('an English auction', { protocol: englishAuction, sittings });
