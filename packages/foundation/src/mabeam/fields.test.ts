import { describe, expect, it } from 'vitest';

import { oneOf, parseFields, parseMs, parseOptional, parseText, parseWhole } from './fields.ts';
import { isRecord, problemsOf } from './parse.ts';

const read = (value: unknown): unknown =>
  parseFields(value, '{ name, … }', ({ name, count = 3, waitMs, mode }) => ({
    name: parseText('name', name),
    count: parseWhole('count', count, { min: 2, max: 5 }),
    waitMs: parseOptional('waitMs', waitMs, parseMs),
    mode: parseOptional('mode', mode, oneOf(['slow', 'fast'])),
  }));

describe('the fields of an object', () => {
  it('are read each on its own, and what may be missing is left out', () => {
    expect(read({ name: 'x' })).toEqual({ ok: true, value: { name: 'x', count: 3 } });
    expect(read({ name: 'x', count: 2, waitMs: undefined, mode: 'fast' })).toEqual({
      ok: true,
      value: { name: 'x', count: 2, mode: 'fast' },
    });
    expect(read(null)).toEqual({ ok: false, reason: 'expected { name, … }, got null' });
  });

  it('are all named that are wrong, and those that there are not with the likely spelling', () => {
    const problems = [
      'unknown field "naem", did you mean "name"?',
      'name: expected a text of 1 to 256 characters, got undefined',
      'count: expected a whole number from 2 to 5, got 1',
      'waitMs: expected whole milliseconds from 1, got 0.5',
      'mode: expected slow or fast, got "fats", did you mean "fast"?',
    ];
    const reason = problems.join('; ');
    const bad = { naem: 'x', count: 1, waitMs: 0.5, mode: 'fats' };
    expect(read(bad)).toEqual({ ok: false, reason, problems });
  });

  it('are many or long: few are named, and quickly', () => {
    const vast = Object.fromEntries(Array.from({ length: 1e5 }, (_, at) => [`field ${at}`, at]));
    const found = read({ name: 'x', ['n'.repeat(1e6)]: 1, ...vast });
    const problems = isRecord(found) && found['ok'] === false ? found : undefined;
    expect(problemsOf({ ok: false, reason: '', ...problems })).toHaveLength(10);
  });
});
