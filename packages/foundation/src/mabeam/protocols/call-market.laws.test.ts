import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { callMarket } from './call-market.ts';
import { mcafeeAuction } from './mcafee-auction.ts';

const limit = fc.bigInt({ min: 0n, max: 12n });
const side = fc.constantFrom('buy', 'sell');
const order = fc
  .record({ side, quantity: fc.integer({ min: 1, max: 3 }), limit: fc.option(limit, { freq: 5 }) })
  .map(({ limit: bound, ...rest }) => (bound === null ? rest : { ...rest, limit: bound }));
const unit = fc.record({ side, quantity: fc.constant(1), limit });
const tie = fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const);

function sittings(
  spec: fc.Arbitrary<unknown>,
  orders: fc.Arbitrary<readonly unknown[]>,
): fc.Arbitrary<Sitting> {
  return fc.tuple(spec, fc.array(orders, { maxLength: 7 }), tie).map(([given, all, rule]) => {
    const roster = all.map((_, index) => `trader-${index}`);
    return {
      spec: given,
      roster,
      options: { tie: rule },
      answer: ({ to }) => ({ body: { orders: all[roster.indexOf(to)] } }),
    };
  });
}

const callSpecs = fc.record({
  lot: fc.constant('lot'),
  k: fc.constantFrom({ num: 0n, den: 1n }, { num: '2', den: '3' }),
  ration: fc.constantFrom('priority', 'pro_rata'),
});

protocolLaws('a call market', {
  protocol: callMarket,
  sittings: sittings(callSpecs, fc.array(order, { maxLength: 4 })),
});
protocolLaws('a McAfee auction', {
  protocol: mcafeeAuction,
  sittings: sittings(fc.constant({ lot: 'lot' }), fc.array(unit, { maxLength: 1 })),
});
