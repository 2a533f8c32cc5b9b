import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cutIntoParts, partBytesMax, partFlag } from './frame.ts';
import { PartJoiner } from './part-joiner.ts';

describe('PartJoiner', () => {
  it('makes the frames again that were cut into parts', () => {
    const around = [0, 1, partBytesMax - 1, partBytesMax, partBytesMax + 1, 3 * partBytesMax];
    const length = fc.oneof(fc.constantFrom(...around), fc.nat(200_000));
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 5 }), (lengths) => {
        const joiner = new PartJoiner(200_000);
        for (const [index, bytes] of lengths.entries()) {
          const frame = Buffer.alloc(bytes, index + 1);
          const joined: Buffer[] = [];
          cutIntoParts(1, frame, (kind, part) => {
            expect(part.length).toBeLessThanOrEqual(partBytesMax);
            const whole = joiner.add(Buffer.from(part), (kind & partFlag) === 0);
            if (whole !== undefined) joined.push(Buffer.from(whole));
          });
          expect(joined).toHaveLength(1);
          expect(joined[0]?.equals(frame)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a frame that grows past the limit, with its last part or before', () => {
    const joiner = (): PartJoiner => new PartJoiner(1_000);
    const [one, two] = [joiner(), joiner()];
    one.add(Buffer.alloc(1_000), false);
    expect(() => one.add(Buffer.alloc(1), false)).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
    two.add(Buffer.alloc(1_000), false);
    expect(() => two.add(Buffer.alloc(1), true)).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });
});
