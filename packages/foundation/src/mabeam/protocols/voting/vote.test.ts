import { sit, type Sat, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonical } from '../../canonical.ts';
import { participant } from '../../participant.ts';
import type { SessionOptions } from '../../session-options.ts';
import { verify } from '../../verify.ts';
import { readyReplies } from '../voting-ready.ts';
import type { Ballot } from './ballot.ts';
import type { VoteSpec } from './vote-spec.ts';
import {
  approvalVote,
  bordaVote,
  condorcetVote,
  copelandVote,
  instantRunoffVote,
  majorityVote,
  minimaxVote,
  pluralityVote,
  schulzeVote,
  scoreVote,
  supermajorityVote,
  unanimousVote,
  type Vote,
  type VoteResult,
  weightedVote,
} from './vote.ts';

type Said = string | Ballot | Exclude<Scripted, string>;
const troubles = ['silent', 'dead', 'garbage'] as const;

/** Holds a vote in which each member says something: an option, a ballot, or what is wrong with it. */
function hold(
  protocol: Vote,
  said: Readonly<Record<string, Said>>,
  terms: Partial<VoteSpec> & { readonly session?: Partial<SessionOptions> } = {},
): Promise<Sat<VoteResult>> {
  const { session = {}, ...spec } = terms;
  const answers = Object.entries(said).map(([id, what]): [string, Scripted] => {
    const trouble = troubles.find((each) => each === what);
    if (trouble !== undefined) return [id, trouble];
    if (typeof what === 'string') return [id, { body: { single: what } }];
    return [
      id,
      'decline' in what || 'body' in what || 'equivocate' in what ? what : { body: what },
    ];
  });
  const script = new Map(answers);
  return sit(protocol, {
    spec: { question: 'Merge it?', options: ['yes', 'no'], ...spec },
    roster: Object.keys(said),
    options: session,
    answer: ({ to }) => script.get(to) ?? 'silent',
  });
}

async function outcomeOf(...held: Parameters<typeof hold>): Promise<string | undefined> {
  const { outcome } = await hold(...held);
  return outcome.status === 'decided' ? outcome.result?.winner : outcome.status;
}

const five = { a: 'yes', b: 'yes', c: 'yes', d: 'no', e: 'silent' } as const;

describe('E6: three say yes, one no, one nothing', () => {
  it('is a majority of the roster', async () => {
    const { outcome } = await hold(majorityVote, five);
    expect(outcome.result).toEqual({
      question: 'Merge it?',
      winner: 'yes',
      winners: ['yes'],
      tally: [
        { option: 'yes', score: 3 },
        { option: 'no', score: 1 },
      ],
      weight: { roster: 5, replies: 4, cast: 4 },
    });
    expect(outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'won', d: 'outbid', e: 'silent' });
    expect(outcome.certificate).toEqual({
      kind: 'quorum',
      data: { votes: 3, of: 5, denominator: 'roster' },
    });
  });

  it('is two thirds of the replies, not of the roster', async () => {
    expect(await outcomeOf(supermajorityVote, five)).toBe('no_deal');
    expect(await outcomeOf(supermajorityVote, five, { of: 'replies' })).toBe('yes');
  });

  it('is not unanimous in any way', async () => {
    for (const of of ['roster', 'replies', 'cast'] as const) {
      expect(await outcomeOf(unanimousVote, five, { of })).toBe('no_deal');
    }
  });
});

describe('a denominator', () => {
  it('O16: counts who abstains, unless the spec says that it does not', async () => {
    const said: Readonly<Record<string, Said>> = {
      a: 'yes',
      b: 'yes',
      c: 'no',
      d: 'silent',
      e: 'dead',
      f: { decline: 'abroad' },
    };
    expect(await outcomeOf(majorityVote, said)).toBe('no_deal');
    expect(await outcomeOf(majorityVote, said, { of: 'replies' })).toBe('no_deal');
    expect(await outcomeOf(majorityVote, said, { of: 'cast' })).toBe('yes');
    const { outcome } = await hold(majorityVote, said);
    expect(outcome.result?.weight).toEqual({ roster: 6, replies: 4, cast: 3 });
  });

  it('is compared exactly: two thirds of 3,000,000 are 2,000,000', async () => {
    const weights = { a: 2_000_000, b: 1_000_000 };
    const said = { a: 'yes', b: 'no' };
    expect(await outcomeOf(supermajorityVote, said, { weights })).toBe('yes');
    const less = { weights: { a: 1_999_999, b: 1_000_001 } };
    expect(await outcomeOf(supermajorityVote, said, less)).toBe('no_deal');
  });

  it('is exactly half of no majority', async () => {
    expect(await outcomeOf(majorityVote, { a: 'yes', b: 'no' })).toBe('no_deal');
    expect(await outcomeOf(majorityVote, { a: 'yes', b: 'silent' })).toBe('no_deal');
  });

  it('without a quorum is no_quorum, not a rejection', async () => {
    const session = { quorum: '4/5' } as const;
    expect(await outcomeOf(majorityVote, five, { session })).toBe('yes');
    expect(await outcomeOf(majorityVote, { ...five, d: 'dead' }, { session })).toBe('no_quorum');
  });
});

