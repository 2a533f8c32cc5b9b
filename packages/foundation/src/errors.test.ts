import { describe, expect, it } from 'vitest';

import { FoundationError, messageOf } from './errors.ts';

describe('an error as JSON', () => {
  it('has its message, and its cause by code and message, and no stack', () => {
    const cause = Object.assign(new Error('the port is taken'), { code: 'EADDRINUSE' });
    const error = new FoundationError('INVALID_OPTION', 'cannot listen', {
      hint: 'Choose another.',
      details: { port: 1 },
      cause,
    });
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: {
        name: 'FoundationError',
        code: 'INVALID_OPTION',
        message: 'cannot listen',
        hint: 'Choose another.',
        details: { port: 1 },
        retryable: false,
        outcome: 'not-executed',
        cause: { code: 'EADDRINUSE', message: 'the port is taken' },
      },
    });
  });

  it('tells no more than it has', () => {
    const bare = JSON.parse(JSON.stringify(new FoundationError('INTERNAL', 'odd')));
    expect(Object.keys(bare)).not.toContain('cause');
    const odd = new FoundationError('INTERNAL', 'odd', { cause: 'a text' });
    expect(JSON.parse(JSON.stringify(odd))).toMatchObject({ cause: { message: 'a text' } });
  });
});

describe('the message of what was thrown', () => {
  it('is that of an error, or its text', () => {
    expect(messageOf(new RangeError('out of paper'))).toBe('out of paper');
    expect([messageOf('text'), messageOf(7), messageOf(undefined)]).toEqual([
      'text',
      '7',
      'undefined',
    ]);
  });

  it('can always be had, whatever was thrown', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const unreadable = Object.defineProperty(new Error('a'), 'message', {
      get: () => {
        throw new Error('b');
      },
    });
    for (const thrown of [Object.create(null), Symbol('odd'), proxy, unreadable]) {
      expect(messageOf(thrown)).toBeTypeOf('string');
    }
  });
});
