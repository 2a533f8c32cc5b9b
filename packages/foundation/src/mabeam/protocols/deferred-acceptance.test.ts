import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId } from '../message.ts';
import type { SessionOptions } from '../session-options.ts';
import { verify } from '../verify.ts';
import { readyReplies } from './deferred-acceptance-ready.ts';
import { deferredAcceptanceMatching } from './deferred-acceptance.ts';
import type { MatchingSpec } from './matching-spec.ts';
import type { PreferenceList } from './preferences.ts';
import type { MatchingResult } from './stable-claim.ts';

type Lists = Readonly<Record<AgentId, PreferenceList | Scripted>>;

function hold(
  proposers: Lists,
  receivers: Lists,
  changes: Partial<MatchingSpec> & { readonly options?: Partial<SessionOptions> } = {},
): Promise<Sat<MatchingResult>> {
  const { options, ...spec } = changes;
  const all: Lists = { ...proposers, ...receivers };
  return sit(deferredAcceptanceMatching, {
    spec: { matching: 'm', receivers: Object.keys(receivers), ...spec },
    roster: Object.keys(all),
    options: { deadlineMs: 1_000, ...options },
    answer({ to }) {
      const list = all[to] ?? 'silent';
      return Array.isArray(list) ? { body: { list } } : (list as Scripted);
    },
  });
}

/** Matches as text, such as `αA βB`. */
function pairs({ outcome }: Sat<MatchingResult>): string {
  expect(verify<MatchingResult>(deferredAcceptanceMatching, outcome)).toEqual([]);
  const { matches = [] } = outcome.result ?? {};
  return matches.map(({ proposer, receiver }) => `${proposer}${receiver}`).join(' ');
}

/** Lists written as texts of one letter each. */
function listsOf(texts: Readonly<Record<AgentId, string>>): Record<AgentId, readonly string[]> {
  return Object.fromEntries(Object.entries(texts).map(([id, text]) => [id, text.split('')]));
}

const men = listsOf({ α: 'ABC', β: 'BCA', γ: 'CAB' });
const women = listsOf({ A: 'βγα', B: 'γαβ', C: 'αβγ' });