describe('a ballot', () => {
  it('that names something else is spoilt: a reply, but no vote', async () => {
    const { outcome } = await hold(pluralityVote, { a: 'yes', b: 'maybe', c: 'yes' });
    expect(outcome.reasons).toEqual({ a: 'won', b: 'invalid', c: 'won' });
    expect(outcome.result?.weight).toEqual({ roster: 3, replies: 3, cast: 2 });
  });

  it('of another kind is no answer, and two different ones are none', async () => {
    const { outcome } = await hold(pluralityVote, {
      a: { approve: ['yes'] },
      b: { equivocate: { single: 'yes' } },
      c: 'garbage',
      d: 'no',
      // The round is still open when the second answer of b comes.
      e: 'silent',
    });
    expect(outcome.result?.winner).toBe('no');
    expect(outcome.reasons).toMatchObject({ a: 'invalid', b: 'invalid', c: 'invalid', d: 'won' });
  });

  it.each<[string, Vote, unknown, string]>([
    [
      'none',
      pluralityVote,
      { single: 7 },
      'single: expected an option, a text of 1 to 256 characters, got 7',
    ],
    ['two', pluralityVote, { single: 'yes', x: 1 }, 'expected { single }, got the field "x"'],
    [
      'an option twice',
      approvalVote,
      { approve: ['yes', 'yes'] },
      'approve: "yes" stands there twice',
    ],
    [
      'one rank twice',
      schulzeVote,
      { ranking: ['a', ['b', 'a']] },
      'ranking: "a" stands there twice',
    ],
    [
      'half a score',
      scoreVote,
      { scores: { a: 0.5 } },
      'scores: expected a whole number from 0 to 1000 for "a", got 0.5',
    ],
    [
      'both',
      schulzeVote,
      { ranking: [], scores: {} },
      'expected { ranking } or { scores }, got several',
    ],
    ['nothing', schulzeVote, {}, 'expected { ranking } or { scores }, got neither'],
    ['a word', majorityVote, 'yes', 'expected { single }, got "yes"'],
    [
      'no list',
      approvalVote,
      { approve: {} },
      'approve: expected at most 300 options, got an object',
    ],
  ])('that says %s is refused with what stood there', (...[, protocol, body, reason]) => {
    expect(protocol.parseReply('get_vote', body)).toEqual({ ok: false, reason });
  });

  it('may rank, or score where the spec says so', async () => {
    const options = ['a', 'b', 'c'];
    const ranking = { v: { ranking: ['c', ['a', 'b']] }, w: { ranking: ['c'] } };
    expect(await outcomeOf(schulzeVote, ranking, { options })).toBe('c');
    const scores = { v: { scores: { b: 9 } }, w: { scores: { b: 10, c: 1 } } };
    expect(await outcomeOf(schulzeVote, scores, { options, ballot: 'score' })).toBe('b');
    expect(await outcomeOf(schulzeVote, scores, { options })).toBe('no_deal');
    expect(await outcomeOf(scoreVote, scores, { options, scoreMax: 9 })).toBe('b');
    const { outcome } = await hold(scoreVote, scores, { options, scoreMax: 9 });
    expect(outcome.reasons).toEqual({ v: 'won', w: 'invalid' });
  });
});

