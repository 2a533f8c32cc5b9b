import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { amountMax, parseAmount } from './amount.ts';
import { parseReply, parseRequest } from './message.ts';

const reply = {
  kind: 'mabeam.coordination.reply',
  v: 1,
  session: 's',
  round: 1,
  nonce: 'n',
  from: 'a',
  status: 'ok',
  body: { amount: 3n },
};

describe('a reply', () => {
  it('is read without the fields that do not belong to it', () => {
    expect(parseReply({ ...reply, extra: 'x'.repeat(9) })).toEqual({ ok: true, value: reply });
  });

  it.each([
    [{ ...reply, v: 2 }, 'v: expected 1, got 2'],
    [{ ...reply, round: 1.5 }, 'round: expected a whole number from 0, got 1.5'],
    [
      { ...reply, from: undefined },
      'from: expected a text of at most 1024 characters, got undefined',
    ],
    [
      { ...reply, status: 'maybe' },
      'status: expected one of ok, decline, not_understood, error, got "maybe"',
    ],
    [[reply], 'expected a reply, got an array of 1'],
  ])('that is malformed is refused with the field that is wrong', (value, reason) => {
    expect(parseReply(value)).toEqual({ ok: false, reason });
  });

  it('or a request can be anything at all without harm', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(parseReply(value).ok).toBe(false);
        expect(parseRequest(value).ok).toBe(false);
      }),
    );
  });
});

describe('an amount', () => {
  it('is a whole number of 63 bits, also as a decimal string', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, amountMax), (amount) => {
        expect(parseAmount('x', amount)).toEqual({ ok: true, value: amount });
        expect(parseAmount('x', String(amount))).toEqual({ ok: true, value: amount });
      }),
    );
  });

  it.each([
    amountMax + 1n,
    -1n,
    5,
    0.1,
    '1.0',
    '-1',
    '01',
    '',
    ' 1',
    '9'.repeat(30),
    null,
    undefined,
  ])('is not %s', (value) => {
    expect(parseAmount('x', value).ok).toBe(false);
  });
});
