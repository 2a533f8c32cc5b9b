import { describe, expect, it } from 'vitest';

import type { SingletonRecord } from './registry/registry-state.ts';
import { systemArguments } from './system-arguments.ts';

/** One with every field there is: a new one does not compile before it stands here. */
const whole: Required<SingletonRecord> = {
  name: 'one',
  process: 'counter',
  init: { rate: 7 },
  consistency: 'strong',
  isStopped: true,
  listing: { capabilities: ['work'], metadata: { zone: 'x' } },
  about: { type: 'worker' },
};

describe('the record of a singleton that another node sends', () => {
  it('is taken with all that a record has, and nothing else', () => {
    const sent = { ...whole, restart: 'temporary', listing: { ...whole.listing, name: 'other' } };
    expect(systemArguments.record(sent)).toEqual(whole);
  });

  it('has only what was sent', () => {
    const { name, process, init } = whole;
    const least = { name, process, init, listing: {} };
    expect(Object.keys(systemArguments.record(least))).toEqual(Object.keys(least));
  });

  it.each([{}, { ...whole, isStopped: 'yes' }, { ...whole, consistency: 'weak' }])(
    'is refused: %o',
    (value) => {
      expect(() => systemArguments.record(value)).toThrow('the record of a singleton');
    },
  );
});