describe('a tie', () => {
  const paradox = {
    v: { ranking: ['a', 'b', 'c'] },
    w: { ranking: ['b', 'c', 'a'] },
    x: { ranking: ['c', 'a', 'b'] },
  };
  const options = ['a', 'b', 'c'];

  it.each([bordaVote, schulzeVote, copelandVote, minimaxVote, instantRunoffVote])(
    'E7: $name names all three, and reports them when that is the rule',
    async (protocol) => {
      const session = { tie: 'report' } as const;
      const { outcome } = await hold(protocol, paradox, { options, session });
      expect(outcome).toMatchObject({ status: 'tied', result: { winners: options } });
      expect(outcome.tie).toEqual({ among: options, rule: 'report' });
      expect(outcome.result).not.toHaveProperty('winner');
    },
  );

  it('E7: has no Condorcet winner, and nothing is decided', async () => {
    const { outcome } = await hold(condorcetVote, paradox, { options });
    expect(outcome).toMatchObject({ status: 'no_deal', result: { winners: [] } });
  });

  it('is drawn by the seed, and who liked another winner has lost by it', async () => {
    const seeds = Array.from({ length: 30 }, (_, seed) => ({ seed: String(seed) }));
    const drawn = await Promise.all(
      seeds.map((session) => outcomeOf(schulzeVote, paradox, { options, session })),
    );
    expect(new Set(drawn)).toEqual(new Set(options));
    const session = { tie: 'lexicographic' } as const;
    const { outcome } = await hold(schulzeVote, paradox, { options, session });
    expect(outcome.reasons).toEqual({ v: 'won', w: 'tie_lost', x: 'tie_lost' });
  });
});

describe('weights', () => {
  const said = { a: 'yes', b: 'no', c: 'no' };

  it('decide by a quota', async () => {
    const weights = { a: 4, b: 2, c: 1 };
    expect(await outcomeOf(weightedVote, said, { weights, quota: 4 })).toBe('yes');
    expect(await outcomeOf(weightedVote, said, { weights, quota: 5 })).toBe('no_deal');
    expect(await outcomeOf(weightedVote, said, { weights })).toBe('yes');
  });

  it('that are capped give one voter no more than the cap, whatever it has', async () => {
    const weights = { a: 1_000, b: 1, c: 1 };
    const { outcome } = await hold(weightedVote, said, { weights, cap: '1/2' });
    expect(outcome.result?.weight.roster).toBe(4);
    expect(outcome.status).toBe('no_deal');
    expect(await outcomeOf(weightedVote, said, { weights, cap: '2/5' })).toBe('no');
    const impossible = await hold(weightedVote, said, { weights, cap: '1/4' });
    expect(impossible.outcome).toMatchObject({
      status: 'failed',
      detail: 'no weights of these 3 members keep the cap of 1/4',
    });
    expect(impossible.sent).toEqual([]);
  });

  it('of one are as none, and c times as large as before', async () => {
    const voters = fc.array(fc.constantFrom('x', 'y', 'z'), { minLength: 1, maxLength: 6 });
    const protocols = fc.constantFrom(majorityVote, pluralityVote, unanimousVote, weightedVote);
    await fc.assert(
      fc.asyncProperty(
        voters,
        protocols,
        fc.integer({ min: 1, max: 9 }),
        async (votes, protocol, c) => {
          const votesOf = Object.fromEntries(votes.map((vote, index) => [`v${index}`, vote]));
          const weights = Object.fromEntries(Object.keys(votesOf).map((id) => [id, c]));
          const options = ['x', 'y', 'z'];
          const plain = await outcomeOf(protocol, votesOf, { options });
          expect(await outcomeOf(protocol, votesOf, { options, weights })).toBe(plain);
        },
      ),
    );
  });

  it('may be bigints and decimal strings', () => {
    const spec = { question: 'q', options: ['a'], weights: { a: '7', b: 8n, c: 9 } };
    expect(majorityVote.parseSpec(spec)).toMatchObject({
      value: { weights: { a: 7, b: 8, c: 9 } },
    });
  });
});

