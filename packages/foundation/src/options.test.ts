import { describe, expect, it } from 'vitest';

import { closest, refuseUnknown } from './options.ts';

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
