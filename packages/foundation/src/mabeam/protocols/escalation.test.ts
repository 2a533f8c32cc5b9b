import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId, CoordinationRequest } from '../message.ts';
import { verify } from '../verify.ts';
import { readyReplies } from './conflict-ready.ts';
import { escalation, type EscalationResult } from './escalation.ts';

type Answers = (request: CoordinationRequest) => object | Scripted;

function isScripted(answer: object | Scripted): answer is Scripted {
  return (
    typeof answer === 'string' || 'body' in answer || 'decline' in answer || 'equivocate' in answer
  );
}

function resolve(
  who: Readonly<Record<AgentId, Answers>>,
  terms: object = {},
): Promise<Sat<EscalationResult>> {
  return sit(escalation, {
    spec: { resource: 'gpus', supply: 10, levels: [['lead'], ['x', 'y', 'z']], ...terms },
    roster: Object.keys(who),
    answer(request) {
      const answer = who[request.to]?.(request) ?? 'silent';
      return isScripted(answer) ? answer : { body: answer };
    },
  });
}

const claims =
  (units: number): Answers =>
  () => ({ units });
const rules =
  (shares: Readonly<Record<AgentId, number>>): Answers =>
  () => ({ shares });
const passes: Answers = () => ({ decline: 'not mine to decide' });
const greedy = { a: claims(7), b: claims(8) };
const panel = { x: passes, y: passes, z: passes };

const asked = ({ sent }: Sat<unknown>): readonly string[] =>
  sent.map(({ type, to }) => `${type} ${to}`);

describe('a conflict that escalates', () => {
  it('is none while there is enough', async () => {
    const sat = await resolve({ a: claims(7), b: claims(3), lead: passes, ...panel });
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result).toEqual({
      resource: 'gpus',
      supply: 10,
      claims: [
        { agent: 'a', units: 7 },
        { agent: 'b', units: 3 },
      ],
      shares: [
        { agent: 'a', units: 7 },
        { agent: 'b', units: 3 },
      ],
      level: 0,
      by: ['a', 'b'],
      rulings: [],
    });
    expect(asked(sat)).toEqual(['get_claim a', 'get_claim b', 'allocation a', 'allocation b']);
  });

  it('is settled by claimants who claim less when they see all claims', async () => {
    const yielding = { a: readyReplies.yieldFrom(7), b: readyReplies.yieldFrom(8) };
    const sat = await resolve({ ...yielding, lead: passes, ...panel });
    expect(sat.outcome.result).toMatchObject({
      level: 0,
      shares: [
        { agent: 'a', units: 4 },
        { agent: 'b', units: 5 },
      ],
    });
    const again = sat.sent.findLast(({ type }) => type === 'get_claim');
    expect(again?.body).toEqual({
      resource: 'gpus',
      supply: 10,
      claims: [
        { agent: 'a', units: 7 },
        { agent: 'b', units: 8 },
      ],
    });
    const never = await resolve({ ...yielding, lead: passes, ...panel }, { settling: 0 });
    expect(never.outcome.status).toBe('no_deal');
    expect(never.sent.filter(({ type }) => type === 'get_claim')).toHaveLength(2);
  });

  it('goes to the first level by message, and is decided there', async () => {
    const sat = await resolve({ ...greedy, lead: rules({ a: 6, b: 4 }), ...panel });
    expect(sat.outcome.result).toMatchObject({
      level: 1,
      by: ['lead'],
      shares: [
        { agent: 'a', units: 6 },
        { agent: 'b', units: 4 },
      ],
      rulings: [{ level: 1, agent: 'lead' }],
    });
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'won', lead: 'won' });
    const ruling = sat.sent.find(({ type }) => type === 'get_ruling');
    expect(ruling).toMatchObject({
      to: 'lead',
      body: {
        resource: 'gpus',
        supply: 10,
        level: 1,
        claims: [
          { agent: 'a', units: 7 },
          { agent: 'b', units: 8 },
        ],
      },
    });
  });

  it.each([
    ['declines', passes, 'declined'],
    ['is silent', () => 'silent' as const, 'silent'],
    ['is dead', () => 'dead' as const, 'silent'],
    ['gives more than there is', rules({ a: 7, b: 8 }), 'invalid'],
    ['gives more than was claimed', rules({ a: 8 }), 'invalid'],
    ['gives to strangers', rules({ lead: 1 }), 'invalid'],
  ] as const)('goes to the next level when the first %s', async (_what, lead, reason) => {
    const same = rules({ b: 8, a: 2 });
    const sat = await resolve({ ...greedy, lead, x: same, y: passes, z: same });
    expect(sat.outcome.result).toMatchObject({
      level: 2,
      by: ['x', 'z'],
      shares: [
        { agent: 'a', units: 2 },
        { agent: 'b', units: 8 },
      ],
    });
    expect(sat.outcome.reasons).toMatchObject({ lead: reason, x: 'won', y: 'declined', z: 'won' });
    expect(verify(escalation, sat.outcome)).toEqual([]);
  });

  it('needs more than half of a level of one mind', async () => {
    const [one, other] = [rules({ a: 7 }), rules({ b: 8 })];
    const levels = [['w', 'x', 'y', 'z']];
    const split = await resolve({ ...greedy, w: one, x: one, y: other, z: other }, { levels });
    expect(split.outcome).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'not_eligible', b: 'not_eligible', w: 'outbid', z: 'outbid' },
    });
    expect(split.outcome.result?.shares).toBeUndefined();
    expect(split.outcome.result?.level).toBeUndefined();
    const told = split.sent.filter(({ type }) => type === 'unresolved');
    expect(told.map(({ to }) => to)).toEqual(['a', 'b']);
    const most = await resolve({ ...greedy, w: one, x: one, y: one, z: other }, { levels });
    expect(most.outcome.result).toMatchObject({ level: 1, by: ['w', 'x', 'y'] });
    expect(most.outcome.reasons).toMatchObject({ a: 'won', b: 'outbid', w: 'won', z: 'outbid' });
  });

  it('lets nobody claim more when it should settle, and keeps the claim of who is silent', async () => {
    const raises: Answers = ({ body }) => ({ units: Object(body).claims === undefined ? 7 : 9 });
    const mute: Answers = ({ body }) =>
      Object(body).claims === undefined ? { units: 8 } : 'silent';
    const lead = readyReplies.ruleBy('proportion');
    const sat = await resolve({ a: raises, b: mute, lead, ...panel });
    expect(sat.outcome.result?.claims).toEqual([
      { agent: 'a', units: 7 },
      { agent: 'b', units: 8 },
    ]);
    // 4 2/3 and 5 1/3.
    expect(sat.outcome.result?.shares?.map(({ units }) => units)).toEqual([5, 5]);
  });

  it('refuses levels of others than members of the roster', async () => {
    const { outcome } = await resolve({ a: claims(1), lead: passes });
    expect(outcome).toMatchObject({ status: 'failed', detail: 'levels: x is not in the roster' });
  });
});

