import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId, CoordinationRequest } from '../message.ts';
import type { TieRule } from '../protocol.ts';
import { verify } from '../verify.ts';
import type { ConcessionMove } from './monotonic-concession-questions.ts';
import type { MonotonicConcessionResult } from './monotonic-concession-terms.ts';
import { monotonicConcession } from './monotonic-concession.ts';
import { readyReplies } from './negotiation-ready.ts';

type Negotiator = (request: CoordinationRequest) => object | Scripted;

const price = { issues: { price: { from: 0n, to: 200n } } };

function bargain(
  who: Readonly<Record<AgentId, Negotiator>>,
  { tie = 'lexicographic', ...terms }: { tie?: TieRule; rounds?: number; issues?: object } = {},
): Promise<Sat<MonotonicConcessionResult>> {
  return sit(monotonicConcession, {
    spec: { subject: 'a van', ...price, roundMs: 100, ...terms },
    roster: Object.keys(who),
    options: { tie },
    answer(request) {
      const move = who[request.to]?.(request) ?? 'silent';
      if (typeof move === 'string') return move;
      return 'act' in move ? { body: move } : { decline: 'enough' };
    },
  });
}

const offers = (amount: bigint): ConcessionMove => ({ act: 'offer', offer: { price: amount } });
const accepts = (...of: readonly AgentId[]): ConcessionMove => ({ act: 'accept', of });
const stands: ConcessionMove = { act: 'stand' };
/** One move a round. */
const plays =
  (...moves: readonly (object | Scripted)[]): Negotiator =>
  ({ round }) =>
    moves[round - 1] ?? stands;
const goes = (from: bigint, to: bigint): Negotiator =>
  readyReplies.concede({ from: String(from), to: String(to) });