describe('a matching', () => {
  it('is the best stable one for whoever proposes (E1)', async () => {
    const sat = await hold(men, women);
    expect(pairs(sat)).toBe('αA βB γC');
    expect(pairs(await hold(women, men))).toBe('Aβ Bγ Cα');
    expect(sat.outcome.result).toMatchObject({ unmatched: [], proposals: 3 });
    expect(sat.outcome.reasons).toEqual({
      α: 'won',
      β: 'won',
      γ: 'won',
      A: 'won',
      B: 'won',
      C: 'won',
    });
    const first = sat.sent.slice(0, 6).map(({ to, type, body }) => ({ to, type, body }));
    const asked = (side: string): object => ({ matching: 'm', side });
    expect(first).toEqual([
      ...['α', 'β', 'γ'].map((to) => {
        return {
          to,
          type: 'get_preferences',
          body: { ...asked('proposer'), others: ['A', 'B', 'C'] },
        };
      }),
      ...['A', 'B', 'C'].map((to) => {
        const body = { ...asked('receiver'), others: ['α', 'β', 'γ'], quota: 1 };
        return { to, type: 'get_preferences', body };
      }),
    ]);
    const told = sat.sent.slice(6).map(({ to, type, body }) => ({ to, type, body }));
    expect(told).toHaveLength(6);
    expect(told).toContainEqual({ to: 'C', type: 'matched', body: { matching: 'm', with: ['γ'] } });
  });

  it('is the only stable one where there is only one (E2)', async () => {
    const four = listsOf({ α: 'ABCD', β: 'ADCB', γ: 'BACD', δ: 'DBCA' });
    const others = listsOf({ A: 'δγαβ', B: 'βδαγ', C: 'δαβγ', D: 'γβαδ' });
    expect(pairs(await hold(four, others))).toBe('αC βD γA δB');
    expect(pairs(await hold(others, four))).toBe('Aγ Bδ Cα Dβ');
  });

  it('marries as Jane Austen does, and as the readme of `matching` says (E3)', async () => {
    const [bingley, collins, darcy, wickham] = ['Bingley', 'Collins', 'Darcy', 'Wickham'] as const;
    const [charlotte, elizabeth, jane, lydia] = [
      'Charlotte',
      'Elizabeth',
      'Jane',
      'Lydia',
    ] as const;
    const { outcome } = await hold(
      {
        [bingley]: [jane, elizabeth, lydia, charlotte],
        [collins]: [elizabeth, jane, lydia, charlotte],
        [darcy]: [elizabeth, jane, charlotte, lydia],
        [wickham]: [lydia, jane, elizabeth, charlotte],
      },
      {
        [charlotte]: [collins, darcy, bingley, wickham],
        [elizabeth]: [wickham, darcy, bingley, collins],
        [jane]: [bingley, wickham, darcy, collins],
        [lydia]: [wickham, bingley, darcy, collins],
      },
    );
    expect(outcome.result?.matches).toEqual([
      { proposer: bingley, receiver: jane },
      { proposer: collins, receiver: charlotte },
      { proposer: darcy, receiver: elizabeth },
      { proposer: wickham, receiver: lydia },
    ]);
    const suitors = listsOf({ A: 'DEF', B: 'DFE', C: 'FDE' });
    const reviewers = listsOf({ D: 'BCA', E: 'ACB', F: 'CBA' });
    expect(pairs(await hold(suitors, reviewers))).toBe('AE BD CF');
  });

  it('fills places, the best first, and leaves out whom nobody takes', async () => {
    const doctors = listsOf({ A: 'C', S: 'CM', D: 'CMG', J: 'CGM', L: 'MCG', X: 'CM' });
    const hospitals = listsOf({ M: 'DJLS', C: 'DASLJ', G: 'DJL' });
    const sat = await hold(doctors, hospitals, { quotas: { M: 2, C: 2, G: 2 } });
    expect(pairs(sat)).toBe('AC SM DC JG LM');
    expect(sat.outcome.result?.unmatched).toEqual(['X']);
    expect(sat.outcome.reasons).toMatchObject({ X: 'outbid', G: 'won' });
    const told = sat.sent.filter(({ type }) => type === 'matched');
    expect(told.find(({ to }) => to === 'C')?.body).toEqual({ matching: 'm', with: ['A', 'D'] });
    expect(told.map(({ to }) => to)).not.toContain('X');
  });

  it('leaves a silent proposer alone, and holds a silent receiver to its stated list', async () => {
    for (const trouble of ['silent', 'dead', 'garbage', { equivocate: { list: ['A'] } }] as const) {
      const lists = { A: ['β', 'γ', 'α'] };
      const sat = await hold(
        { ...men, β: trouble },
        { ...women, A: trouble, C: trouble },
        { lists },
      );
      // C has stated nothing: nobody can be had by it.
      expect(pairs(sat)).toBe('αB γA');
      expect(sat.outcome.result?.unmatched).toEqual(['β']);
      expect(sat.outcome.reasons).not.toMatchObject({ A: 'won' });
    }
  });

  it('takes a decline for a no, also of a receiver with a stated list', async () => {
    const sat = await hold(
      men,
      { ...women, A: { decline: 'full' } },
      { lists: { A: ['β', 'γ', 'α'] } },
    );
    expect(pairs(sat)).toBe('αC γB');
    expect(sat.outcome.reasons).toMatchObject({ A: 'declined', β: 'outbid' });
  });

  it('takes a list with a stranger for none', async () => {
    const sat = await hold({ ...men, α: ['A', 'β'] }, women);
    expect(pairs(sat)).toBe('βB γC');
    expect(sat.outcome.reasons).toMatchObject({ α: 'invalid', A: 'outbid' });
    const alone = await hold({ ...men, α: [] }, women);
    expect(alone.outcome.reasons).toMatchObject({ α: 'not_eligible' });
  });

  it('may have receivers that are nobody, by what the spec says of them', async () => {
    const spec = { matching: 'm', receivers: ['A', 'B'], lists: { A: ['β', 'α', 'δ'], B: ['α'] } };
    const answer = (): Scripted => ({ body: { list: ['A', 'B'] } });
    const given = { spec, roster: ['α', 'β'], answer };
    expect(pairs(await sit(deferredAcceptanceMatching, given))).toBe('αB βA');
    const { outcome } = await sit(deferredAcceptanceMatching, {
      ...given,
      spec: { ...spec, lists: { A: ['α'] } },
    });
    expect(outcome.status).toBe('failed');
    expect(outcome.detail).toBe('receiver "B" is not in the roster and has no list in the spec');
  });

  it('comes to no deal when nobody finds the other acceptable, and says so with its lists', async () => {
    const { outcome } = await hold({ α: ['A'] }, { A: [] });
    expect(outcome).toMatchObject({
      status: 'no_deal',
      reasons: { α: 'outbid', A: 'not_eligible' },
    });
    expect(verify<MatchingResult>(deferredAcceptanceMatching, outcome)).toEqual([]);
  });

  it('takes ids for what they are: numbers, and names that every object has', async () => {
    const sat = await hold(
      { '10': ['toString'], '2': ['toString', '1'] },
      { toString: ['10', '2'], '1': ['2'] },
    );
    expect(sat.outcome.result?.matches).toHaveLength(2);
    expect(verify<MatchingResult>(deferredAcceptanceMatching, sat.outcome)).toEqual([]);
    const { outcome } = await hold({ x: ['constructor'] }, {}, { receivers: ['constructor'] });
    expect(outcome).toMatchObject({ status: 'failed' });
  });
});

