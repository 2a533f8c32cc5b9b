import {
  auditLog,
  canonical,
  inspectAudit,
  replay,
  verify,
  type AnyProtocol,
  type CoordinationRequest,
  type Outcome,
} from '@foundation/core/mabeam';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sit, sitOn, type Scripted, type Sitting } from './sitting.ts';

/** A protocol, and sittings of all kinds. */
export interface ProtocolUnderTest {
  readonly protocol: AnyProtocol;
  /** Specs, rosters and sensible answers. What is wrong with participants is added by the laws. */
  readonly sittings: fc.Arbitrary<Sitting>;
  /**
   * Whether what an outcome says of order or time depends on when answers came, as a barrier's does.
   *
   * @defaultValue false
   */
  readonly dependsOnArrival?: boolean;
  /** @defaultValue 60 */
  readonly runs?: number;
}

/** What every protocol promises, as vitest tests: C1, C2, C5, C6 and C7 of the specification of
 * coordination, and that it survives its coordinator. */
export function protocolLaws(name: string, under: ProtocolUnderTest): void {
  const { protocol, dependsOnArrival = false, runs = 60 } = under;
  const troubled = (kinds: readonly Trouble[]): fc.Arbitrary<Sitting> =>
    fc
      .tuple(under.sittings, fc.array(fc.constantFrom(...kinds), { maxLength: 6 }))
      .map(([sitting, each]) => withTrouble(sitting, each));
  const check = (law: Law, kinds: readonly Trouble[] = troubles): Promise<void> =>
    fc.assert(fc.asyncProperty(troubled(kinds), fc.nat(1_000), law), { numRuns: runs });
  // The second of two answers is one too many only if the round has not closed with the first.
  const honest = troubles.filter((kind) => kind !== 'equivocate');

  describe(`${name} as a protocol`, () => {
    it.skipIf(dependsOnArrival)('decides the same in whatever order answers come', () =>
      check(async (sitting, seed) => {
        const [one, other] = [await sit(protocol, sitting), await sit(protocol, sitting, { seed })];
        expect(claimOf(other.outcome)).toBe(claimOf(one.outcome));
      }, honest),
    );

    it('ends by its deadline, and counts everybody it asked', async () => {
      const statuses = new Set<string>();
      await check(async (sitting, seed) => {
        const { outcome, endedAt } = await sit(protocol, sitting, { seed });
        statuses.add(outcome.status);
        expect(endedAt).toBeLessThanOrEqual(sitting.options?.deadlineMs ?? 10_000);
        const { asked, ok, declined, silent, invalid } = outcome.participation;
        expect(ok + declined + silent + invalid).toBe(asked);
        expect(outcome.status, outcome.detail).not.toBe('failed');
        for (const id of Object.keys(outcome.reasons)) expect(sitting.roster).toContain(id);
      });
      expect([...statuses], 'none came to an end of its own').not.toEqual(['limit_reached']);
    });

    it('takes answers that are delivered twice for one', () =>
      check(async (sitting, seed) => {
        const [once, twice] = [
          await sit(protocol, sitting, { seed }),
          await sit(protocol, sitting, { seed, twice: true }),
        ];
        expect(claimOf(twice.outcome)).toBe(claimOf(once.outcome));
      }, honest));

    it('can be recomputed from its record, and verified', () =>
      check(async (sitting, seed) => {
        const { outcome } = await sit(protocol, sitting, { seed });
        expect(canonical(replay(protocol, outcome.record))).toBe(canonical(outcome));
        expect(verify(protocol, outcome)).toEqual([]);
        expect(inspectAudit(auditLog(outcome.record))).toEqual({ ok: true });
      }));

    it('decides the same when its coordinator is killed at any point and another one goes on', () =>
      check(async (sitting, seed) => {
        const { outcome } = await sit(protocol, sitting);
        const { entries } = outcome.record;
        const cut = { ...outcome.record, entries: entries.slice(0, seed % (entries.length + 1)) };
        const { outcome: after } = await sitOn(protocol, sitting, cut);
        if (dependsOnArrival) expect(after.status).toBe(outcome.status);
        else expect(claimOf(after)).toBe(claimOf(outcome));
      }, honest));

    it('sends no more messages than it says', () =>
      check(async (sitting, seed) => {
        const { outcome, sent } = await sit(protocol, sitting, { seed });
        const { ok, declined } = outcome.participation;
        const most = protocol.traits.maxMessages(sitting.roster.length);
        expect(sent.length + ok + declined).toBeLessThanOrEqual(most);
      }));
  });
}

type Law = (sitting: Sitting, seed: number) => Promise<void>;
type Trouble = (typeof troubles)[number];

const troubles = ['silent', 'dead', 'garbage', 'decline', 'equivocate', 'none'] as const;

/** The same sitting, at which the first participants have these troubles. */
function withTrouble(
  sitting: Sitting,
  kinds: readonly Trouble[],
): Sitting & { readonly kinds: typeof kinds } {
  return {
    ...sitting,
    kinds,
    answer(request: CoordinationRequest): Scripted {
      const own = sitting.answer(request);
      const kind = kinds[sitting.roster.indexOf(request.to)] ?? 'none';
      if (kind === 'none') return own;
      if (kind === 'decline') return { decline: 'not now' };
      if (kind === 'equivocate')
        return { equivocate: typeof own === 'object' && 'body' in own ? own.body : 1 };
      return kind;
    },
  };
}

/** What an outcome says, without how it came about. */
function claimOf(outcome: Outcome<unknown>): string {
  return canonical({ ...outcome, record: undefined });
}