describe('a negotiation by monotonic concession', () => {
  it('ends with an offer that is at least as good for the other as its own', async () => {
    const { outcome, sent } = await bargain({
      ada: plays(offers(100n), offers(90n), stands),
      bob: plays(offers(60n), offers(80n), accepts('ada')),
    });
    expect(outcome.status).toBe('decided');
    expect(outcome.result).toEqual({
      subject: 'a van',
      agreement: { round: 2, by: 'ada', offer: { price: 90n } },
      offers: [
        { round: 1, by: 'ada', offer: { price: 100n } },
        { round: 1, by: 'bob', offer: { price: 60n } },
        { round: 2, by: 'ada', offer: { price: 90n } },
        { round: 2, by: 'bob', offer: { price: 80n } },
      ],
      rounds: 3,
    });
    expect(outcome.reasons).toEqual({ ada: 'won', bob: 'won' });
    const tables = sent.filter(({ type, to }) => type === 'concede' && to === 'ada');
    expect(tables.map(({ body }) => Object(body).table)).toEqual([
      [],
      [
        { by: 'ada', offer: { price: 100n }, acceptedBy: [] },
        { by: 'bob', offer: { price: 60n }, acceptedBy: [] },
      ],
      [
        { by: 'ada', offer: { price: 90n }, acceptedBy: [] },
        { by: 'bob', offer: { price: 80n }, acceptedBy: [] },
      ],
    ]);
    const told = sent.filter(({ type }) => type === 'agreement');
    expect(told.map(({ to }) => to)).toEqual(['ada', 'bob']);
    expect(told[0]?.body).toMatchObject({ by: 'ada', offer: { price: 90n } });
  });

  it('is a conflict as soon as nobody moves', async () => {
    const { outcome } = await bargain({
      ada: plays(offers(100n), offers(90n)),
      bob: plays(offers(60n)),
    });
    expect(outcome.status).toBe('no_deal');
    expect(outcome.result).toMatchObject({
      breakdown: { round: 3, cause: 'conflict', by: [] },
      rounds: 3,
    });
    expect(outcome.reasons).toEqual({ ada: 'not_eligible', bob: 'not_eligible' });
  });

  it('goes on while one of them concedes, until the rounds are over', async () => {
    const firm = plays(offers(200n));
    const { outcome } = await bargain({ ada: firm, bob: goes(0n, 100n) }, { rounds: 4 });
    expect(outcome.result).toMatchObject({ breakdown: { round: 4, cause: 'rounds' } });
    const own = outcome.result?.offers.filter(({ by }) => by === 'bob');
    expect(own?.map(({ offer }) => offer['price'])).toEqual([0n, 34n, 68n, 100n]);
  });

  it.each([
    ['back where it came from', [offers(60n), offers(70n), offers(60n)]],
    ['back on the way it took', [offers(60n), offers(70n), offers(65n)]],
    ['the same again', [offers(60n), offers(60n)]],
    ['out of the question', [offers(201n)]],
    ['an acceptance of its own', [offers(60n), accepts('bob')]],
    ['an acceptance of nothing', [accepts('ada')]],
  ])('breaks down by who offers %s', async (_what, moves) => {
    const ada = plays(offers(190n), offers(180n), offers(170n), offers(160n));
    const { outcome } = await bargain({ ada, bob: plays(...moves) });
    expect(outcome.result?.breakdown).toEqual({
      round: moves.length,
      cause: 'impossible',
      by: ['bob'],
    });
    expect(outcome.reasons).toEqual({ ada: 'not_eligible', bob: 'invalid' });
    expect(verify(monotonicConcession, outcome)).toEqual([]);
  });

  it.each([
    ['ended', { act: 'end' }, 'declined'],
    ['ended', { decline: 'enough' }, 'declined'],
    ['timeout', 'silent', 'silent'],
    ['down', 'dead', 'silent'],
    ['invalid', 'garbage', 'invalid'],
  ] as const)('breaks down by who is at fault (%s)', async (cause, move, reason) => {
    const { outcome } = await bargain({
      ada: plays(offers(1n)),
      bob: plays(move),
      cleo: plays('dead'),
    });
    expect(outcome.status).toBe('no_deal');
    expect(outcome.result?.breakdown).toMatchObject({ round: 1, cause });
    expect(outcome.result?.breakdown?.by).toContain('bob');
    expect(outcome.reasons).toEqual({ ada: 'not_eligible', bob: reason, cleo: 'silent' });
  });

  it('among three takes the acceptance of both others, also one after the other', async () => {
    const { outcome } = await bargain({
      ada: plays(offers(100n), stands, accepts('cleo')),
      bob: plays(offers(80n), accepts('cleo'), stands),
      cleo: plays(offers(70n), stands, stands),
    });
    expect(outcome.result).toMatchObject({ agreement: { by: 'cleo', round: 1 }, rounds: 3 });
    const conceded = await bargain({
      ada: plays(offers(100n), stands, accepts('cleo')),
      bob: plays(offers(80n), accepts('cleo'), stands),
      cleo: plays(offers(70n), offers(75n), stands),
    });
    // Who had accepted is free again: it was another offer.
    expect(conceded.outcome.result?.agreement).toBeUndefined();
  });

  it('takes what was on the table when two accept each other, by the tie rule', async () => {
    const who = {
      b: plays(offers(100n), accepts('a')),
      a: plays(offers(60n), accepts('b')),
    };
    const { outcome } = await bargain(who);
    expect(outcome.result?.agreement).toMatchObject({ by: 'a', offer: { price: 60n } });
    expect(outcome.tie).toEqual({ among: ['a', 'b'], rule: 'lexicographic' });
    const reported = await bargain(who, { tie: 'report' });
    expect(reported.outcome).toMatchObject({
      status: 'tied',
      reasons: { a: 'tie_lost', b: 'tie_lost' },
    });
    expect(verify(monotonicConcession, reported.outcome)).toEqual([]);
  });

  it('is about several issues, where only what was offered is not offered again', async () => {
    const issues = { price: { from: '0', to: '9' }, colour: { options: ['red', 'blue'] } };
    const deal = (amount: string, colour: string): ConcessionMove => ({
      act: 'offer',
      offer: { price: amount, colour },
    });
    const { outcome } = await bargain(
      {
        ada: plays(deal('9', 'red'), deal('7', 'red'), deal('8', 'blue')),
        bob: plays(deal('1', 'blue'), stands, stands, accepts('ada')),
      },
      { issues },
    );
    expect(outcome.result?.agreement?.offer).toEqual({ price: 8n, colour: 'blue' });
  });

  // O15
  it('has no field that is the same whatever the participants do', async () => {
    const [one, other] = await Promise.all([
      bargain({ ada: plays(offers(100n)), bob: plays(offers(2n), accepts('ada')) }),
      bargain({ ada: plays(offers(90n)), bob: plays(offers(3n)) }, { rounds: 1 }),
    ]);
    for (const field of ['agreement', 'breakdown', 'offers', 'rounds'] as const) {
      expect(one.outcome.result?.[field], field).not.toEqual(other.outcome.result?.[field]);
    }
    expect(one.outcome.status).not.toBe(other.outcome.status);
  });
});

