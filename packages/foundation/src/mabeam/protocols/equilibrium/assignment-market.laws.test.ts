import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { assignmentMarket } from './assignment-market.ts';
import { favourites, wantsQuestion } from './assignment-questions.ts';

const buyer = fc.record({
  values: fc.array(fc.option(fc.bigInt({ min: 0n, max: 6n }), { freq: 5 }), {
    minLength: 3,
    maxLength: 3,
  }),
  isByPrice: fc.boolean(),
});
const tie = fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const);

const sittings: fc.Arbitrary<Sitting> = fc
  .tuple(fc.array(buyer, { maxLength: 6 }), tie)
  .map(([buyers, rule]) => {
    const roster = buyers.map((_, index) => `buyer-${index}`);
    return {
      spec: { goods: ['a', 'b', 'c'], reserves: ['1', '0', '0'], roundMs: 100 },
      roster,
      options: { tie: rule },
      answer: (request) => {
        const { values = [], isByPrice = false } = buyers[roster.indexOf(request.to)] ?? {};
        const asked = wantsQuestion.parse(request);
        return { body: isByPrice && asked.ok ? favourites(values, asked.value) : { values } };
      },
    };
  });

protocolLaws('an assignment market', { protocol: assignmentMarket, sittings, runs: 40 });