describe('a spec', () => {
  const many = Array.from({ length: 1_000_000 }, (_, index) => `o${index}`);
  const base = { question: 'q', options: ['a', 'b'] };

  it.each<[string, Vote, unknown, string]>([
    [
      'no question',
      majorityVote,
      { options: ['a'] },
      'question: expected a text of 1 to 1024 characters, got undefined',
    ],
    ['no options', majorityVote, { ...base, options: [] }, 'options: expected at least one'],
    [
      'a million options',
      majorityVote,
      { ...base, options: many },
      'options: expected at most 300 options, got an array of 1000000',
    ],
    [
      'an option twice',
      majorityVote,
      { ...base, options: ['a', 'a'] },
      'options: "a" stands there twice',
    ],
    ['what the rule does not know', pluralityVote, { ...base, of: 'cast' }, 'unknown field "of"'],
    [
      'another denominator',
      majorityVote,
      { ...base, of: 'all' },
      'of: expected one of roster, replies, cast, got "all"',
    ],
    [
      'half',
      supermajorityVote,
      { ...base, threshold: '2/4' },
      'threshold: expected more than a half, got "2/4"',
    ],
    [
      'a fraction',
      supermajorityVote,
      { ...base, threshold: 0.7 },
      'threshold: expected a part such as 2/3, got 0.7',
    ],
    [
      'a fraction',
      supermajorityVote,
      { ...base, threshold: null },
      'threshold: expected a part such as 2/3, got null',
    ],
    [
      'half a weight',
      weightedVote,
      { ...base, weights: { x: 0.5 } },
      'weights: expected a whole number for "x", got 0.5',
    ],
    [
      'too much weight',
      weightedVote,
      { ...base, weights: { x: 1e9, y: 1 } },
      'weights: expected at most 1000000000 in all, got 1000000001',
    ],
    [
      'no cap',
      weightedVote,
      { ...base, cap: '0/1' },
      'cap: expected more than nothing, in terms of at most 1000, got "0/1"',
    ],
    [
      'no quota',
      weightedVote,
      { ...base, quota: 0 },
      'quota: expected a whole weight from 1, got 0',
    ],
    [
      'other ballots',
      schulzeVote,
      { ...base, ballot: 'single' },
      'ballot: expected ranking or score, got "single"',
    ],
  ])('with %s is refused at once', (...[, protocol, spec, reason]) => {
    const start = process.cpuUsage();
    expect(protocol.parseSpec(spec)).toEqual({ ok: false, reason });
    expect(process.cpuUsage(start).user).toBeLessThan(50_000);
  });

  it.each([majorityVote, supermajorityVote, weightedVote, schulzeVote, scoreVote])(
    'of $name is accepted again as it was read',
    (protocol) => {
      const once = protocol.parseSpec({ ...base, weights: { x: '3' }, cap: '2/4' });
      if (!once.ok) throw new Error(once.reason);
      expect(protocol.parseSpec(once.value)).toEqual(once);
    },
  );
});

describe('what is promised', () => {
  /** Preferences and what the first voter gains by saying something else. */
  it.each<[Vote, readonly string[], unknown]>([
    [pluralityVote, ['c b a', 'a b c', 'a b c', 'b a c', 'b a c'], { single: 'b' }],
    [majorityVote, ['c b a', 'a b c', 'b a c', 'b a c'], { single: 'b' }],
    [
      bordaVote,
      ['b a c', 'b a c', 'b a c', 'a b c', 'a b c', 'a b c'],
      { ranking: ['b', 'c', 'a'] },
    ],
    [
      instantRunoffVote,
      ['c b a', 'a b c', 'a b c', 'a b c', 'c b a', 'b c a', 'b a c'],
      { ranking: ['b', 'c', 'a'] },
    ],
  ])(
    '%# somebody gains by a vote that is not sincere, as the traits say',
    async (protocol, likes, said) => {
      const options = ['a', 'b', 'c'];
      const session = { tie: 'lexicographic' } as const;
      const sincere = likes.map((liked): Ballot => {
        const ranking = liked.split(' ');
        return protocol.parseReply('get_vote', { ranking }).ok
          ? { ranking }
          : { single: ranking[0] ?? '' };
      });
      const winner = (own: unknown): Promise<string | undefined> =>
        outcomeOf(
          protocol,
          Object.fromEntries(
            sincere.map((ballot, index) => [`v${index}`, index === 0 ? { body: own } : ballot]),
          ),
          { options, session },
        );
      const rank = (won: string | undefined): number =>
        [...(likes[0] ?? '').split(' '), 'no_deal'].indexOf(won ?? '');
      expect(rank(await winner(said))).toBeLessThan(rank(await winner(sincere[0])));
      expect(protocol.traits.dominantStrategyTruthful).toBe(false);
    },
  );

  it('who stays away can do better in a run-off, as its traits say (no-show paradox)', async () => {
    const votes = (abc: number): Record<string, Ballot> =>
      Object.fromEntries(
        [
          ...Array.from({ length: abc }, () => ['a', 'b', 'c']),
          ...Array.from({ length: 3 }, () => ['b', 'c', 'a']),
          ...Array.from({ length: 4 }, () => ['c', 'a', 'b']),
        ].map((ranking, index) => [`v${index}`, { ranking }]),
      );
    const options = ['a', 'b', 'c'];
    // With four of a > b > c, b goes first and c wins, which they like least.
    expect(await outcomeOf(instantRunoffVote, votes(4), { options })).toBe('c');
    expect(await outcomeOf(instantRunoffVote, votes(2), { options })).toBe('b');
    expect(instantRunoffVote.traits.individuallyRational).toBe(false);
  });

  it('a result is checked against its own tally', async () => {
    const { outcome } = await hold(majorityVote, five);
    const { result } = outcome;
    if (result === undefined) throw new Error('there is no result');
    expect(verify(majorityVote, outcome)).toEqual([]);
    const { setup } = outcome.record;
    const problems = (changed: Partial<VoteResult>): readonly string[] =>
      majorityVote.verify?.(
        { question: 'Merge it?', options: ['yes', 'no'], of: 'roster' },
        { ...outcome, roster: setup.roster, result: { ...result, ...changed } },
      ) ?? [];
    expect(problems({})).toEqual([]);
    expect(problems({ winner: 'no' })).toEqual(['the winner is not one of the winners']);
    expect(problems({ winners: ['no'], winner: 'no' })).toEqual([
      'the winners are not those of the tally',
    ]);
    const tally = [
      { option: 'yes', score: 4 },
      { option: 'no', score: 1 },
    ];
    expect(problems({ tally })).toEqual(['the tally does not sum up to the 4 that were cast']);
    expect(problems({ weight: { roster: 4, replies: 4, cast: 4 } })).toEqual([
      'the roster does not weigh 4',
    ]);
  });

  it('a result grows with the options, not with their square', async () => {
    const options = Array.from({ length: 300 }, (_, index) => `option ${index}`);
    const { outcome } = await hold(schulzeVote, { v: { ranking: options } }, { options });
    expect(outcome.result?.winner).toBe('option 0');
    expect(canonical(outcome.result).length).toBeLessThan(300 * 60);
  });

  it('everybody gets one request and one notice, and the outcome is a function of the replies', async () => {
    const { sent, outcome } = await hold(majorityVote, five);
    const asked = sent.filter(({ budgetMs }) => budgetMs > 0);
    expect(asked.map(({ to, type, body }) => ({ to, type, body }))).toEqual(
      Object.keys(five).map((to) => ({
        to,
        type: 'get_vote',
        body: { question: 'Merge it?', options: ['yes', 'no'], ballot: 'single' },
      })),
    );
    const told = sent.filter(({ budgetMs }) => budgetMs === 0);
    expect(told.map(({ to, type }) => `${to} ${type}`)).toEqual(
      Object.keys(five).map((to) => `${to} vote_result`),
    );
    expect(told[0]?.body).toEqual({ status: 'decided', result: outcome.result });
  });
});

