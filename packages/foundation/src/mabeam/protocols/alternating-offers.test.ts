import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId, CoordinationRequest } from '../message.ts';
import { moveAtTurn } from '../negotiators.ts';
import { verify } from '../verify.ts';
import { type NegotiationMove, offerQuestion } from './alternating-offers-questions.ts';
import { alternatingOffers, type NegotiationResult } from './alternating-offers.ts';
import { readyReplies } from './negotiation-ready.ts';

type Negotiator = (request: CoordinationRequest) => object | Scripted;

const price = { issues: { price: { from: 0n, to: 200n } } };

function negotiate(
  who: Readonly<Record<AgentId, Negotiator>>,
  terms: object = {},
): Promise<Sat<NegotiationResult>> {
  return sit(alternatingOffers, {
    spec: { subject: 'a van', ...price, ...terms },
    roster: Object.keys(who),
    answer(request) {
      const move = who[request.to]?.(request) ?? 'silent';
      if (typeof move === 'string') return move;
      return 'act' in move ? { body: move } : { decline: 'too dear' };
    },
  });
}

const offers = (amount: bigint): NegotiationMove => ({ act: 'offer', offer: { price: amount } });
const accepts: NegotiationMove = { act: 'accept' };
/** Makes one move after the other. */
const plays = (...moves: readonly (NegotiationMove | Scripted)[]): Negotiator => {
  let next = 0;
  return () => moves[next++] ?? 'silent';
};
const goes = (from: bigint, to: bigint): Negotiator =>
  readyReplies.concede({ from: String(from), to: String(to) });

describe('a negotiation by turns', () => {
  it('ends with the offer that the other accepts', async () => {
    const { outcome, sent } = await negotiate({
      ada: plays(offers(100n), offers(80n)),
      bob: plays(offers(60n), accepts),
    });
    expect(outcome.status).toBe('decided');
    expect(outcome.result).toEqual({
      subject: 'a van',
      agreement: { turn: 3, by: 'ada', offer: { price: 80n } },
      offers: [
        { turn: 1, by: 'ada', offer: { price: 100n } },
        { turn: 2, by: 'bob', offer: { price: 60n } },
        { turn: 3, by: 'ada', offer: { price: 80n } },
      ],
      turns: 4,
    });
    expect(outcome.reasons).toEqual({ ada: 'won', bob: 'won' });
    expect(sent.map(({ type, to }) => `${type} ${to}`)).toEqual([
      'offer ada',
      'offer bob',
      'offer ada',
      'offer bob',
      'agreement ada',
      'agreement bob',
    ]);
    expect(sent[2]?.body).toEqual({
      subject: 'a van',
      ...price,
      turn: 3,
      turns: 100,
      standing: { by: 'bob', offer: { price: 60n }, acceptedBy: [] },
    });
    expect(sent[4]?.body).toEqual({
      subject: 'a van',
      turn: 3,
      by: 'ada',
      offer: { price: 80n },
    });
  });

  it('breaks down when the turns are used up', async () => {
    const { outcome, sent } = await negotiate(
      { ada: goes(100n, 90n), bob: goes(10n, 80n) },
      { turns: 5 },
    );
    expect(outcome.status).toBe('no_deal');
    expect(outcome.result).toMatchObject({ breakdown: { turn: 5, cause: 'turns' }, turns: 5 });
    expect(outcome.result?.agreement).toBeUndefined();
    expect(outcome.result?.offers.map(({ offer }) => offer['price'])).toEqual([
      100n,
      27n,
      95n,
      62n,
      90n,
    ]);
    expect(outcome.reasons).toEqual({ ada: 'not_eligible', bob: 'not_eligible' });
    expect(sent.filter(({ type }) => type === 'breakdown').map(({ to }) => to)).toEqual([
      'ada',
      'bob',
    ]);
  });

  it.each([
    ['ended', { act: 'end', reason: 'too dear' }, 'declined'],
    ['ended', { decline: 'too dear' }, 'declined'],
    ['timeout', 'silent', 'silent'],
    ['down', 'dead', 'silent'],
    ['invalid', 'garbage', 'invalid'],
    ['impossible', { act: 'offer', offer: { price: '201' } }, 'invalid'],
    ['impossible', { act: 'offer', offer: { price: 'cheap' } }, 'invalid'],
    ['impossible', { act: 'offer', offer: { price: '1', colour: 'red' } }, 'invalid'],
    ['impossible', { act: 'offer', offer: {} }, 'invalid'],
  ] as const)('breaks down by who is at fault (%s, %j)', async (cause, move, reason) => {
    const { outcome } = await negotiate({ ada: plays(offers(100n)), bob: plays(move) });
    expect(outcome.status).toBe('no_deal');
    expect(outcome.result?.breakdown).toMatchObject({ turn: 2, by: 'bob', cause });
    expect(outcome.result?.breakdown?.reason).toBe(cause === 'ended' ? 'too dear' : undefined);
    expect(outcome.reasons).toEqual({ ada: 'not_eligible', bob: reason });
    expect(verify(alternatingOffers, outcome)).toEqual([]);
  });

  it('takes no acceptance of nothing, and needs two', async () => {
    const { outcome } = await negotiate({ ada: plays(accepts), bob: plays(accepts) });
    expect(outcome.result?.breakdown).toEqual({ turn: 1, by: 'ada', cause: 'impossible' });
    const alone = await negotiate({ ada: plays(offers(1n)) });
    expect(alone.outcome).toMatchObject({ status: 'no_deal', result: { turns: 0 } });
  });

  it('among three takes the acceptance of both others, of the same offer', async () => {
    const { outcome, sent } = await negotiate({
      ada: plays(offers(100n), accepts),
      bob: plays(accepts, accepts),
      cleo: plays(offers(70n)),
    });
    expect(outcome.result).toMatchObject({
      agreement: { turn: 3, by: 'cleo', offer: { price: 70n } },
      turns: 5,
    });
    const asked = sent.filter(({ type }) => type === 'offer');
    expect(asked.map(({ to, body }) => [to, Object(body).standing?.acceptedBy])).toEqual([
      ['ada', undefined],
      ['bob', []],
      ['cleo', ['bob']],
      ['ada', []],
      ['bob', ['ada']],
    ]);
  });

  it('is about options, too, and about several issues', async () => {
    const issues = { price: { from: '0', to: '9' }, colour: { options: ['red', 'blue'] } };
    const deal = { price: '7', colour: 'blue' };
    const { outcome } = await negotiate(
      { ada: plays({ act: 'offer', offer: deal }), bob: plays(accepts) },
      { issues },
    );
    expect(outcome.result?.agreement?.offer).toEqual({ price: 7n, colour: 'blue' });
    const { outcome: other } = await negotiate(
      { ada: plays({ act: 'offer', offer: { ...deal, colour: 'green' } }), bob: plays(accepts) },
      { issues },
    );
    expect(other.result?.breakdown).toMatchObject({ by: 'ada', cause: 'impossible' });
  });

  // O15
  it('has no field that is the same whatever the participants do', async () => {
    const runs = await Promise.all([
      negotiate({ ada: plays(offers(100n)), bob: plays(accepts) }),
      negotiate(
        { cleo: plays(offers(90n)), dan: plays(offers(80n)), eve: plays({ act: 'end' }) },
        { subject: 'a bus' },
      ),
    ]);
    const [one, other] = runs.map(({ outcome }) => outcome);
    for (const field of ['subject', 'agreement', 'breakdown', 'offers', 'turns'] as const) {
      expect(one?.result?.[field], field).not.toEqual(other?.result?.[field]);
    }
    expect(one?.status).not.toBe(other?.status);
  });
});

