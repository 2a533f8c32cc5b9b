import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { monotonicConcession } from './monotonic-concession.ts';
import { readyReplies } from './negotiation-ready.ts';

const amount = fc.bigInt({ min: 0n, max: 20n });

const sittings = fc
  .record({
    concessions: fc.array(fc.record({ from: amount, to: amount }), { maxLength: 4 }),
    rounds: fc.integer({ min: 1, max: 8 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ concessions, rounds, tie }): Sitting => {
    const roster = concessions.map((_, index) => `negotiator-${index}`);
    return {
      spec: { subject: 's', issues: { price: { from: 0n, to: 20n } }, rounds, roundMs: 100 },
      roster,
      options: { tie },
      answer: (request) => ({
        body: readyReplies.concede(concessions[roster.indexOf(request.to)])(request),
      }),
    };
  });

protocolLaws('a negotiation by concession', { protocol: monotonicConcession, sittings, runs: 25 });
