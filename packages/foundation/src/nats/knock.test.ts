import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isFoundationError } from '../errors.ts';
import { decodeAnswer, decodeKnock, encodeAnswer, encodeKnock, type Knock } from './knock.ts';
import {
  doorSubject,
  formatNatsAddress,
  isSessionSubject,
  parseNatsAddress,
  sessionSubject,
} from './node-address.ts';
import { nameOf, tokenOf } from './subjects.ts';

const [key, otherKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const door = doorSubject({ cluster: 'shop', node: 'b', incarnation: 2 });
const knock: Knock = {
  from: { cluster: 'shop', node: 'a.1', incarnation: 7 },
  session: 'ABCDEFGHIJKLMNOP',
  key: 'x'.repeat(43),
};

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return isFoundationError(error) ? error.code : String(error);
  }
}

describe('a knock', () => {
  it('is understood by whoever has the secret, also one that is no longer used', () => {
    const sent = encodeKnock(knock, key, door);
    expect(decodeKnock(sent, [otherKey, key], door)).toEqual({ knock, proofKey: key });
  });

  it.each<readonly [string, string, () => Buffer]>([
    ['with another secret', 'AUTHENTICATION_FAILED', () => encodeKnock(knock, otherKey, door)],
    ['at another door', 'AUTHENTICATION_FAILED', () => encodeKnock(knock, key, `${door}2`)],
    ['of another version', 'PROTOCOL_VERSION', () => changed(encodeKnock(knock, key, door), 1)],
    ['that was changed', 'AUTHENTICATION_FAILED', () => changed(encodeKnock(knock, key, door), 60)],
    ['that is empty', 'MALFORMED', () => Buffer.alloc(0)],
    ['that is too long', 'MALFORMED', () => Buffer.alloc(2_000)],
    ['of a node that cannot be', 'MALFORMED', () => said({ from: { ...knock.from, node: '*' } })],
    ['of no life', 'MALFORMED', () => said({ from: { ...knock.from, incarnation: -1 } })],
    ['of nobody', 'MALFORMED', () => said(Object({ from: null }))],
    ['for a session that cannot be', 'MALFORMED', () => said({ session: '*.>' })],
    ['without a key', 'MALFORMED', () => said({ key: '' })],
  ])('%s is refused', (_, code, make) => {
    expect(codeOf(() => decodeKnock(make(), [key], door))).toBe(code);
  });

  it('whatever is in it, is understood or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
        const code = codeOf(() => decodeKnock(Buffer.from(bytes), [key], door));
        expect(['MALFORMED', 'PROTOCOL_VERSION', 'AUTHENTICATION_FAILED']).toContain(code);
      }),
    );
  });

  it('is answered by a member only, and each answer fits one knock', () => {
    const sent = encodeKnock(knock, key, door);
    const answer = encodeAnswer(sent, 'y'.repeat(43), key);
    expect(decodeAnswer(answer, sent, key)).toMatch(/^y{42}/);
    expect(decodeAnswer(answer, changed(sent, 40), key)).toBeUndefined();
    expect(decodeAnswer(answer, sent, otherKey)).toBeUndefined();
    expect(decodeAnswer(changed(answer, 40), sent, key)).toBeUndefined();
    expect(decodeAnswer(Buffer.alloc(0), sent, key)).toBeUndefined();
  });
});

describe('addresses and subjects', () => {
  it('say which life of which node of which cluster', () => {
    const address = formatNatsAddress(knock.from);
    expect(address).toBe('nats:shop/a.1/7');
    expect(parseNatsAddress(address)).toEqual(knock.from);
    expect(doorSubject(knock.from)).toBe('foundation.shop.node.a=2E1.7.door');
    expect(isSessionSubject(sessionSubject(knock.from, knock.session))).toBe(true);
  });

  it.each([
    '',
    'nats:shop/a',
    'nats:shop/a/-1',
    'nats:shop/a/1.5',
    'nats:shop/>/1',
    'nats:Shop/a/1',
    '127.0.0.1:4222',
    'nats:shop/a/99999999999999999',
  ])('there is no address %j', (text) => {
    expect(parseNatsAddress(text)).toBeUndefined();
  });

  it.each([
    'foundation.shop.node.*.1.ABCDEFGHIJKLMNOP.x',
    'a.b',
    'foundation.shop.node.a.1.door',
    '$JS.API.STREAM.DELETE.x',
  ])('nothing is answered on %s', (subject) => {
    expect(isSessionSubject(subject)).toBe(false);
  });

  it('hold any name in one token, which no other name has', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(tokenOf(one)).toMatch(/^[\w=/:-]+$/);
        expect(nameOf(tokenOf(one))).toBe(one);
        expect(tokenOf(other) === tokenOf(one)).toBe(other === one);
      }),
    );
  });
});

function said(over: Partial<Knock>): Buffer {
  return encodeKnock({ ...knock, ...over }, key, door);
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
