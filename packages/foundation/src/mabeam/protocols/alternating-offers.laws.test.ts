import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { alternatingOffers } from './alternating-offers.ts';
import { readyReplies } from './negotiation-ready.ts';

const amount = fc.bigInt({ min: 0n, max: 20n });

const sittings = fc
  .record({
    concessions: fc.array(fc.record({ from: amount, to: amount }), { maxLength: 4 }),
    turns: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ concessions, turns }): Sitting => {
    const roster = concessions.map((_, index) => `negotiator-${index}`);
    return {
      spec: { subject: 's', issues: { price: { from: 0n, to: 20n } }, turns, turnMs: 100 },
      roster,
      answer: (request) => ({
        body: readyReplies.concede(concessions[roster.indexOf(request.to)])(request),
      }),
    };
  });

protocolLaws('a negotiation by turns', { protocol: alternatingOffers, sittings, runs: 25 });
