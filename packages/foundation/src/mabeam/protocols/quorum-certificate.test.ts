import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AgentId, CoordinationRequest } from '../message.ts';
import { participant } from '../participant.ts';
import type { Certificate } from '../protocol.ts';
import { verify } from '../verify.ts';
import { type BallotQuestion, signedVote } from './quorum-certificate-questions.ts';
import { readyReplies } from './quorum-certificate-ready.ts';
import {
  certificateProblems,
  quorumCertificate,
  type QuorumCertificateResult,
  type QuorumCertificateSpec,
  quorumOf,
} from './quorum-certificate.ts';

const ids = ['a', 'b', 'c', 'd'];
const pairs = new Map(ids.map((id) => [id, generateKeyPairSync('ed25519')]));
const publicKeyOf = (key: KeyObject | undefined): string =>
  key?.export({ format: 'der', type: 'spki' }).toString('base64') ?? '';
const keys = Object.fromEntries(ids.map((id) => [id, publicKeyOf(pairs.get(id)?.publicKey)]));
const spec: QuorumCertificateSpec = { ballot: 'block 7', keys };

/** The body of a vote; what is false about it is said by `changes`. */
function vote(
  voter: AgentId,
  value: string,
  changes: Partial<BallotQuestion> & { readonly signer?: AgentId } = {},
): { value: string; signature: string } {
  const { signer = voter, ...rest } = changes;
  const pair = pairs.get(signer);
  if (pair === undefined) throw new Error(`no key of ${signer}`);
  const question = { ballot: 'block 7', instance: 'seed', voter, ...rest };
  return signedVote(question, value, pair.privateKey);
}

function hold(
  answers: Readonly<Record<AgentId, Scripted | 'x' | 'y'>>,
  changes: Partial<QuorumCertificateSpec> = {},
): Promise<Sat<QuorumCertificateResult>> {
  return sit(quorumCertificate, {
    spec: { ...spec, ...changes },
    roster: Object.keys(answers),
    answer({ to }) {
      const answer = answers[to] ?? 'silent';
      return answer === 'x' || answer === 'y' ? { body: vote(to, answer) } : answer;
    },
  });
}

describe('a quorum certificate', () => {
  it('decides on what 2f + 1 of 3f + 1 have signed, and proves it', async () => {
    const { outcome, sent } = await hold({ a: 'x', b: 'x', c: 'y', d: 'x' });
    expect(outcome.status).toBe('decided');
    expect(outcome.result).toEqual({
      ballot: 'block 7',
      value: 'x',
      quorum: 3,
      votes: ['x', 'x', 'y', 'x'].map((value, index) => ({ agent: ids[index], value })),
      forged: [],
      equivocated: [],
    });
    expect(outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'outbid', d: 'won' });
    expect(sent.map(({ type, body }) => [type, body])).toEqual(
      ids.map(() => ['sign_vote', { ballot: 'block 7', instance: 'seed' }]),
    );
    expect(verify(quorumCertificate, outcome)).toEqual([]);
    expect(certificateProblems(spec, outcome.certificate ?? { kind: 'quorum' })).toEqual([]);
  });

  it('needs no answer of f voters', async () => {
    const { outcome } = await hold({ a: 'x', b: 'x', c: 'silent', d: 'x' });
    expect(outcome.result?.value).toBe('x');
    expect((await hold({ a: 'x', b: 'x', c: 'silent', d: 'dead' })).outcome.status).toBe(
      'no_quorum',
    );
  });

  it('decides nothing when no value has a quorum', async () => {
    const { outcome } = await hold({ a: 'x', b: 'x', c: 'y', d: 'y' });
    expect(outcome.status).toBe('no_quorum');
    expect(outcome.certificate).toBeUndefined();
    expect(outcome.result?.value).toBeUndefined();
    expect(verify(quorumCertificate, outcome)).toEqual([]);
  });

  it.each([
    ['forged in the name of another', vote('d', 'x', { signer: 'a' })],
    ['another has signed', vote('a', 'x')],
    ['replayed from another session', vote('d', 'x', { instance: 'earlier' })],
    ['replayed from another ballot', vote('d', 'x', { ballot: 'block 6' })],
    ['signed for another value', { ...vote('d', 'x'), value: 'y' }],
  ])('does not count a vote that is %s', async (_, body) => {
    const { outcome } = await hold({ a: 'x', b: 'x', c: 'y', d: { body } });
    expect(outcome.status).toBe('no_quorum');
    expect(outcome.result?.forged).toEqual(['d']);
    expect(outcome.reasons['d']).toBe('invalid');
    // Nor does it keep the others from deciding.
    const others = await hold({ a: 'x', b: 'x', c: 'x', d: { body } });
    expect(others.outcome.result?.value).toBe('x');
    expect(others.outcome.certificate?.data?.['votes']).toHaveLength(3);
  });

  it('excludes and reports who gives two answers', async () => {
    const liar = { equivocate: vote('a', 'x') };
    const { outcome } = await hold({ a: liar, b: 'x', c: 'y', d: 'x' });
    expect(outcome.status).toBe('no_quorum');
    expect(outcome.result?.equivocated).toEqual(['a']);
    expect(outcome.result?.votes.map(({ agent }) => agent)).toEqual(['b', 'c', 'd']);
    const others = await hold({ a: liar, b: 'x', c: 'x', d: 'x' });
    expect(others.outcome.result).toMatchObject({ value: 'x', equivocated: ['a'] });
  });

  it('counts only the values that it was given', async () => {
    const terms = { values: ['y', 'z'] };
    const { outcome } = await hold({ a: 'x', b: 'x', c: 'x', d: 'y' }, terms);
    expect(outcome.status).toBe('no_quorum');
    expect(outcome.reasons).toMatchObject({ a: 'invalid', d: 'not_eligible' });
    expect(outcome.result?.forged).toEqual([]);
  });

  it('asks nobody when the keys are not those of the roster', async () => {
    const { outcome, sent } = await hold({ a: 'x', b: 'x', c: 'x' });
    expect(outcome).toMatchObject({
      status: 'failed',
      detail: '4 keys are not those of the roster of 3',
    });
    expect(sent).toEqual([]);
  });

  it('is answered by a handler that signs', () => {
    const handler = participant<KeyObject>({
      signVote: (key, question) => signedVote(question, 'x', key),
    });
    const key = pairs.get('a')?.privateKey;
    const request: CoordinationRequest = {
      kind: 'mabeam.coordination.request',
      v: 1,
      session: 's',
      protocol: quorumCertificate.name,
      protocolVersion: '1.0.0',
      type: 'sign_vote',
      to: 'a',
      round: 1,
      seq: 1,
      epoch: 1,
      nonce: 'n',
      budgetMs: 10,
      idempotencyKey: 'i',
      body: { ballot: 'block 7', instance: 'seed' },
    };
    if (key === undefined) throw new Error('no key');
    expect(handler(key, request)).toMatchObject({ status: 'ok', body: vote('a', 'x') });
    const privateKey = key.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    expect(readyReplies.signWith({ value: 'x', privateKey })(request)).toEqual(vote('a', 'x'));
    expect(() => readyReplies.signWith('x')).toThrow('expected { value, privateKey }, got "x"');
  });
});