describe('equals in a list', () => {
  const both = [['A', 'B']] as const;
  const proposers = { α: both, β: both };
  const receivers = { A: [['α', 'β']], B: [['α', 'β']] };

  it('are put in order by the seed, for all lists alike, and the record says how', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const sat = await hold(proposers, receivers, { options: { seed: `${seed}` } });
      seen.add(pairs(sat));
      const { tie, certificate } = sat.outcome;
      expect(tie).toEqual({ among: ['A', 'B', 'α', 'β'], rule: 'seeded' });
      const used = certificate?.data as Record<string, Record<string, string[]>>;
      expect(used['proposers']?.['α']).toEqual(used['proposers']?.['β']);
      expect(used['receivers']?.['A']).toEqual(used['receivers']?.['B']);
    }
    expect([...seen].toSorted()).toEqual(['αA βB', 'αB βA']);
  });

  it('who are not here are no equals', async () => {
    const lists = { A: [['x', 'y'], 'β', 'α'] };
    const options = { tie: 'report' } as const;
    const sat = await hold({ α: ['A'], β: ['A'] }, { A: 'silent' }, { lists, options });
    expect(pairs(sat)).toBe('βA');
  });

  it('go by id, or are told as a tie, if that is the rule', async () => {
    expect(pairs(await hold(proposers, receivers, { options: { tie: 'lexicographic' } }))).toBe(
      'αA βB',
    );
    const { outcome } = await hold(proposers, receivers, { options: { tie: 'report' } });
    expect(outcome).toMatchObject({ status: 'tied', tie: { rule: 'report' } });
    expect(outcome.result).toBeUndefined();
    const none = await hold(men, women, { options: { tie: 'report' } });
    expect(none.outcome.tie).toBeUndefined();
    expect(pairs(none)).toBe('αA βB γC');
  });
});

describe('an outcome of a matching', () => {
  it('comes from answers alone: renamed participants, renamed matches', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 6, maxLength: 6 }),
        async (names) => {
          const ids = ['α', 'β', 'γ', 'A', 'B', 'C'];
          const to = (id: string): string => names[ids.indexOf(id)] ?? '';
          const renamed = (lists: Lists): Lists =>
            Object.fromEntries(
              Object.entries(lists).map(([id, list]) => [to(id), (list as string[]).map(to)]),
            );
          const { outcome } = await hold(renamed(men), renamed(women), {
            receivers: ['A', 'B', 'C'].map(to),
          });
          const matches = new Set(
            outcome.result?.matches.map(({ proposer, receiver }) => `${proposer}|${receiver}`),
          );
          expect(matches).toEqual(
            new Set(['αA', 'βB', 'γC'].map(([p = '', r = '']) => `${to(p)}|${to(r)}`)),
          );
        },
      ),
      { numRuns: 20 },
    ));

  it.each([
    [
      'pairs two who are not there',
      [{ proposer: 'α', receiver: 'Z' }],
      '"α" with "Z": they are not here',
    ],
    [
      'gives one two',
      [
        { proposer: 'α', receiver: 'A' },
        { proposer: 'α', receiver: 'B' },
      ],
      '"α" is matched twice',
    ],
    [
      'gives one more than it takes',
      [
        { proposer: 'α', receiver: 'A' },
        { proposer: 'β', receiver: 'A' },
      ],
      '"A" has more than it takes',
    ],
    [
      'is not stable',
      [
        { proposer: 'α', receiver: 'A' },
        { proposer: 'β', receiver: 'C' },
        { proposer: 'γ', receiver: 'B' },
      ],
      '"γ" and "A" would rather have each other',
    ],
    [
      'is stable, and not the best for proposers',
      [
        { proposer: 'α', receiver: 'C' },
        { proposer: 'β', receiver: 'A' },
        { proposer: 'γ', receiver: 'B' },
      ],
      'another stable matching is better for the proposers',
    ],
  ])('that %s is refuted', async (_, matches, problem) => {
    const { outcome } = await hold(men, women);
    const { record, ...claim } = outcome;
    const { spec, roster } = record.setup;
    const result = { matches, unmatched: [], proposals: 3 };
    const found = deferredAcceptanceMatching.verify?.(spec as MatchingSpec, {
      ...claim,
      roster,
      result,
    });
    expect(found?.[0]).toBe(problem);
  });

  it('with made-up counts or without its lists is refuted', async () => {
    const { outcome } = await hold(men, women);
    const { record, certificate, ...claim } = outcome;
    const { roster } = record.setup;
    const spec = record.setup.spec as MatchingSpec;
    const { matches = [] } = outcome.result ?? {};
    const lying = { ...claim, roster, result: { matches, unmatched: [], proposals: 4 } };
    expect(
      deferredAcceptanceMatching.verify?.(spec, { ...lying, ...(certificate && { certificate }) }),
    ).toEqual(['who is unmatched, or how often was proposed, is not what the lists lead to']);
    expect(deferredAcceptanceMatching.verify?.(spec, lying)).toEqual([
      'there is no certificate with the lists that were used',
    ]);
  });
});

