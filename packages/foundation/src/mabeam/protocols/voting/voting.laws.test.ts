import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import type { CoordinationRequest } from '../../message.ts';
import { readyReplies } from '../voting-ready.ts';
import { votingProtocols } from './voting.ts';

const options = ['a', 'b', 'c', 'd'];

/** What some specs need besides a question and options. */
function extra(name: string): object {
  if (name.startsWith('consensus.committee')) return { seats: 2 };
  if (name !== 'consensus.hierarchical') return {};
  const south = { name: 'south', members: ['v2', 'v3'] };
  return { forward: 'winner', groups: [{ name: 'north', members: ['v0', 'v1'], groups: [south] }] };
}

/** Voters that like some options, and now and then follow others. */
function sittings(name: string): fc.Arbitrary<Sitting> {
  const likes = fc.tuple(
    fc.constantFrom('prefer', 'joinLeader'),
    fc.shuffledSubarray(options, { minLength: 1 }),
  );
  return fc
    .record({
      voters: fc.array(likes, { maxLength: 6 }),
      tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
      weights: fc.dictionary(fc.constantFrom('v0', 'v1', 'v2'), fc.nat(9)),
      cap: fc.constantFrom({}, { cap: '1/1' }),
    })
    .map(({ voters, tie, weights, cap }): Sitting => {
      const roster = voters.map((_, index) => `v${index}`);
      return {
        spec: { question: 'q', options, weights, ...cap, ...extra(name) },
        roster,
        options: { tie },
        answer: (request: CoordinationRequest) => {
          const [voter = 'prefer', liked] = voters[roster.indexOf(request.to)] ?? [];
          return { body: readyReplies[voter]?.(liked)(request) };
        },
      };
    });
}

for (const protocol of votingProtocols) {
  protocolLaws(protocol.name, { protocol, sittings: sittings(protocol.name), runs: 15 });
}