/** A certificate made of whatever votes somebody has got hold of. */
function certificate(
  value: string,
  votes: readonly { readonly agent: AgentId; readonly signature: string }[],
): Certificate {
  return { kind: 'quorum', data: { ballot: 'block 7', instance: 'seed', value, votes } };
}

/** The best certificate for `value`: honest votes for it, and all that liars give. */
function isCertified(
  value: string,
  votes: readonly { agent: AgentId; signature: string }[],
): boolean {
  return certificateProblems(spec, certificate(value, votes)).length === 0;
}

const cached = new Map<string, string>();
const signature = (
  voter: AgentId,
  value: string,
  changes: Parameters<typeof vote>[2] = {},
): string => {
  const key = JSON.stringify([voter, value, changes]);
  const known = cached.get(key) ?? vote(voter, value, changes).signature;
  cached.set(key, known);
  return known;
};

describe('two certificates of one ballot', () => {
  /** All that one liar can give for a value: nothing, its vote, a vote in another's name, an old one, one for another value. */
  const liesFor = (
    liar: AgentId,
    other: AgentId,
    value: string,
  ): { agent: AgentId; signature: string }[][] => [
    [],
    [{ agent: liar, signature: signature(liar, value) }],
    [
      { agent: liar, signature: signature(liar, value) },
      { agent: liar, signature: signature(liar, value) },
    ],
    [{ agent: other, signature: signature(other, value, { signer: liar }) }],
    [{ agent: liar, signature: signature(liar, value, { instance: 'earlier' }) }],
    [{ agent: liar, signature: signature(liar, value === 'x' ? 'y' : 'x') }],
  ];

  it('cannot be made by one liar of four, whatever it says and the others vote', () => {
    let certified = 0;
    for (const liar of ids) {
      const honest = ids.filter((id) => id !== liar);
      for (let profile = 0; profile < 8; profile++) {
        const possible = ['x', 'y'].map((value, side) => {
          const voters = honest.filter((_, seat) => ((profile >> seat) & 1) === side);
          const votes = voters.map((agent) => ({ agent, signature: signature(agent, value) }));
          const other = honest.find((id) => !voters.includes(id)) ?? liar;
          return liesFor(liar, other, value).some((lies) =>
            isCertified(value, [...votes, ...lies]),
          );
        });
        certified += possible.filter(Boolean).length;
        expect(possible).not.toEqual([true, true]);
      }
    }
    // Each of 4 × 8 profiles has two of the honest on one side: with the liar's own vote that is a quorum.
    expect(certified).toBe(32);
  });

  it('can be made by two liars of four: the bound is tight', () => {
    for (const value of ['x', 'y']) {
      const honest = value === 'x' ? 'c' : 'd';
      const votes = ['a', 'b', honest].map((agent) => ({
        agent,
        signature: signature(agent, value),
      }));
      expect(isCertified(value, votes)).toBe(true);
    }
  });

  it('share an honest voter, and the honest are enough for one, however many vote', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(400), (n, some) => {
        const faults = Math.min(some, Math.floor((n - 1) / 3));
        const quorum = quorumOf(n, faults);
        expect(2 * quorum - n).toBeGreaterThan(faults);
        expect(quorum).toBeLessThanOrEqual(n - faults);
        expect(quorumOf(3 * faults + 1, faults)).toBe(2 * faults + 1);
      }),
    ));
});