describe('laws of a negotiation by turns', () => {
  const amounts = fc.bigInt({ min: 0n, max: 200n });
  const concessions = fc.array(fc.record({ from: amounts, to: amounts }), {
    minLength: 2,
    maxLength: 4,
  });

  it('agrees on what was offered last, and is within what each can accept', () =>
    fc.assert(
      fc.asyncProperty(concessions, fc.integer({ min: 1, max: 12 }), async (all, turns) => {
        const who = Object.fromEntries(
          all.map(({ from, to }, seat) => [`n${seat}`, goes(from, to)]),
        );
        const { outcome } = await negotiate(who, { turns });
        expect(verify(alternatingOffers, outcome)).toEqual([]);
        const { agreement, offers: made = [], turns: taken = 0 } = outcome.result ?? {};
        expect(taken).toBeLessThanOrEqual(turns);
        const agreed = agreement?.offer['price'];
        expect(agreement).toEqual(agreement && made.at(-1));
        for (const { from, to } of all) {
          const own = typeof agreed === 'bigint' ? agreed : to;
          expect(from > to ? own >= to : from < to ? own <= to : own === to).toBe(true);
        }
      }),
      { numRuns: 60 },
    ));

  it('comes to a deal where the last of each leaves room for one', () =>
    fc.assert(
      fc.asyncProperty(
        amounts,
        amounts,
        fc.integer({ min: 2, max: 12 }),
        async (one, two, turns) => {
          // Who has the last turn can accept whatever the other has offered the turn before, if that is all it can.
          const [low, high] = one < two ? [one, two] : [two, one];
          const { outcome } = await negotiate(
            { seller: goes(200n, low), buyer: goes(0n, high) },
            { turns: 2 * turns },
          );
          const isWide = high - low >= 200n / BigInt(2 * turns - 1) + 1n;
          expect(outcome.status === 'decided' || !isWide).toBe(true);
        },
      ),
      { numRuns: 60 },
    ));

  it('rewards who pretends to a worse limit, as its traits say', async () => {
    expect(alternatingOffers.traits.dominantStrategyTruthful).toBe(false);
    const priceWith = async (low: bigint): Promise<unknown> => {
      const who = { seller: goes(200n, low), buyer: goes(0n, 150n) };
      return (await negotiate(who, { turns: 10 })).outcome.result?.agreement?.offer['price'];
    };
    expect(Number(await priceWith(100n))).toBeGreaterThan(Number(await priceWith(20n)));
  });

  it('finds out what was changed afterwards', async () => {
    const { outcome } = await negotiate({ ada: goes(100n, 40n), bob: goes(0n, 80n) });
    const { result, record } = outcome;
    if (result?.agreement === undefined) throw new Error('no agreement');
    const spec = alternatingOffers.parseSpec(record.setup.spec);
    if (!spec.ok) throw new Error(spec.reason);
    const problems = (changes: Partial<NegotiationResult>): readonly string[] => {
      const claim = { ...outcome, roster: record.setup.roster, result: { ...result, ...changes } };
      return alternatingOffers.verify?.(spec.value, claim) ?? [];
    };
    const { agreement } = result;
    expect(problems({})).toEqual([]);
    expect(problems({ agreement: { ...agreement, offer: { price: 1n } } })).not.toEqual([]);
    expect(problems({ turns: agreement.turn })).not.toEqual([]);
    expect(problems({ breakdown: { turn: 1, cause: 'turns' } })).not.toEqual([]);
    const [first, ...rest] = result.offers;
    if (first === undefined) throw new Error('no offer');
    expect(problems({ offers: [{ ...first, by: 'bob' }, ...rest] })).not.toEqual([]);
    expect(problems({ offers: [{ ...first, offer: { price: 999n } }, ...rest] })).not.toEqual([]);
  });
});

