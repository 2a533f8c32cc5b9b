import { sit, type Sat, type Scripted, type Sitting } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { participant } from '../participant.ts';
import { verify } from '../verify.ts';
import { ausubelAuction } from './ausubel-auction.ts';
import type { AusubelResult } from './ausubel-clock.ts';
import { marginalsMax } from './marginals.ts';
import { settleUnits } from './multi-unit-auction.ts';
import { readyReplies } from './multi-unit-ready.ts';
import type { QuantityQuestion } from './quantity-question.ts';

type Values = Readonly<Record<string, readonly number[]>>;

const spec = { lot: 'lot', units: 5, increment: 1n, roundMs: 10 };

/** Everybody wants the units that are worth the price or more. */
function held(
  values: Values,
  terms: object = {},
  options: Sitting['options'] = {},
): Promise<Sat<AusubelResult>> {
  return sit(ausubelAuction, {
    spec: { ...spec, ...terms },
    roster: Object.keys(values),
    answer: straightforward(values),
    options: { deadlineMs: 100_000, ...options },
  });
}

function quantityOf(body: unknown): { readonly clinched: number } {
  return body as { readonly clinched: number };
}

function straightforward(values: Values): Sitting['answer'] {
  return (request) => ({
    body: readyReplies.unitsWorth(values[request.to]?.map(String) ?? [])(request),
  });
}

/** Five licences (Ausubel 2004). */
const licences: Values = {
  A: [123, 113, 103],
  B: [75, 5, 3],
  C: [125, 125, 49],
  D: [85, 65, 7],
  E: [45, 25, 5],
};

describe("Ausubel's auction", () => {
  it.each([1, 5])(
    'sells five licences as they are clinched: A at 65, 75 and 85, C at 75 and 85, in steps of %d',
    async (increment) => {
      const { outcome } = await held(licences, { increment: BigInt(increment) });
      expect(outcome.status).toBe('decided');
      const one = (price: bigint): object => ({ units: 1, price });
      expect(outcome.result?.awards).toEqual([
        { agent: 'A', units: 3, payment: 225n, clinches: [one(65n), one(75n), one(85n)] },
        { agent: 'C', units: 2, payment: 160n, clinches: [one(75n), one(85n)] },
      ]);
      expect(outcome.reasons).toEqual({
        A: 'won',
        B: 'outbid',
        C: 'won',
        D: 'outbid',
        E: 'outbid',
      });
      expect(verify(ausubelAuction, outcome)).toEqual([]);
    },
  );

  it('calls each price once, higher and higher, and says what was clinched as it happens', async () => {
    const { outcome, sent } = await held(licences, { increment: 5n });
    const emitted = outcome.record.entries.flatMap((entry) =>
      entry.kind === 'emit' ? [{ name: entry.name, ...entry.facts }] : [],
    );
    const prices = outcome.record.entries.flatMap((entry) =>
      entry.kind === 'emit' && entry.name === 'price' ? [entry.facts['price']] : [],
    );
    expect(prices).toEqual(Array.from({ length: 19 }, (_, tick) => BigInt(tick * 5)));
    expect(emitted.filter(({ name }) => name === 'clinch')).toEqual([
      { name: 'clinch', agent: 'A', units: 1, price: 65n },
      { name: 'clinch', agent: 'A', units: 1, price: 75n },
      { name: 'clinch', agent: 'C', units: 1, price: 75n },
      { name: 'clinch', agent: 'A', units: 1, price: 85n },
      { name: 'clinch', agent: 'C', units: 1, price: 85n },
    ]);
    const toA = sent.filter(({ to }) => to === 'A');
    expect(toA[0]?.body).toEqual({
      lot: 'lot',
      side: 'sell',
      price: 0n,
      units: 5,
      most: 5,
      clinched: 0,
    });
    expect(toA.at(-2)?.body).toMatchObject({ price: 90n, most: 3, clinched: 2 });
    expect(toA.at(-1)).toMatchObject({
      type: 'award',
      body: { lot: 'lot', side: 'sell', units: 3, payment: 225n },
    });
  });

  it('asks nobody again who wants nothing any more', async () => {
    const { sent } = await held(licences);
    const last = (id: string): unknown =>
      sent.findLast(({ to, type }) => to === id && type === 'get_quantity')?.body;
    expect(last('E')).toMatchObject({ price: 46n, most: 1 });
    expect(last('D')).toMatchObject({ price: 86n, most: 1 });
  });

  it('with one unit is an English clock at the second-best value', async () => {
    const { outcome } = await held({ a: [49], b: [60] }, { units: 1, start: 10n });
    expect(outcome.result?.awards).toMatchObject([{ agent: 'b', payment: 49n }]);
  });

  it('sells at the first price when no more is wanted there', async () => {
    const { outcome, sent } = await held(
      { a: [9, 8], b: [7, 2], c: [1] },
      { start: 1n, reserve: 5n },
    );
    expect(outcome.result).toMatchObject({ units: 3, price: 5n });
    expect(outcome.result?.awards.map(({ agent, payment }) => [agent, payment])).toEqual([
      ['a', 10n],
      ['b', 5n],
    ]);
    expect(outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'below_reserve' });
    expect(sent.filter(({ type }) => type === 'get_quantity')).toHaveLength(3);
  });

  it('sells all to who wants more than there is, if nobody else does', async () => {
    const { outcome } = await held({ a: Array.from({ length: 9 }, () => 7), b: [] });
    expect(outcome.result).toMatchObject({ price: 0n, awards: [{ units: 5, payment: 0n }] });
  });

  it('makes no deal when nobody wants a unit', async () => {
    const { outcome } = await held({ a: [4], b: [] }, { start: 5n });
    expect(outcome).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'below_reserve', b: 'below_reserve' },
    });
  });

  it('draws for what is left when too many leave at once, at the price before', async () => {
    const winners = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { outcome } = await held({ a: [9], b: [9], c: [9] }, { units: 2 }, { seed: `${seed}` });
      expect(outcome.tie).toEqual({ among: ['a', 'b', 'c'], rule: 'seeded' });
      expect(outcome.result?.awards).toHaveLength(2);
      for (const { payment } of outcome.result?.awards ?? []) expect(payment).toBe(9n);
      expect(Object.values(outcome.reasons).toSorted()).toEqual(['tie_lost', 'won', 'won']);
      winners.add((outcome.result?.awards ?? []).map(({ agent }) => agent).join(''));
    }
    expect([...winners].toSorted()).toEqual(['ab', 'ac', 'bc']);
    const reported = await held({ a: [9], b: [9] }, { units: 1 }, { tie: 'report' });
    expect(reported.outcome).toMatchObject({ status: 'tied', tie: { among: ['a', 'b'] } });
  });

  it('stops at its last round, or at the last price there is', async () => {
    const { outcome, sent } = await held(licences, { maxRounds: 10 });
    expect([outcome.status, outcome.result]).toEqual(['limit_reached', undefined]);
    expect(sent.at(-1)?.round).toBe(10);
    const cheap = { a: [], b: [] };
    const down = await sit(ausubelAuction, {
      spec: { ...spec, side: 'buy', start: 3n, units: 1 },
      roster: Object.keys(cheap),
      answer: () => ({ body: { quantity: 1 } }),
    });
    expect(down.outcome.status).toBe('limit_reached');
  });
});

