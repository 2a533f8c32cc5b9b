import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { contextCuts, cutContext } from './subjects/context-cuts.ts';

const source = new URL('../packages/foundation/src/', import.meta.url);

describe('the subject without request contexts', () => {
  it.each(Object.keys(contextCuts))('still finds what it cuts out of %s', (file) => {
    const text = readFileSync(new URL(file, source), 'utf8');
    expect(cutContext(file, text)).not.toBe(text);
  });

  it('refuses a source that has changed', () => {
    expect(() => cutContext('context/scope.ts', 'nothing of it')).toThrow('found 0 times');
  });
});
