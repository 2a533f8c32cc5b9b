import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { escalation } from './escalation.ts';
import { priorityConflict, proportionalConflict } from './resource-conflict.ts';

const claims = fc.array(fc.record({ units: fc.nat(6), priority: fc.nat(2) }), { maxLength: 5 });
const terms = fc.record({
  supply: fc.integer({ min: 1, max: 12 }),
  tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
});

const sittings = fc.tuple(claims, terms).map(([all, { supply, tie }]): Sitting => {
  const roster = all.map((_, index) => `claimant-${index}`);
  return {
    spec: { resource: 'r', supply, claimMs: 100 },
    roster,
    options: { tie },
    answer: ({ to }) => ({ body: all[roster.indexOf(to)] }),
  };
});

const disputes = fc
  .record({
    all: claims,
    supply: fc.integer({ min: 1, max: 12 }),
    settling: fc.nat(2),
    favourites: fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }),
  })
  .map(({ all, favourites, ...spec }): Sitting => {
    const claimants = all.map((_, index) => `claimant-${index}`);
    const roster = [...claimants, 'x', 'y', 'z'];
    return {
      spec: {
        resource: 'r',
        claimMs: 100,
        rulingMs: 100,
        levels: [['x'], ['x', 'y', 'z']],
        ...spec,
      },
      roster,
      answer({ to, type }) {
        if (type === 'get_claim') return { body: all[claimants.indexOf(to)] };
        const favourite = `claimant-${favourites[roster.indexOf(to) - claimants.length]}`;
        return { body: { shares: { [favourite]: 1 } } };
      },
    };
  });

protocolLaws('a conflict by priority', { protocol: priorityConflict, sittings, runs: 25 });
protocolLaws('a conflict in proportion', { protocol: proportionalConflict, sittings, runs: 25 });
protocolLaws('an escalation', { protocol: escalation, sittings: disputes, runs: 25 });
