import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId } from '../message.ts';
import type { TieRule } from '../protocol.ts';
import { verify } from '../verify.ts';
import type { ResourceClaim } from './conflict-questions.ts';
import {
  type ConflictResult,
  priorityConflict,
  proportionalConflict,
  type ResourceConflict,
} from './resource-conflict.ts';

type Claimant = ResourceClaim | Scripted;

function divide(
  protocol: ResourceConflict,
  who: Readonly<Record<AgentId, Claimant>>,
  {
    tie = 'lexicographic',
    seed = 's',
    ...terms
  }: { tie?: TieRule; seed?: string; supply?: number; priorities?: object } = {},
): Promise<Sat<ConflictResult>> {
  return sit(protocol, {
    spec: { resource: 'gpus', claimMs: 100, ...terms },
    roster: Object.keys(who),
    options: { tie, seed },
    answer({ to }) {
      const claim = who[to] ?? 'silent';
      return typeof claim === 'object' && 'units' in claim ? { body: claim } : claim;
    },
  });
}

const sharesOf = ({ outcome }: Sat<ConflictResult>): unknown =>
  outcome.result?.shares?.map(({ agent, units }) => [agent, units]);

describe('a conflict resolved by priority', () => {
  const three = {
    a: { units: 4, priority: 1 },
    b: { units: 5, priority: 9 },
    c: { units: 3, priority: 5 },
  };

  it('meets the claim of the highest first, and the last in part', async () => {
    const sat = await divide(priorityConflict, three, { supply: 10 });
    expect(sat.outcome).toMatchObject({
      status: 'decided',
      result: {
        resource: 'gpus',
        supply: 10,
        claims: [
          { agent: 'a', units: 4, priority: 1 },
          { agent: 'b', units: 5, priority: 9 },
          { agent: 'c', units: 3, priority: 5 },
        ],
        left: 0,
      },
      reasons: { a: 'won', b: 'won', c: 'won' },
    });
    expect(sharesOf(sat)).toEqual([
      ['a', 2],
      ['b', 5],
      ['c', 3],
    ]);
    const notices = sat.sent.filter(({ type }) => type === 'allocation');
    expect(notices.map(({ to, body }) => [to, body])).toEqual([
      ['a', { resource: 'gpus', units: 2 }],
      ['b', { resource: 'gpus', units: 5 }],
      ['c', { resource: 'gpus', units: 3 }],
    ]);
    expect(sat.sent[0]?.body).toEqual({ resource: 'gpus', supply: 10 });
  });

  it('gives one who has it alone to the highest, and says why others do not', async () => {
    const sat = await divide(priorityConflict, {
      ...three,
      d: { units: 1, priority: 9 },
      e: { units: 0 },
      f: 'silent',
      g: { decline: 'no need' },
    });
    expect(sharesOf(sat)).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
      ['d', 0],
    ]);
    expect(sat.outcome.reasons).toEqual({
      a: 'outbid',
      b: 'won',
      c: 'outbid',
      d: 'tie_lost',
      e: 'declined',
      f: 'silent',
      g: 'declined',
    });
    expect(sat.outcome.tie).toEqual({ among: ['b', 'd'], rule: 'lexicographic' });
  });

  it('goes by the priorities of the spec, whatever claimants say', async () => {
    const sat = await divide(priorityConflict, three, { supply: 5, priorities: { a: 2, c: 1 } });
    expect(sharesOf(sat)).toEqual([
      ['a', 4],
      ['b', 0],
      ['c', 1],
    ]);
    expect(sat.outcome.result?.claims.map(({ priority }) => priority)).toEqual([2, 0, 1]);
  });

  it('reports a tie, draws it, or takes the first by id', async () => {
    const equals = { b: { units: 2 }, a: { units: 2 } };
    const reported = await divide(priorityConflict, equals, { supply: 3, tie: 'report' });
    expect(reported.outcome).toMatchObject({
      status: 'tied',
      reasons: { a: 'tie_lost', b: 'tie_lost' },
    });
    expect(sharesOf(reported)).toBeUndefined();
    expect(sharesOf(await divide(priorityConflict, equals, { supply: 3 }))).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    const firsts = new Set<unknown>();
    for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      firsts.add(
        JSON.stringify(
          sharesOf(await divide(priorityConflict, equals, { supply: 3, tie: 'seeded', seed })),
        ),
      );
    }
    expect(firsts.size).toBe(2);
  });
});