describe('laws of a conflict that escalates', () => {
  it('never gives more than was claimed or is there, and says truly who decided', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
        fc.array(fc.record({ a0: fc.nat(9), a1: fc.nat(9) }), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 0, max: 2 }),
        async (units, shares, settling) => {
          const claimants = Object.fromEntries(units.map((each, at) => [`a${at}`, claims(each)]));
          const [lead, x, y, z] = shares.map(rules);
          if (!lead || !x || !y || !z) return;
          const { outcome } = await resolve({ ...claimants, lead, x, y, z: x }, { settling });
          expect(verify(escalation, outcome)).toEqual([]);
          const { shares: given = [], claims: made = [] } = outcome.result ?? {};
          expect(given.reduce((sum, each) => sum + each.units, 0)).toBeLessThanOrEqual(10);
          const claimed = new Map(made.map((claim) => [claim.agent, claim.units]));
          expect(given.every((each) => each.units <= (claimed.get(each.agent) ?? 0))).toBe(true);
        },
      ),
      { numRuns: 60 },
    ));

  it('finds out what was changed afterwards', async () => {
    const { outcome } = await resolve({ ...greedy, lead: rules({ a: 6, b: 4 }), ...panel });
    const { result, record } = outcome;
    const spec = escalation.parseSpec(record.setup.spec);
    if (result === undefined || !spec.ok) throw new Error('no result');
    const problems = (changes: Partial<EscalationResult>): readonly string[] => {
      const claim = { ...outcome, roster: record.setup.roster, result: { ...result, ...changes } };
      return escalation.verify?.(spec.value, claim) ?? [];
    };
    expect(problems({})).toEqual([]);
    expect(
      problems({
        shares: [
          { agent: 'a', units: 7 },
          { agent: 'b', units: 3 },
        ],
      }),
    ).not.toEqual([]);
    expect(problems({ level: 2 })).not.toEqual([]);
    expect(problems({ level: 0 })).not.toEqual([]);
    expect(problems({ by: ['x'] })).not.toEqual([]);
    expect(problems({ rulings: [] })).not.toEqual([]);
    const { shares = [] } = result;
    const minority = { level: 2, by: ['x'], rulings: [{ level: 2, agent: 'x', shares }] };
    expect(problems(minority)).toEqual(['not more than half of level 2 have ruled so']);
  });
});

describe('what an escalation is given', () => {
  it('is refused with the name of what is wrong', () => {
    const refused = (changes: object): string => {
      const spec = escalation.parseSpec({ resource: 'r', levels: [['lead']], ...changes });
      return spec.ok ? 'accepted' : spec.reason;
    };
    expect(refused({})).toBe('accepted');
    expect(refused({ levels: [] })).toContain('levels: expected 1 to 10 levels');
    expect(refused({ levels: [[]] })).toContain('levels[0]: expected 1 to 100 ids');
    expect(refused({ levels: [['a', 'a']] })).toContain('levels[0]: expected different ids');
    expect(refused({ levels: [['a', 1]] })).toContain('levels[0]: expected different ids');
    expect(refused({ settling: 11 })).toContain('settling');
    expect(refused({ rulingMs: 0 })).toContain('rulingMs');
    expect(refused({ priorities: {} })).toBe('unknown field "priorities"');
    const ruling = (body: unknown): boolean => escalation.parseReply('get_ruling', body).ok;
    expect(ruling({ shares: { a: 1 } })).toBe(true);
    expect([{}, { shares: { a: -1 } }, { shares: {}, why: 1 }, { shares: [] }].some(ruling)).toBe(
      false,
    );
    expect(() => readyReplies.ruleBy('whim')).toThrow('expected proportion');
    expect(() => readyReplies.yieldFrom('3')).toThrow('expected a whole number');
  });
});
