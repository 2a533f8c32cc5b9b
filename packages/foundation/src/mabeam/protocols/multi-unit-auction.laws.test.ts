import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { ausubelAuction } from './ausubel-auction.ts';
import { multiUnitAuction } from './multi-unit-auction.ts';
import { readyReplies } from './multi-unit-ready.ts';

const marginals = fc
  .array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 })
  .map((list) => list.toSorted((left, right) => right - left));
const terms = {
  lot: fc.constant('lot'),
  units: fc.integer({ min: 1, max: 8 }),
  side: fc.constantFrom('sell' as const, 'buy' as const),
};
const sealed = fc
  .record({
    ...terms,
    pricing: fc.constantFrom('discriminatory', 'uniform_lab', 'uniform_hrb', 'vcg'),
    margin: fc.bigInt(0n, 6n),
  })
  .map(({ margin, ...spec }) => ({
    ...spec,
    reserve: spec.side === 'sell' ? margin : 12n - margin,
  }));
const clock = fc
  .record({ ...terms, increment: fc.bigInt(1n, 4n) })
  .map((spec) => ({ ...spec, roundMs: 100, start: spec.side === 'sell' ? 0n : 12n }));

function sittings(specs: fc.Arbitrary<{ readonly side: 'sell' | 'buy' }>): fc.Arbitrary<Sitting> {
  const tie = fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const);
  return fc.tuple(specs, fc.array(marginals, { maxLength: 6 }), tie).map(([spec, lists, rule]) => {
    const roster = lists.map((_, index) => `bidder-${index}`);
    const own = spec.side === 'sell' ? lists : lists.map((list) => list.map((value) => 12 - value));
    return {
      spec,
      roster,
      options: { tie: rule },
      answer: (request) => ({
        body: readyReplies.unitsWorth(own[roster.indexOf(request.to)]?.map(String))(request),
      }),
    };
  });
}

protocolLaws('an auction of several units', {
  protocol: multiUnitAuction,
  sittings: sittings(sealed),
  runs: 30,
});
protocolLaws('an Ausubel auction', {
  protocol: ausubelAuction,
  sittings: sittings(clock),
  runs: 30,
});
