import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { deferredAcceptanceMatching } from './deferred-acceptance.ts';
import type { PreferenceList } from './preferences.ts';

const firms = ['f0', 'f1', 'f2'];
const workers = ['w0', 'w1', 'w2', 'w3'];

/** Some of `ids` in some order, now and then two as equals. */
function lists(ids: readonly string[]): fc.Arbitrary<PreferenceList> {
  return fc.tuple(fc.shuffledSubarray([...ids]), fc.nat(6)).map(([order, at]) => {
    const equals = order.slice(at, at + 2);
    return equals.length < 2 ? order : [...order.slice(0, at), equals, ...order.slice(at + 2)];
  });
}

const sittings = fc
  .record({
    wants: fc.tuple(...workers.map(() => lists(firms))),
    takes: fc.tuple(...firms.map(() => lists(workers))),
    known: lists(workers),
    quota: fc.integer({ min: 1, max: 3 }),
    tie: fc.constantFrom('seeded' as const, 'lexicographic' as const, 'report' as const),
  })
  .map(({ wants, takes, known, quota, tie }): Sitting => {
    const roster = [...workers, ...firms];
    const answers = [...wants, ...takes];
    return {
      spec: {
        matching: 'jobs',
        receivers: [...firms, 'school'],
        quotas: { f0: quota },
        lists: { f1: known, school: known },
      },
      roster,
      options: { tie },
      answer: ({ to }) => ({ body: { list: answers[roster.indexOf(to)] } }),
    };
  });

protocolLaws('a matching', { protocol: deferredAcceptanceMatching, sittings });
