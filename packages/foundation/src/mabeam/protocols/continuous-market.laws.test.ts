import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { continuousMarket } from './continuous-market.ts';

const order = fc
  .record({
    side: fc.constantFrom('buy', 'sell'),
    quantity: fc.integer({ min: 1, max: 3 }),
    limit: fc.option(fc.bigInt(0n, 8n), { freq: 5 }),
  })
  .map(({ limit, ...rest }) => (limit === null ? rest : { ...rest, limit }));
const move = fc.record({
  cancel: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 }),
  orders: fc.array(order, { maxLength: 3 }),
});

const sittings = fc
  .record({
    rounds: fc.integer({ min: 1, max: 5 }),
    idleRounds: fc.integer({ min: 1, max: 3 }),
    traders: fc.array(fc.array(move, { maxLength: 4 }), { maxLength: 6 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ traders, tie, ...terms }): Sitting => {
    const roster = traders.map((_, index) => `trader-${index}`);
    return {
      spec: { lot: 'lot', roundMs: 100, ...terms },
      roster,
      options: { tie },
      answer: ({ to, round }) => ({ body: traders[roster.indexOf(to)]?.[round - 1] ?? {} }),
    };
  });

protocolLaws('a continuous market', { protocol: continuousMarket, sittings, runs: 40 });
