import { describe, expect, it } from 'vitest';

import { messageOf } from './errors.ts';

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
