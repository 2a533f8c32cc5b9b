import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { highsHere } from '../../../../test/highs-here.ts';
import { combinatorialAuction } from './combinatorial-auction.ts';

const solver = await highsHere();

const bid = fc.record(
  {
    goods: fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 2 }),
    amount: fc.bigInt(0n, 9n),
    xorGroup: fc.constantFrom('x', 'y'),
  },
  { requiredKeys: ['goods', 'amount'] },
);
const spec = fc.record(
  {
    goods: fc.constant([{ name: 'A' }, { name: 'B', supply: 2 }, { name: 'C' }]),
    pricing: fc.constantFrom('first', 'vcg', 'core_nearest_vcg'),
    side: fc.constantFrom('sell', 'buy'),
  },
  { requiredKeys: ['goods'] },
);
const tie = fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const);

const sittings: fc.Arbitrary<Sitting> = fc
  .tuple(spec, fc.array(fc.array(bid, { maxLength: 2 }), { minLength: 1, maxLength: 5 }), tie)
  .map(([given, all, rule]) => {
    const roster = all.map((_, index) => `bidder-${index}`);
    return {
      spec: given,
      roster,
      options: { tie: rule },
      answer: ({ to }) => ({ body: { bids: all[roster.indexOf(to)] } }),
      solver,
    };
  });

protocolLaws('a combinatorial auction', { protocol: combinatorialAuction, sittings, runs: 12 });
