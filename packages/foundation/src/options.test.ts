import { describe, expect, it } from 'vitest';

import { checkNumber, closest, isNumber, refuseUnknown } from './options.ts';

const known = ['name', 'strategy', 'restart', 'metadata'];

describe('an unknown option', () => {
  it.each([
    ['naem', 'name'],
    ['startegy', 'strategy'],
    ['restarts', 'restart'],
    ['METADATA', 'metadata'],
    ['colour', undefined],
  ])('%s is taken for %s', (word, meant) => {
    expect(closest(word, known)).toBe(meant);
  });

  it('is refused with all others at once', () => {
    expect(() => refuseUnknown('start', { naem: 1, colour: 2, name: 3 }, known)).toThrow(
      'start: unknown option `naem`, did you mean `name`?; unknown option `colour`',
    );
  });
});

describe('a whole number', () => {
  it('is one that no other is taken for', () => {
    const rule = { min: 1, integer: true };
    expect(isNumber(Number.MAX_SAFE_INTEGER, rule)).toBe(true);
    expect(isNumber(Infinity, { ...rule, endless: true })).toBe(true);
    for (const vast of [2 ** 53, 1e308]) {
      expect(isNumber(vast, rule)).toBe(false);
      expect(() => checkNumber('it', { vast }, rule)).toThrow(
        'a whole number of at least 1 and of at most 9007199254740991',
      );
    }
  });
});