describe('a conflict resolved in proportion', () => {
  it('gives what is left to the largest remainders', async () => {
    const sat = await divide(
      proportionalConflict,
      { a: { units: 7 }, b: { units: 5, priority: 99 }, c: { units: 3 } },
      { supply: 10 },
    );
    // 4 2/3, 3 1/3 and 2.
    expect(sharesOf(sat)).toEqual([
      ['a', 5],
      ['b', 3],
      ['c', 2],
    ]);
    expect(sat.outcome.result).toMatchObject({
      left: 0,
      claims: [{ agent: 'a', units: 7 }, { agent: 'b', units: 5 }, {}],
    });
  });

  it('meets all claims when there is enough', async () => {
    const sat = await divide(
      proportionalConflict,
      { a: { units: 2 }, b: { units: 1 } },
      { supply: 10 },
    );
    expect(sharesOf(sat)).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(sat.outcome.result?.left).toBe(7);
  });

  it('has no deal when nobody claims', async () => {
    const { outcome } = await divide(proportionalConflict, { a: { units: 0 }, b: 'dead' });
    expect(outcome).toMatchObject({
      status: 'no_deal',
      result: { claims: [], left: 1 },
      reasons: { a: 'declined', b: 'silent' },
    });
  });

  it('rewards who claims too much, as its traits say', async () => {
    expect(proportionalConflict.traits.dominantStrategyTruthful).toBe(false);
    const [honest, greedy] = await Promise.all(
      [6, 12].map(async (units) =>
        divide(proportionalConflict, { a: { units }, b: { units: 6 } }, { supply: 6 }),
      ),
    );
    expect(honest && sharesOf(honest)).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
    expect(greedy && sharesOf(greedy)).toEqual([
      ['a', 4],
      ['b', 2],
    ]);
  });
});

describe('laws of a divided resource', () => {
  const claims = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    fc.record({ units: fc.nat(9), priority: fc.nat(2) }),
  );

  it.each([
    ['priority', priorityConflict],
    ['proportion', proportionalConflict],
  ])('gives away all that is claimed and there, by %s', (_name, protocol) =>
    fc.assert(
      fc.asyncProperty(claims, fc.integer({ min: 1, max: 30 }), async (who, supply) => {
        const { outcome } = await divide(protocol, who, { supply, tie: 'seeded' });
        expect(verify(protocol, outcome)).toEqual([]);
        const claimed = Object.values(who).reduce((sum, { units }) => sum + units, 0);
        const given = (outcome.result?.shares ?? []).reduce((sum, { units }) => sum + units, 0);
        expect(given).toBe(Math.min(claimed, supply));
        const unmet = Object.entries(who).filter(
          ([id, { units }]) =>
            (outcome.result?.shares?.find(({ agent }) => agent === id)?.units ?? 0) < units,
        );
        for (const { agent, units } of outcome.result?.shares ?? []) {
          const own = who[agent] ?? { units: 0, priority: 0 };
          expect(units).toBeLessThanOrEqual(own.units);
          const isAhead = unmet.every(([, other]) => other.priority <= own.priority);
          expect(protocol === proportionalConflict || units === 0 || isAhead).toBe(true);
          const exact = (own.units * Math.min(supply, claimed)) / claimed;
          expect(protocol === priorityConflict || Math.abs(units - exact) < 1).toBe(true);
        }
      }),
      { numRuns: 100 },
    ),
  );

  it('finds out what was changed afterwards', async () => {
    const who = { a: { units: 4, priority: 1 }, b: { units: 4, priority: 2 } };
    for (const protocol of [priorityConflict, proportionalConflict]) {
      const { outcome } = await divide(protocol, who, { supply: 6 });
      const { result, record } = outcome;
      const spec = protocol.parseSpec(record.setup.spec);
      if (result === undefined || !spec.ok) throw new Error('no result');
      const problems = (a: number, b: number, left = 0): readonly string[] => {
        const shares = [
          { agent: 'a', units: a },
          { agent: 'b', units: b },
        ];
        const claim = {
          ...outcome,
          roster: record.setup.roster,
          result: { ...result, shares, left },
        };
        return protocol.verify?.(spec.value, claim) ?? [];
      };
      const isFirst = protocol === priorityConflict;
      expect(isFirst ? problems(2, 4) : problems(3, 3)).toEqual([]);
      expect(isFirst ? problems(3, 3) : problems(2, 4)).not.toEqual([]);
      expect(problems(1, 5)).not.toEqual([]);
      expect(problems(3, 2)).not.toEqual([]);
      expect(problems(4, 4)).not.toEqual([]);
      expect(isFirst ? problems(2, 4, 1) : problems(3, 3, 1)).not.toEqual([]);
    }
  });
});

describe('what a divided resource is given', () => {
  it('is refused with the name of what is wrong', () => {
    const refused = (changes: object, protocol = priorityConflict): string => {
      const spec = protocol.parseSpec({ resource: 'r', ...changes });
      return spec.ok ? 'accepted' : spec.reason;
    };
    expect(refused({ priorities: { a: 3 } })).toBe('accepted');
    expect(refused({ priorities: { a: -1 } })).toContain('priorities: expected a whole number');
    expect(refused({ priorities: [] })).toContain('priorities: expected numbers by agent');
    expect(refused({ priorities: {} }, proportionalConflict)).toBe('unknown field "priorities"');
    expect(refused({ resource: '' })).toContain('resource');
    expect(refused({ supply: 0 })).toContain('supply: expected a whole number from 1');
    expect(refused({ claimMs: -1 })).toContain('claimMs');
    const claim = (body: unknown): boolean => priorityConflict.parseReply('get_claim', body).ok;
    expect([{ units: 1 }, { units: 1, priority: 2 }].every(claim)).toBe(true);
    const bad = [
      { units: -1 },
      { units: 1.5 },
      { units: 2e9 },
      { units: 1, priority: -1 },
      { unit: 1 },
      {},
      3,
    ];
    expect(bad.some(claim)).toBe(false);
  });
});
