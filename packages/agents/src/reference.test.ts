import { describe, expect, it } from 'vitest';

import { from, isEmpty, isReference, resolveInput } from './reference.ts';

const results = new Map<string, unknown>([
  ['first', { sure: ['a'], unsure: ['b', 'c'], table: new Map([['x', 1]]) }],
  ['tricky', { $from: 'first' }],
]);

describe('a reference to a result', () => {
  it('is plain data', () => {
    const reference = from('first', 'unsure', 0);
    expect(JSON.parse(JSON.stringify(reference))).toEqual(reference);
    expect(isReference(reference)).toBe(true);
    expect(isReference({ $from: 'first', pth: [] })).toBe(false);
  });

  it('is replaced at any depth, and nothing else is', () => {
    const date = new Date(0);
    const input = {
      all: from('first'),
      list: [{ one: from('first', 'unsure', 1) }, 'first'],
      date,
    };
    const resolved = resolveInput(input, results);
    expect(resolved).toEqual({ all: results.get('first'), list: [{ one: 'c' }, 'first'], date });
    expect(input.list[0]).toEqual({ one: from('first', 'unsure', 1) });
  });

  it('reads the entries of a map', () => {
    expect(resolveInput(from('first', 'table', 'x'), results)).toBe(1);
  });

  it('gives undefined where it leads nowhere, also to what objects inherit', () => {
    expect(resolveInput(from('skipped', 'x'), results)).toBeUndefined();
    expect(resolveInput(from('first', 'none', 'deeper'), results)).toBeUndefined();
    expect(resolveInput(from('first', 'constructor'), results)).toBeUndefined();
    expect(resolveInput(from('first', '__proto__'), results)).toBeUndefined();
  });

  it('does not follow references that a result brings along', () => {
    expect(resolveInput(from('tricky'), results)).toEqual({ $from: 'first' });
  });
});

it.each([
  undefined,
  null,
  false,
  0,
  Number.NaN,
  '',
  [],
  {},
  new Set(),
  new Map(),
  new Uint8Array(0),
])('a condition on %o is unmet', (value) => expect(isEmpty(value)).toBe(true));

it.each([true, 1, 'no', [0], { a: undefined }, new Set([1]), new Date(0)])(
  'a condition on %o is met',
  (value) => expect(isEmpty(value)).toBe(false),
);