describe('the spec of a matching', () => {
  const spec = { matching: 'm', receivers: ['A', 'B'] };
  it.each([
    [null, 'expected { matching, receivers, … }, got null'],
    [{ ...spec, matching: '' }, 'matching: expected a text of 1 to 256 characters, got ""'],
    [{ ...spec, receivers: [] }, 'receivers: expected 1 to 100000 ids, got an array of 0'],
    [{ ...spec, receivers: ['A', 'A'] }, 'receivers: "A" stands there twice'],
    [{ ...spec, receivers: [7] }, 'receivers: expected texts of 1 to 256 characters, got 7'],
    [
      { ...spec, quotas: { A: 0 } },
      'quotas["A"]: expected a whole number from 1 to 1000000, got 0',
    ],
    [{ ...spec, quotas: { Z: 1 } }, 'quotas: "Z" is no receiver'],
    [{ ...spec, lists: { Z: [] } }, 'lists: "Z" is no receiver'],
    [{ ...spec, lists: { A: ['x', ['x']] } }, 'lists["A"]: "x" stands there twice'],
    [
      { ...spec, lists: { A: [[]] } },
      'lists["A"][0]: expected an id, or a list of equals, got an array of 0',
    ],
    [{ ...spec, quota: 2 }, 'unknown field "quota", did you mean "quotas"?'],
  ])('%j is refused', (given, reason) => {
    expect(deferredAcceptanceMatching.parseSpec(given)).toEqual({ ok: false, reason });
  });

  it('of a million receivers is refused at once', () => {
    const receivers = Array.from({ length: 1e6 }, () => 'x');
    const before = process.cpuUsage();
    expect(deferredAcceptanceMatching.parseSpec({ ...spec, receivers }).ok).toBe(false);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
  });

  it('and a list that makes no sense are refused with what is wrong', () => {
    const parseReply = (type: string, body: unknown) =>
      deferredAcceptanceMatching.parseReply(type, body);
    expect(parseReply('get_preferences', { list: ['A', undefined] }).ok).toBe(false);
    expect(parseReply('get_preferences', { list: ['A', 'A'] })).toEqual({
      ok: false,
      reason: 'body.list: "A" stands there twice',
    });
    expect(parseReply('get_preferences', { list: [], because: 1 }).ok).toBe(false);
    expect(parseReply('get_preferences', 'A').ok).toBe(false);
  });
});

describe('a participant of a script', () => {
  it('ranks those of its list who are there', () => {
    const ranks = readyReplies['rank']?.(['Z', 'B', ['A', 'Y'], ['X']]);
    const request = {
      kind: 'mabeam.coordination.request',
      v: 1,
      session: 's',
      protocol: 'match.deferred_acceptance',
      protocolVersion: '1.0.0',
      type: 'get_preferences',
      round: 1,
      seq: 1,
      epoch: 1,
      nonce: 'n',
      to: 'a',
      budgetMs: 10,
      idempotencyKey: 'k',
      body: { matching: 'm', side: 'proposer', others: ['A', 'B'] },
    } as const;
    expect(ranks?.(request)).toEqual({ list: ['B', ['A']] });
    expect(() => ranks?.({ ...request, type: 'get_bid' })).toThrow('got get_bid');
    expect(() => readyReplies['rank']?.('A')).toThrow('rank: expected at most');
  });
});
