import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { proportionalResponse } from './fisher-buyer.ts';
import { fisherMarket } from './fisher-market.ts';
import { spendingQuestion } from './fisher-questions.ts';
import type { Utility } from './utility.ts';

const weights = fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), {
  minLength: 2,
  maxLength: 2,
});
const utility: fc.Arbitrary<Utility> = fc.oneof(
  fc.record({ kind: fc.constantFrom('linear' as const, 'cobb_douglas' as const), weights }),
  fc.record({ kind: fc.constant('ces' as const), weights, rho: fc.constantFrom(-2, 0.5) }),
);

const sittings: fc.Arbitrary<Sitting> = fc
  .tuple(fc.array(utility, { maxLength: 5 }), fc.constantFrom('utility', 'bids'))
  .map(([utilities, mode]) => {
    const roster = utilities.map((_, index) => `buyer-${index}`);
    return {
      spec: { goods: ['a', 'b'], mode, tolerance: 0.01, maxRounds: 6, roundMs: 100 },
      roster,
      answer: (request) => {
        const own = utilities[roster.indexOf(request.to)] ?? { kind: 'linear', weights: [1, 1] };
        const asked = spendingQuestion.parse(request);
        const isSpending = request.type === 'get_spending' && asked.ok;
        return { body: isSpending ? proportionalResponse(own, asked.value) : own };
      },
    };
  });

protocolLaws('a Fisher market', { protocol: fisherMarket, sittings, runs: 40 });
