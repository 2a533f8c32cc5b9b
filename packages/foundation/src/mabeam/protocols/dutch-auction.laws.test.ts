import { protocolLaws, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { readyReplies } from './dutch-auction-ready.ts';
import { dutchAuction } from './dutch-auction.ts';

const amount = fc.bigInt({ min: 0n, max: 20n });
const bidder = fc.record({ limit: amount, isProxy: fc.boolean() });

const sittings = fc
  .record({
    side: fc.constantFrom('sell', 'buy'),
    increment: fc.bigInt(1n, 5n),
    reserve: amount,
    bidders: fc.array(bidder, { maxLength: 6 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ side, increment, reserve, bidders, tie }): Sitting => {
    const roster = bidders.map((_, index) => `bidder-${index}`);
    const start = side === 'buy' ? 0n : 20n;
    return {
      spec: { lot: 'lot', side, increment, start, reserve, roundMs: 100 },
      roster,
      options: { tie },
      answer(request): Scripted {
        const { limit, isProxy } = bidders[roster.indexOf(request.to)] ?? { limit: 0n };
        return { body: isProxy ? { limit } : readyReplies.acceptAt(limit)(request) };
      },
    };
  });

protocolLaws('a Dutch auction', { protocol: dutchAuction, sittings });