describe('a voter', () => {
  const request = {
    kind: 'mabeam.coordination.request',
    v: 1,
    session: 's1',
    protocol: 'consensus.majority',
    protocolVersion: '1.0.0',
    type: 'get_vote',
    to: 'a',
    round: 2,
    seq: 1,
    epoch: 1,
    nonce: 'n1',
    budgetMs: 100,
    idempotencyKey: 'k',
    body: {
      question: 'q',
      options: ['x', 'y', 'z'],
      ballot: 'score',
      scoreMax: 8,
      last: [{ option: 'y', score: 3 }],
    },
  } as const;

  it('is told what is asked, and its ballot is the reply', () => {
    const questions: unknown[] = [];
    const voter = participant({
      vote: (_ctx, question) => {
        questions.push(question);
        return { scores: { x: 8 } };
      },
    });
    expect(voter(undefined, request)).toMatchObject({ status: 'ok', body: { scores: { x: 8 } } });
    expect(questions).toEqual([{ ...request.body, round: 2 }]);
  });

  it('that says what is no ballot has an error of its own', () => {
    const voter = participant({ vote: () => ({ single: '' }) });
    expect(voter(undefined, request)).toMatchObject({ status: 'error' });
    const body = { ...request.body, ballot: 'acclamation' };
    expect(voter(undefined, { ...request, body })).toMatchObject({
      status: 'not_understood',
      reason: 'body.ballot: expected single, approval, ranking, score, got "acclamation"',
    });
  });

  it('that is ready votes on every ballot as it likes the options', () => {
    const prefer = readyReplies['prefer']?.(['z', 'x', 'unknown']);
    const on = (ballot: string): unknown =>
      prefer?.({ ...request, body: { ...request.body, ballot } });
    expect(on('single')).toEqual({ single: 'z' });
    expect(on('approval')).toEqual({ approve: ['z'] });
    expect(on('ranking')).toEqual({ ranking: ['z', 'x'] });
    expect(on('score')).toEqual({ scores: { z: 8, x: 4 } });
    const joins = readyReplies['joinLeader']?.('z');
    expect(joins?.({ ...request, body: { ...request.body, ballot: 'single' } })).toEqual({
      single: 'y',
    });
    expect(joins?.({ ...request, type: 'get_bid' })).toBeUndefined();
  });
});
