import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { barrier } from './barrier.ts';

const sittings = fc
  .record({
    parties: fc.nat(6),
    generations: fc.integer({ min: 1, max: 3 }),
    double: fc.boolean(),
    timeoutMs: fc.option(fc.integer({ min: 100, max: 500 }), { nil: undefined }),
  })
  .map(({ parties, generations, double, timeoutMs }): Sitting => {
    const terms = timeoutMs === undefined ? {} : { timeoutMs };
    return {
      spec: { barrier: 'gate', generations, double, ...terms },
      roster: Array.from({ length: parties }, (_, index) => `party-${index}`),
      answer: () => ({ body: {} }),
    };
  });

protocolLaws('a barrier', { protocol: barrier, sittings, dependsOnArrival: true });