describe('laws of monotonic concession', () => {
  const amounts = fc.bigInt({ min: 0n, max: 60n });
  const limits = fc.array(fc.record({ from: amounts, to: amounts }), {
    minLength: 2,
    maxLength: 4,
  });

  it('agrees on what each can accept, and nobody takes anything back', () =>
    fc.assert(
      fc.asyncProperty(limits, fc.integer({ min: 1, max: 12 }), async (all, rounds) => {
        const who = Object.fromEntries(all.map(({ from, to }, at) => [`n${at}`, goes(from, to)]));
        const { outcome } = await bargain(who, { rounds });
        expect(verify(monotonicConcession, outcome)).toEqual([]);
        expect(outcome.result?.breakdown?.cause).not.toBe('impossible');
        const agreed = outcome.result?.agreement?.offer['price'];
        for (const { from, to } of all) {
          const own = typeof agreed === 'bigint' ? agreed : to;
          expect(from > to ? own >= to : from < to ? own <= to : own === to).toBe(true);
        }
      }),
      { numRuns: 50 },
    ));

  it('comes to a deal between two whose limits leave room for one', () =>
    fc.assert(
      fc.asyncProperty(
        amounts,
        amounts,
        fc.integer({ min: 2, max: 12 }),
        async (one, two, rounds) => {
          const [low, high] = one < two ? [one, two] : [two, one];
          const { outcome } = await bargain(
            { s: goes(60n, low), b: goes(0n, high) },
            { rounds: rounds + 1 },
          );
          // The last step of one of them may come in the last round, and be accepted in no later one.
          const step = 60n / BigInt(rounds) + 1n;
          expect(outcome.status === 'decided' || high - low <= step).toBe(true);
        },
      ),
      { numRuns: 50 },
    ));

  it('comes to a deal among more than two, who accept what suits them and go on', async () => {
    const [seller, buyer] = [goes(20n, 10n), goes(0n, 12n)];
    const { outcome } = await bargain({ s: seller, t: seller, b: buyer, c: buyer }, { rounds: 10 });
    expect(outcome.result?.agreement).toEqual({ round: 5, by: 's', offer: { price: 12n } });
    expect(outcome.tie?.among).toEqual(['s', 't']);
  });

  it('rewards who pretends to a worse limit, as its traits say', async () => {
    expect(monotonicConcession.traits.dominantStrategyTruthful).toBe(false);
    const priceWith = async (low: bigint): Promise<unknown> => {
      const who = { seller: goes(200n, low), buyer: goes(0n, 150n) };
      return (await bargain(who, { rounds: 10 })).outcome.result?.agreement?.offer['price'];
    };
    expect(Number(await priceWith(100n))).toBeGreaterThan(Number(await priceWith(20n)));
  });

  it('finds out what was changed afterwards', async () => {
    const { outcome } = await bargain({ ada: goes(100n, 40n), bob: goes(0n, 80n) });
    const { result, record } = outcome;
    const spec = monotonicConcession.parseSpec(record.setup.spec);
    if (result?.agreement === undefined || !spec.ok) throw new Error('no agreement');
    const problems = (changes: Partial<MonotonicConcessionResult>): readonly string[] => {
      const claim = { ...outcome, roster: record.setup.roster, result: { ...result, ...changes } };
      return monotonicConcession.verify?.(spec.value, claim) ?? [];
    };
    const { agreement, offers: made } = result;
    expect(problems({})).toEqual([]);
    expect(problems({ agreement: { ...agreement, offer: { price: 1n } } })).not.toEqual([]);
    expect(problems({ breakdown: { round: 1, cause: 'conflict', by: [] } })).not.toEqual([]);
    expect(problems({ rounds: 1 })).not.toEqual([]);
    expect(problems({ offers: [...made, { ...agreement, by: 'eve' }] })).not.toEqual([]);
    expect(problems({ offers: [...made, ...made.slice(0, 1)] })).not.toEqual([]);
  });

  it('refuses what makes no sense, with the name of what is wrong', () => {
    const refused = (changes: object): string => {
      const spec = monotonicConcession.parseSpec({ subject: 's', ...price, ...changes });
      return spec.ok ? 'accepted' : spec.reason;
    };
    expect(refused({})).toBe('accepted');
    expect(refused({ subject: 1 })).toContain('subject');
    expect(refused({ rounds: 1_001 })).toContain('rounds: expected a whole number from 1 to 1000');
    expect(refused({ roundMs: 0 })).toContain('roundMs');
    expect(refused({ turns: 1 })).toBe('unknown field "turns"');
    const good = (body: unknown): boolean => monotonicConcession.parseReply('concede', body).ok;
    expect([stands, accepts('a'), offers(1n), { act: 'end', reason: 'x' }].every(good)).toBe(true);
    const bad = [
      { act: 'wait' },
      { act: 'accept', of: [] },
      { act: 'accept', of: 'a' },
      { act: 'stand', of: ['a'] },
      { act: 'offer' },
      { act: 'end', reason: 1 },
      1,
    ];
    expect(bad.some(good)).toBe(false);
  });
});