const values = fc
  .array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 })
  .map((list) => list.toSorted((left, right) => right - left));
const markets = fc
  .array(values, { minLength: 1, maxLength: 5 })
  .map((lists): Values =>
    Object.fromEntries(lists.map((list, index) => [`bidder-${index}`, list])),
  );
const supplies = fc.integer({ min: 1, max: 7 });

describe('what an Ausubel auction promises', () => {
  it('units and payments are those of vcg when everybody wants what it is worth, ties included', async () => {
    await fc.assert(
      fc.asyncProperty(
        markets,
        supplies,
        fc.constantFrom('sell', 'buy'),
        async (market, units, side) => {
          const isSale = side === 'sell';
          const own = Object.fromEntries(
            Object.entries(market).map(([id, list]) => [
              id,
              isSale ? list : list.map((value) => 10 - value),
            ]),
          );
          const { outcome } = await held(own, { units, side, start: isSale ? 0n : 10n });
          const bids = Object.entries(own).map(([agent, list]) => ({
            agent,
            marginals: list.map(BigInt),
          }));
          const vcg = settleUnits(
            bids,
            { lot: 'lot', units, pricing: 'vcg', side, reserve: isSale ? 0n : 10n },
            { seed: 'seed', tie: 'seeded' },
          );
          expect(outcome.status).toBe(vcg.status);
          expect(outcome.result?.awards ?? []).toMatchObject(vcg.result?.awards ?? []);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('nobody pays for a unit more than a price at which it wanted it, whatever it answers', async () => {
    const answers = fc.array(fc.array(fc.nat(4), { maxLength: 12 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(answers, supplies, fc.bigInt(1n, 3n), async (said, units, increment) => {
        const roster = said.map((_, index) => `bidder-${index}`);
        const { outcome } = await sit(ausubelAuction, {
          spec: { ...spec, units, increment, maxRounds: 13 },
          roster,
          answer: ({ to, round }): Scripted => {
            const quantity = said[roster.indexOf(to)]?.[round - 1];
            return quantity === undefined ? 'silent' : { body: { quantity } };
          },
        });
        const { awards = [], bids = [] } = outcome.result ?? {};
        let sold = 0;
        for (const award of awards) {
          const { marginals = [] } = bids.find(({ agent }) => agent === award.agent) ?? {};
          const prices = award.clinches.flatMap((clinch) =>
            Array.from({ length: clinch.units }, () => clinch.price),
          );
          expect(prices).toHaveLength(award.units);
          prices.forEach((price, index) => {
            expect(price <= (marginals[index] ?? -1n)).toBe(true);
            expect(price >= (prices[index - 1] ?? 0n)).toBe(true);
          });
          expect(award.payment).toBe(prices.reduce((sum, price) => sum + price, 0n));
          sold += award.units;
        }
        expect(sold).toBeLessThanOrEqual(units);
        expect(sold).toBe(outcome.result?.units ?? 0);
        expect(verify(ausubelAuction, outcome)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('the truth is best against others who tell it, and not against all who do not', async () => {
    const utility = async (
      own: readonly number[],
      said: readonly number[],
      other: Sitting['answer'],
    ): Promise<bigint> => {
      const { outcome } = await sit(ausubelAuction, {
        spec: { ...spec, units: 2 },
        roster: ['own', 'other'],
        answer: (request) =>
          request.to === 'own' ? straightforward({ own: said })(request) : other(request),
        options: { deadlineMs: 100_000 },
      });
      const award = outcome.result?.awards.find(({ agent }) => agent === 'own');
      const worth = own.slice(0, award?.units).reduce((sum, value) => sum + value, 0);
      return award === undefined ? 0n : BigInt(worth) - award.payment;
    };
    const own = [4, 2];
    const lists = [0, 1, 2, 3, 4, 5].flatMap((one) =>
      Array.from({ length: one + 1 }, (_, two) => [one, two]),
    );
    for (const other of [
      [5, 3],
      [3, 1],
      [2, 2],
      [6, 0],
    ]) {
      const rival = straightforward({ other });
      const honest = await utility(own, own, rival);
      for (const said of lists) expect((await utility(own, said, rival)) <= honest).toBe(true);
    }
    // A rival that fights for both units unless it is left one early on.
    const grudging: Sitting['answer'] = ({ body }) => {
      const asked = quantityOf(body);
      return { body: { quantity: asked.clinched > 0 ? asked.clinched : 2 } };
    };
    expect(await utility([4, 4], [4, 4], grudging)).toBe(0n);
    expect(await utility([4, 4], [4], grudging)).toBe(4n);
    expect(ausubelAuction.traits.dominantStrategyTruthful).toBe(false);
  });

  it('whoever has won and paid can be checked from the outcome alone', async () => {
    const { outcome } = await held(licences);
    const { result } = outcome;
    if (result === undefined) throw new Error('unreachable');
    const problems = (changed: Partial<AusubelResult>): readonly string[] =>
      ausubelAuction.verify?.(spec, {
        ...outcome,
        roster: Object.keys(licences),
        result: { ...result, ...changed },
      }) ?? [];
    const [first, second] = result.awards;
    if (first === undefined || second === undefined) throw new Error('unreachable');
    expect(problems({})).toEqual([]);
    expect(problems({ awards: [{ ...first, payment: 224n }, second] })).toEqual([
      'A: pays 224n for 3 units, not 225',
    ]);
    const early = [{ units: 1, price: 64n }, ...first.clinches.slice(1)];
    expect(problems({ awards: [{ ...first, clinches: early }, second] })).toEqual([
      'A has not clinched its units at these prices',
    ]);
    expect(problems({ awards: [first] })).toEqual(['3 units have been won, not 5']);
    expect(problems({ awards: [first, { ...second, units: 3 }] })).toContain(
      'C: 3 units, not 0 to 2',
    );
    expect(problems({ units: 4 })).toEqual(['4 units, not 5']);
    expect(problems({ bids: [] })).toEqual(['units are sold though nobody wanted one']);
    expect(problems({ bids: [...result.bids, { agent: 'X', marginals: [] }] })).toEqual([
      'X has bid twice, or is not in the roster',
    ]);
  });
});

describe('bidders of an Ausubel auction', () => {
  it('keep what they have clinched and nothing else when they fall silent or die', async () => {
    for (const trouble of ['silent', 'dead', 'garbage'] as const) {
      const { outcome } = await sit(ausubelAuction, {
        spec,
        roster: Object.keys(licences),
        answer: (request) =>
          request.to === 'A' && request.round > 71 ? trouble : straightforward(licences)(request),
        options: { deadlineMs: 100_000 },
      });
      // A has clinched one unit at 65. What it gives up goes to the others at less than they would have paid.
      expect(outcome.result?.awards, trouble).toMatchObject([
        { agent: 'A', units: 1, payment: 65n },
        { agent: 'B', units: 1, payment: 70n },
        { agent: 'C', units: 2 },
        { agent: 'D', units: 1 },
      ]);
      expect(verify(ausubelAuction, outcome)).toEqual([]);
    }
  });

  it('are silent, or decline, where they were when they left', async () => {
    const { outcome } = await sit(ausubelAuction, {
      spec,
      roster: Object.keys(licences),
      answer: (request) => {
        if (request.round > 3 && request.to === 'B') return 'silent';
        if (request.round > 3 && request.to === 'D') return { decline: 'enough' };
        return straightforward(licences)(request);
      },
      options: { deadlineMs: 100_000 },
    });
    expect(outcome.reasons).toMatchObject({ A: 'won', B: 'silent', D: 'declined', E: 'outbid' });
  });

  it('cannot want more again, nor give back what they have clinched', async () => {
    const said: Record<string, (round: number) => number> = {
      a: (round) => (round === 1 ? 1 : 4),
      b: (round) => (round < 3 ? 3 : 0),
      c: () => 1,
    };
    const { outcome } = await sit(ausubelAuction, {
      spec: { ...spec, units: 4 },
      roster: ['a', 'b', 'c'],
      answer: ({ to, round }) => ({ body: { quantity: said[to]?.(round) } }),
    });
    // b clinches two units at 0, as others have wanted two in all, and leaves the third at 2.
    expect(outcome.result?.awards).toEqual([
      { agent: 'a', units: 1, payment: 1n, clinches: [{ units: 1, price: 1n }] },
      { agent: 'b', units: 2, payment: 0n, clinches: [{ units: 2, price: 0n }] },
      { agent: 'c', units: 1, payment: 1n, clinches: [{ units: 1, price: 1n }] },
    ]);
    expect(outcome.result?.bids).toEqual([
      { agent: 'a', marginals: [2n] },
      { agent: 'b', marginals: [2n, 2n, 1n] },
      { agent: 'c', marginals: [2n] },
    ]);
  });

  it('are named as what they were when they were silent, declined or lied', async () => {
    const answers: Record<string, Scripted> = {
      B: 'silent',
      D: { decline: 'no' },
      E: { body: { quantity: -1 } },
    };
    const { outcome } = await sit(ausubelAuction, {
      spec,
      roster: Object.keys(licences),
      answer: (request) => answers[request.to] ?? straightforward(licences)(request),
    });
    expect(outcome.reasons).toEqual({
      A: 'won',
      B: 'silent',
      C: 'won',
      D: 'declined',
      E: 'invalid',
    });
    expect(outcome.result?.awards.map(({ payment }) => payment)).toEqual([49n, 0n]);
  });

  it('see the price and how far they can go, and answer by `quantity`', async () => {
    const asked: QuantityQuestion[] = [];
    const bidder = participant({
      quantity: (_ctx, question) => {
        asked.push(question);
        return question.price < 3n ? 2 : 1;
      },
    });
    const { outcome, sent } = await sit(ausubelAuction, {
      spec: { ...spec, units: 2 },
      roster: ['a', 'b'],
      answer: (request) => {
        const reply = bidder(undefined, request);
        if (reply instanceof Promise) throw new Error('unreachable');
        return { body: reply.body };
      },
    });
    expect(outcome.result?.awards.map(({ payment }) => payment)).toEqual([2n, 2n]);
    const terms = { lot: 'lot', side: 'sell', units: 2, most: 2, clinched: 0 };
    expect(asked.at(-1)).toEqual({ ...terms, price: 3n, round: 4 });
    const without = { ...sent[0], body: { lot: 'x', side: 'sell', price: 1n, units: 2 } };
    expect(bidder(undefined, without)).toMatchObject({
      status: 'not_understood',
      reason: 'body: expected whole numbers of units, most and clinched',
    });
  });

  it.each([
    [
      { quantity: 1.5 },
      `body.quantity: expected a whole number from 0 to ${marginalsMax}, got 1.5`,
    ],
    [{ quantity: 1e9 }, `expected a whole number from 0 to ${marginalsMax}`],
    [{ quantity: 1, price: 2 }, 'body: unknown field "price"'],
    [7, 'body: expected { quantity }, got 7'],
  ])('are refused %j', (body, reason) => {
    const read = ausubelAuction.parseReply('get_quantity', body);
    expect(read.ok ? 'accepted' : read.reason).toContain(reason);
  });

  it.each([
    ['no units', {}, 'units: expected a whole number from 1 to 1000000, got undefined'],
    ['no start when buying', { units: 1, side: 'buy' }, 'start: expected a price to begin with'],
    ['a misspelt field', { units: 1, unit: 1 }, 'unknown field "unit"'],
  ])('cannot be held to a spec with %s', (_what, given, reason) => {
    const read = ausubelAuction.parseSpec({ lot: 'x', increment: 1n, ...given });
    expect(read.ok ? 'accepted' : read.reason).toContain(reason);
  });
});
