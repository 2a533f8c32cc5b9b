import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { twoPhaseCommit } from './two-phase-commit.ts';

const sittings = fc
  .record({
    votes: fc.array(fc.constantFrom('yes', 'yes', 'yes', 'no'), { maxLength: 6 }),
    decided: fc.constantFrom(undefined, undefined, 'commit', 'abort'),
  })
  .map(({ votes, decided }): Sitting => {
    const roster = votes.map((_, index) => `store-${index}`);
    const terms = decided === undefined ? {} : { decided };
    return {
      spec: { transaction: 't', voteMs: 100, ...terms },
      roster,
      answer: ({ to, type }) => ({
        body: type === 'prepare' ? { vote: votes[roster.indexOf(to)] } : {},
      }),
    };
  });

protocolLaws('a two-phase commit', { protocol: twoPhaseCommit, sittings });
