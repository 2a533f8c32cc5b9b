import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cutIntoParts, partBytesMax, partFlag } from './frame.ts';
import { PartJoiner } from './part-joiner.ts';

describe('PartJoiner', () => {
  it('makes the frames again that were cut into parts', () => {
    const around = [1, partBytesMax - 1, partBytesMax, partBytesMax + 1, 3 * partBytesMax];
    const length = fc.oneof(fc.constantFrom(...around), fc.nat(200_000));
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 5 }), (lengths) => {
        const joiner = new PartJoiner(200_000);
        for (const [index, bytes] of lengths.entries()) {
          const frame = Buffer.alloc(bytes, index + 1);
          const joined: Buffer[] = [];
          cutIntoParts(1, frame, (kind, part) => {
            expect(part.length).toBeLessThanOrEqual(partBytesMax);
            expect(joiner.add(Buffer.from(part))).toBe(true);
            if ((kind & partFlag) === 0) joiner.finish((whole) => joined.push(Buffer.from(whole)));
          });
          expect(joined).toHaveLength(1);
          expect(joined[0]?.equals(frame)).toBe(true);
          expect(joiner.isEmpty).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a part with which the frame grows past the limit', () => {
    const joiner = new PartJoiner(1_000);
    expect(joiner.add(Buffer.alloc(1_000))).toBe(true);
    expect(joiner.add(Buffer.alloc(1))).toBe(false);
  });
});
