import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { exchangeMarket } from './exchange-market.ts';
import { demandQuestion } from './exchange-questions.ts';
import { worthAt } from './tatonnement.ts';
import { demandOf, type Utility } from './utility.ts';

const amounts = fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), {
  minLength: 2,
  maxLength: 2,
});
const kind = fc.constantFrom('cobb_douglas' as const, 'leontief' as const);
const trader = fc.record({
  utility: fc.record({ kind, weights: amounts }) satisfies fc.Arbitrary<Utility>,
  endowment: amounts,
});

const sittings: fc.Arbitrary<Sitting> = fc
  .tuple(fc.array(trader, { maxLength: 5 }), fc.constantFrom('utility', 'demand', 'response'))
  .map(([traders, way]) => {
    const isResponse = way === 'response';
    const roster = traders.map((_, index) => `trader-${index}`);
    const endowments = traders.map(({ endowment }, index) => [roster[index], endowment]);
    return {
      spec: {
        goods: ['a', 'b'],
        endowments: { ...Object.fromEntries(endowments), other: [1, 1] },
        mode: isResponse ? 'utility' : way,
        method: isResponse ? 'lazy_proportional_response' : 'tatonnement',
        tolerance: 0.05,
        maxRounds: 6,
        roundMs: 100,
      },
      roster,
      answer: (request) => {
        const own = traders[roster.indexOf(request.to)];
        const asked = demandQuestion.parse(request);
        if (request.type === 'get_utility' || own === undefined || !asked.ok) {
          return { body: isResponse ? { ...own?.utility, kind: 'linear' } : own?.utility };
        }
        const { prices, endowment } = asked.value;
        return { body: { demand: demandOf(own.utility, prices, worthAt(prices, endowment)) } };
      },
    };
  });

protocolLaws('an exchange', { protocol: exchangeMarket, sittings, runs: 40 });
