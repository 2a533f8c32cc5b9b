import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LineReader } from './etcd-lines.ts';

describe('LineReader', () => {
  it('finds the same lines however they are cut into chunks, also within a character', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '\u{1f600}'), maxLength: 8 });
    const law = fc.property(fc.array(line), fc.array(fc.nat(20)), (lines, cuts) => {
      const found: string[] = [];
      const reader = new LineReader(1_000, (each) => found.push(each));
      let rest = Buffer.from(lines.map((each) => `${each}\n`).join(''));
      for (const cut of [...cuts, rest.length]) {
        expect(reader.push(rest.subarray(0, cut))).toBe(true);
        rest = rest.subarray(cut);
      }
      expect(found).toEqual(lines.filter((each) => each !== ''));
    });
    fc.assert(law);
  });

  it('gives up a line that gets too long, and no sooner', () => {
    const reader = new LineReader(10, () => {});
    expect(reader.push(Buffer.from('0123456789\n01234'))).toBe(true);
    expect(reader.push(Buffer.from('56789'))).toBe(true);
    expect(reader.push(Buffer.from('!'))).toBe(false);
  });
});
