import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { contractNet } from './contract-net.ts';

const sittings = fc
  .record({
    costs: fc.array(fc.bigInt({ min: 0n, max: 9n }), { maxLength: 5 }),
    awards: fc.integer({ min: 1, max: 2 }),
    onFailure: fc.constantFrom('next_best', 're_cfp', 'fail'),
    pricing: fc.constantFrom('first', 'vickrey'),
    acts: fc.array(fc.constantFrom('working', 'inform_done', 'failure'), {
      minLength: 1,
      maxLength: 4,
    }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ costs, acts, tie, ...terms }): Sitting => {
    const roster = costs.map((_, index) => `contractor-${index}`);
    return {
      spec: { task: 't', proposeMs: 100, heartbeatMs: 100, performMs: 300, ...terms },
      roster,
      options: { tie },
      answer({ to, type, body }) {
        const seat = roster.indexOf(to);
        if (type === 'cfp') return { body: { cost: costs[seat] } };
        return { body: { act: acts[(seat + Object(body).heartbeat) % acts.length] } };
      },
    };
  });

protocolLaws('a contract net', { protocol: contractNet, sittings, runs: 25 });
