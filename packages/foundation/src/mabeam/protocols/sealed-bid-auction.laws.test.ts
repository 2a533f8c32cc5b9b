import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';

const amount = fc.bigInt({ min: 0n, max: 20n });

const sittings = fc
  .record({
    side: fc.constantFrom('sell', 'buy'),
    reserve: fc.option(amount, { nil: undefined }),
    bids: fc.array(amount, { maxLength: 6 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ bids, reserve, side, tie }): Sitting => {
    const roster = bids.map((_, index) => `bidder-${index}`);
    return {
      spec: { lot: 'lot', side, ...(reserve === undefined ? {} : { reserve }) },
      roster,
      options: { tie },
      answer: ({ to }) => ({ body: { amount: bids[roster.indexOf(to)] } }),
    };
  });

protocolLaws('a first-price auction', { protocol: firstPriceAuction, sittings });
protocolLaws('a Vickrey auction', { protocol: vickreyAuction, sittings });
