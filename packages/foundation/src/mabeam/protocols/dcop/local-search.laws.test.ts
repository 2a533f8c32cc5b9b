import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { readyReplies } from '../dcop-ready.ts';
import { dsa } from './dsa.ts';
import { mgm } from './mgm.ts';

const sittings = fc
  .record({
    links: fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 5 }),
    costs: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 20, maxLength: 20 }),
    owners: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ links, costs, owners }): Sitting => {
    const variables = [0, 1, 2, 3].map((at) => {
      return { name: `x${at}`, owner: `a${at % owners}`, values: ['0', '1'] };
    });
    const constraints = links
      .filter(([left, right]) => left !== right)
      .map(([left, right], at) => {
        const table = costs.slice(4 * at, 4 * at + 4);
        return { name: `c${at}`, over: [`x${left}`, `x${right}`], costs: table };
      });
    const honest = readyReplies['dcop']?.({});
    return {
      spec: { problem: 'p', variables, constraints, answerMs: 200, rounds: 12 },
      roster: [...new Set(variables.map(({ owner }) => owner)), 'idle'],
      answer: (request) => ({ body: honest?.(request) }),
    };
  });

protocolLaws('an MGM', { protocol: mgm, sittings, runs: 12 });
protocolLaws('a DSA', { protocol: dsa, sittings, runs: 12 });