describe('a third party', () => {
  const good = ['a', 'b', 'c'].map((agent) => ({ agent, signature: signature(agent, 'x') }));

  it('is convinced by three signatures, and by none less', () => {
    expect(certificateProblems(spec, certificate('x', good))).toEqual([]);
    expect(certificateProblems(spec, certificate('x', good.slice(1)))).toEqual([
      'it has 2 votes of 3',
    ]);
  });

  it.each([
    ['another value', certificate('y', good), '"a" has not signed "y"'],
    [
      'a vote counted twice',
      certificate('x', [...good.slice(1), ...good.slice(1)]),
      'it counts a vote twice',
    ],
    [
      'a stranger',
      certificate('x', [{ agent: 'eve', signature: good[0]?.signature ?? '' }]),
      '"eve" has not signed "x"',
    ],
    ['no evidence', { kind: 'quorum' } as const, 'the certificate is not one of a quorum'],
    [
      'another kind',
      { ...certificate('x', good), kind: 'stability' } as const,
      'the certificate is not one of a quorum',
    ],
  ])('is not fooled by %s', (_, forged, problem) => {
    expect(certificateProblems(spec, forged)).toContain(problem);
  });

  it('is not fooled by a certificate of another ballot or a value that does not count', () => {
    expect(certificateProblems({ ...spec, ballot: 'block 8' }, certificate('x', good))).toEqual([
      'it is about "block 7"',
    ]);
    expect(certificateProblems({ ...spec, values: ['y'] }, certificate('x', good))).toEqual([
      '"x" does not count',
    ]);
  });

  it('sees through an outcome that says something else than its certificate', async () => {
    const { outcome } = await hold({ a: 'x', b: 'x', c: 'x', d: 'x' });
    const { result } = outcome;
    if (result === undefined) throw new Error('nothing was decided');
    expect(verify(quorumCertificate, { ...outcome, result: { ...result, value: 'y' } })).toContain(
      'the certificate is for another value',
    );
    const { certificate: _, ...bare } = outcome;
    expect(verify(quorumCertificate, bare)).toContain('decided without a certificate');
  });
});

describe('the spec of a quorum certificate', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  it.each([
    [{ keys }, 'ballot: expected a text of 1 to 256 characters, got undefined'],
    [{ ballot: 'b' }, 'keys: expected a key for each voter, got undefined'],
    [{ ballot: 'b', keys: {} }, 'keys: expected 1 to 1000, got 0'],
    [
      { ballot: 'b', keys: { a: 'zzz' } },
      'keys.a: expected an Ed25519 key (SPKI, base64), got "zzz"',
    ],
    [{ ballot: 'b', keys: { a: publicKeyOf(publicKey) } }, /^keys\.a: expected an Ed25519 key/],
    [{ ballot: 'b', keys: { ...keys, e: keys['a'] } }, 'keys: a and e have the same'],
    [{ ...spec, faults: 2 }, 'faults: expected a whole number from 0 to 1 for 4 voters, got 2'],
    [{ ...spec, values: [''] }, 'values: expected at most 1000 texts, got an array of 1'],
    [{ ...spec, quorum: 1 }, 'unknown field "quorum"'],
  ])('is refused when it is bad', (given, reason) => {
    const read = quorumCertificate.parseSpec(given);
    expect(read).toMatchObject({
      ok: false,
      reason: expect.stringMatching(reason instanceof RegExp ? reason : ''),
    });
    expect(read).toMatchObject(reason instanceof RegExp ? {} : { reason });
  });

  it('of a million values is refused at once', () => {
    const values = Array.from({ length: 1_000_000 }, String);
    expect(quorumCertificate.parseSpec({ ...spec, values }).ok).toBe(false);
  });
});
