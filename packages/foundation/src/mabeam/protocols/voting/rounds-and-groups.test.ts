import { sit, type Sat } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../../message.ts';
import type { TieRule } from '../../protocol.ts';
import { readyReplies } from '../voting-ready.ts';
import {
  type HierarchicalResult,
  type HierarchicalSpec,
  hierarchicalVote,
} from './hierarchical-vote.ts';
import { type IterativeResult, type IterativeSpec, iterativeVote } from './iterative-vote.ts';
import { majorityVote, pluralityVote } from './vote.ts';

type Voter = (request: CoordinationRequest) => unknown;

function iterate(
  voters: Readonly<Record<string, Voter>>,
  spec: Partial<IterativeSpec> = {},
): Promise<Sat<IterativeResult>> {
  return sit(iterativeVote, {
    spec: { question: 'q', options: ['a', 'b', 'c'], ...spec },
    roster: Object.keys(voters),
    options: { tie: 'report' },
    answer: (request) => ({ body: voters[request.to]?.(request) }),
  });
}

const firm =
  (option: string): Voter =>
  () => ({ single: option });
const joins = (option: string): Voter => readyReplies['joinLeader']?.(option) ?? firm(option);

describe('an iterative vote', () => {
  it('goes on until a round brings the same votes, and decides by its rule', async () => {
    const voters = { v: firm('a'), w: firm('a'), x: joins('b'), y: joins('c') };
    const { outcome, sent } = await iterate(voters, { rule: 'unanimous' });
    expect(outcome).toMatchObject({ status: 'decided', result: { winner: 'a', rounds: 3 } });
    const told = sent.filter(({ to, type }) => to === 'x' && type === 'get_vote');
    expect(told.map(({ body }) => Object(body)['last'])).toEqual([
      undefined,
      [
        { option: 'a', score: 2 },
        { option: 'b', score: 1 },
        { option: 'c', score: 1 },
      ],
      [
        { option: 'a', score: 4 },
        { option: 'b', score: 0 },
        { option: 'c', score: 0 },
      ],
    ]);
  });

  it('can end as soon as its rule elects something', async () => {
    const voters = { v: firm('a'), w: firm('a'), x: joins('b'), y: joins('c') };
    const { outcome } = await iterate(voters, { rule: 'majority', until: 'decided' });
    expect(outcome).toMatchObject({ status: 'decided', result: { winner: 'a', rounds: 2 } });
  });

  it('is stable without a decision when nobody moves and the rule elects nothing', async () => {
    const { outcome } = await iterate({ v: firm('a'), w: firm('b') });
    expect(outcome).toMatchObject({ status: 'no_deal', result: { winners: [], rounds: 2 } });
    const tied = await iterate({ v: firm('a'), w: firm('b') }, { rule: 'plurality' });
    expect(tied.outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'] } });
  });

  it('has not converged when votes go round in circles', async () => {
    // Each wants the other's: they miss each other in every round.
    const swaps =
      (odd: string, even: string): Voter =>
      (request) => ({
        single: request.round % 2 === 1 ? odd : even,
      });
    const voters = { v: swaps('a', 'b'), w: swaps('b', 'a') };
    const { outcome } = await iterate(voters, { rule: 'plurality', rounds: 7 });
    expect(outcome).toMatchObject({ status: 'not_converged', result: { rounds: 7 } });
    expect(outcome.result).not.toHaveProperty('winner');
  });

  it('shows each round to those who watch', async () => {
    const { outcome } = await iterate({ v: firm('a'), w: joins('b'), x: firm('a') });
    const tallies = outcome.record.entries.filter(({ kind }) => kind === 'emit');
    expect(tallies).toMatchObject([
      { name: 'tally', facts: { round: 1, first: 'a', cast: 3 } },
      { name: 'tally', facts: { round: 2, first: 'a', cast: 3 } },
      { name: 'tally', facts: { round: 3, first: 'a', cast: 3 } },
    ]);
  });

  it('takes any rule with its own fields, and refuses others', () => {
    const spec = { question: 'q', options: ['a'], rule: 'supermajority', threshold: '3/4' };
    const once = iterativeVote.parseSpec(spec);
    expect(once).toMatchObject({
      ok: true,
      value: { threshold: '3/4', until: 'stable', rounds: 10 },
    });
    expect(once.ok && iterativeVote.parseSpec(once.value)).toEqual(once);
    expect(iterativeVote.parseSpec({ ...spec, rule: 'schulze' })).toEqual({
      ok: false,
      reason: 'unknown field "threshold"',
    });
    expect(iterativeVote.parseSpec({ ...spec, rounds: 101 })).toMatchObject({ ok: false });
    expect(iterativeVote.parseSpec({ ...spec, rule: 'dictator' })).toMatchObject({ ok: false });
    expect(iterativeVote.parseSpec({ ...spec, until: 'bored' })).toMatchObject({ ok: false });
    expect(iterativeVote.parseSpec('q')).toMatchObject({ ok: false });
  });
});

const region = { name: 'north', members: ['a', 'b', 'c'] };
const other = { name: 'south', members: ['d', 'e', 'f'] };

function inGroups(
  votes: Readonly<Record<string, string>>,
  spec: Partial<HierarchicalSpec> = {},
  tie: TieRule = 'seeded',
): Promise<Sat<HierarchicalResult>> {
  return sit(hierarchicalVote, {
    spec: { question: 'q', options: ['x', 'y', 'z'], groups: [region, other], ...spec },
    roster: Object.keys(votes),
    options: { tie },
    answer: ({ to }) => (votes[to] === 'silent' ? 'silent' : { body: { single: votes[to] } }),
  });
}

describe('a vote in groups', () => {
  const votes = { a: 'x', b: 'x', c: 'y', d: 'y', e: 'y', f: 'y', g: 'x' };

  it('hands on every vote, and comes to what a vote without groups does', async () => {
    const { outcome } = await inGroups(votes);
    expect(outcome.result).toEqual({
      question: 'q',
      winner: 'y',
      winners: ['y'],
      tally: [
        { option: 'x', score: 3 },
        { option: 'y', score: 4 },
        { option: 'z', score: 0 },
      ],
      weight: { roster: 7, replies: 7, cast: 7 },
      groups: [
        {
          name: 'north',
          winner: 'x',
          tally: [
            { option: 'x', score: 2 },
            { option: 'y', score: 1 },
            { option: 'z', score: 0 },
          ],
        },
        {
          name: 'south',
          winner: 'y',
          tally: [
            { option: 'x', score: 0 },
            { option: 'y', score: 3 },
            { option: 'z', score: 0 },
          ],
        },
      ],
    });
  });

  it('that hands on winners gives each group all of its votes, and may turn a majority round', async () => {
    const { outcome } = await inGroups(votes, { forward: 'winner' });
    // North's three for x, south's three for y, and g alone decides.
    expect(outcome.result?.tally.map(({ score }) => score)).toEqual([4, 3, 0]);
    expect(outcome.result?.winner).toBe('x');
  });

  it('gives who is silent no vote in either way', async () => {
    for (const forward of ['tally', 'winner'] as const) {
      const { outcome } = await inGroups({ ...votes, c: 'silent', d: 'silent' }, { forward });
      expect(outcome.result?.weight).toEqual({ roster: 7, replies: 5, cast: 5 });
      expect(outcome.result?.tally.reduce((sum, { score }) => sum + score, 0)).toBe(5);
      // Three of seven are no majority of the roster.
      expect(outcome.status).toBe('no_deal');
    }
  });

  it('hands on a group that is tied as its votes are, when ties are only reported', async () => {
    const { outcome } = await inGroups({ a: 'x', b: 'y', g: 'y' }, { forward: 'winner' }, 'report');
    expect(outcome.result?.groups[0]).not.toHaveProperty('winner');
    expect(outcome.result?.winner).toBe('y');
  });

  it('may have groups in groups', async () => {
    const groups = [{ name: 'all', members: ['g'], groups: [region, other] }];
    const { outcome } = await inGroups(votes, { groups, forward: 'winner' });
    expect(outcome.result?.groups.map(({ name, winner }) => `${name} ${winner}`)).toEqual([
      'north x',
      'south y',
      'all x',
    ]);
    expect(outcome.result?.tally.map(({ score }) => score)).toEqual([7, 0, 0]);
  });

  it('loses no vote, whatever the groups are', async () => {
    const ballots = fc.array(fc.constantFrom('x', 'y', 'z', 'silent'), {
      minLength: 1,
      maxLength: 8,
    });
    const places = fc.array(fc.nat(3), { minLength: 8, maxLength: 8 });
    const forwards = fc.constantFrom('tally' as const, 'winner' as const);
    await fc.assert(
      fc.asyncProperty(ballots, places, forwards, async (said, where, forward) => {
        const all = Object.fromEntries(said.map((vote, index) => [`v${index}`, vote]));
        const groups = [0, 1, 2].map((group) => ({
          name: `g${group}`,
          members: Object.keys(all).filter((_, index) => where[index] === group),
        }));
        const { outcome } = await inGroups(all, { groups, forward, rule: 'plurality' });
        const cast = said.filter((vote) => vote !== 'silent').length;
        expect(outcome.result?.tally.reduce((sum, { score }) => sum + score, 0)).toBe(cast);
        if (forward === 'winner') return;
        const flat = await sit(pluralityVote, {
          spec: { question: 'q', options: ['x', 'y', 'z'] },
          roster: Object.keys(all),
          answer: ({ to }) => (all[to] === 'silent' ? 'silent' : { body: { single: all[to] } }),
        });
        expect(outcome.result?.winners).toEqual(flat.outcome.result?.winners);
        expect(outcome.result?.tally).toEqual(flat.outcome.result?.tally);
        expect(outcome.status).toBe(flat.outcome.status);
      }),
    );
  });

  it.each([
    ['a member in two', [region, { name: 'x', members: ['a'] }], 'members: "a" is in two groups'],
    ['a name twice', [region, { name: 'north' }], 'groups: "north" stands there twice'],
    ['no name', [{ members: [] }], 'groups: expected a name of 1 to 256 characters, got undefined'],
    ['something else', [{ name: 'x', weight: 3 }], 'groups: unknown field "weight"'],
    ['no groups at all', 7, 'groups: expected at most 1000 groups, got 7'],
    [
      'a million',
      Array.from({ length: 1_000_000 }),
      'groups: expected at most 1000 groups, got an array of 1000000',
    ],
  ])('refuses %s', (_what, groups, reason) => {
    expect(hierarchicalVote.parseSpec({ question: 'q', options: ['x'], groups })).toEqual({
      ok: false,
      reason,
    });
  });

  it('refuses groups that are too deep, however deep', () => {
    let group: unknown = { name: 'bottom' };
    for (let depth = 0; depth < 10_000; depth++)
      group = { name: `level ${depth}`, groups: [group] };
    expect(hierarchicalVote.parseSpec({ question: 'q', options: ['x'], groups: [group] })).toEqual({
      ok: false,
      reason: 'groups: expected at most 16 levels',
    });
  });

  it('accepts again what it has read', () => {
    const once = hierarchicalVote.parseSpec({ question: 'q', options: ['x'], groups: [region] });
    expect(once.ok && hierarchicalVote.parseSpec(once.value)).toEqual(once);
    expect(majorityVote.parseSpec(once.ok ? once.value : 0).ok).toBe(false);
  });
});