describe('what a negotiation is given', () => {
  it('is refused with the name of what is wrong', () => {
    const refused = (changes: object): string => {
      const spec = alternatingOffers.parseSpec({ subject: 's', ...price, ...changes });
      return spec.ok ? 'accepted' : spec.reason;
    };
    expect(refused({})).toBe('accepted');
    expect(refused({ subject: '' })).toContain('subject');
    expect(refused({ round: 1 })).toBe('unknown field "round"');
    expect(refused({ issues: {} })).toContain('issues: expected 1 to 20');
    expect(refused({ issues: { price: { from: 2n, to: 1n } } })).toContain('issues.price');
    expect(refused({ issues: { price: { from: 2n, to: 3n, by: 1n } } })).toContain(
      'unknown field "by"',
    );
    expect(refused({ issues: { colour: { options: ['red', 'red'] } } })).toContain('twice');
    const many = Array.from({ length: 1e6 }, (_, index) => `${index}`);
    expect(refused({ issues: { colour: { options: many } } })).toContain(
      'expected 1 to 1000 texts',
    );
    expect(refused({ turns: 0 })).toContain('turns: expected a whole number from 1 to 10000');
    expect(refused({ turnMs: 0.5 })).toContain('turnMs');
  });

  it('is refused where a move makes no sense', () => {
    const refused = (body: unknown): string => {
      const reply = alternatingOffers.parseReply('offer', body);
      return reply.ok ? 'accepted' : reply.reason;
    };
    expect(refused({ act: 'accept' })).toBe('accepted');
    expect(refused({ act: 'agree' })).toContain('expected accept, offer or end');
    expect(refused({ act: 'accept', offer: {} })).toContain('unknown field "offer" of accept');
    expect(refused({ act: 'offer' })).toContain('body.offer');
    expect(refused({ act: 'offer', offer: { price: 1 } })).toContain('body.offer.price');
    expect(refused({ act: 'end', reason: 1 })).toContain('body.reason');
  });

  it('is accepted by a ready negotiator only from its own next offer on', () => {
    const at = (theirs: bigint, how: { from: bigint; to: bigint }): string =>
      moveAtTurn(
        {
          subject: 's',
          issues: { price: { from: 0n, to: 200n } },
          turn: 2,
          turns: 5,
          standing: { by: 'b', offer: { price: theirs }, acceptedBy: [] },
        },
        how,
      ).act;
    // A seller's own offer would be 90, a buyer's 50.
    const [seller, buyer] = [
      { from: 100n, to: 60n },
      { from: 40n, to: 80n },
    ];
    expect([at(89n, seller), at(90n, seller)]).toEqual(['offer', 'accept']);
    expect([at(51n, buyer), at(50n, buyer)]).toEqual(['offer', 'accept']);
    expect([at(51n, { from: 50n, to: 50n }), at(50n, { from: 50n, to: 50n })]).toEqual([
      'offer',
      'accept',
    ]);
  });

  it('is no use to a ready negotiator unless it is about one amount', () => {
    const asked = { subject: 's', turn: 1, turns: 2 };
    const [from, to] = [5n, 9n];
    expect(moveAtTurn({ ...asked, issues: { a: { options: ['x'] } } }, { from, to }).act).toBe(
      'end',
    );
    expect(moveAtTurn({ ...asked, issues: { a: { from: 7n, to: 8n } } }, { from, to })).toEqual({
      act: 'offer',
      offer: { a: 7n },
    });
    expect(() => readyReplies.concede('5')).toThrow('expected { from, to }');
    expect(offerQuestion.type).toBe('offer');
  });
});
